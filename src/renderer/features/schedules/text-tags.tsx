import { Pill, TagsInput, type TagsInputProps } from '@mantine/core'
import { safeText, shorten } from '../../../shared/safe-text.ts'

type TextTagsProps = Pick<TagsInputProps, 'label' | 'description' | 'placeholder' | 'error'> & {
  readonly value: readonly string[]
  readonly onChange: (value: string[]) => void
  /** Characters that end a text, besides Enter. */
  readonly splitChars?: string[]
}

/** Several short texts in one field. What is typed and not ended counts when the field is left. */
export const TextTags = ({ value, onChange, splitChars = [], placeholder, ...rest }: TextTagsProps) => (
  <TagsInput
    {...rest}
    placeholder={value.length === 0 ? placeholder : undefined}
    value={[...value]}
    splitChars={splitChars}
    acceptValueOnBlur
    onChange={(texts) => onChange(texts.map((text) => text.trim()).filter((text) => text !== ''))}
    renderPill={({ option, onRemove, disabled }) => (
      <Pill withRemoveButton {...(onRemove && { onRemove })} disabled={disabled === true}>
        {shorten(safeText(option.label), 60)}
      </Pill>
    )}
  />
)
