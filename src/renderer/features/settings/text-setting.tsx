import { TextInput } from '@mantine/core'
import { useState, type ReactNode } from 'react'
import type { Choices, ChoicesChange } from '../../../shared/views/settings-view.ts'
import { useWindow } from '../../state/store-context.ts'
import { Setting } from './setting.tsx'
import type { Typed } from './settings-view.ts'

interface TextSettingProps<T> {
  readonly choice: keyof Choices
  readonly label: string
  readonly text: string
  /** As it is saved now. */
  readonly value: string
  readonly read: (text: string) => Typed<T>
  readonly changeOf: (value: T) => ChoicesChange
  readonly placeholder?: string
  readonly unit?: ReactNode
  readonly isNumber?: boolean
}

/** A field that is saved when one leaves it or presses Enter; Escape takes back what was typed. */
export function TextSetting<T>(props: TextSettingProps<T>) {
  const { choice, label, text, value, read, changeOf, placeholder, unit, isNumber = false } = props
  const [draft, setDraft] = useState<string>()
  const change = useWindow((state) => state.changeSettings)
  const typed = draft === undefined ? undefined : read(draft)
  const commit = (): void => {
    if (draft === value) setDraft(undefined)
    else if (typed !== undefined && 'value' in typed)
      void change(changeOf(typed.value)).then((isSaved) => isSaved && setDraft(undefined))
  }
  const id = `setting-${choice}`
  return (
    <Setting choice={choice} label={label} text={text} id={id}>
      <TextInput
        id={id}
        aria-describedby={`${id}-text`}
        value={draft ?? value}
        error={typed !== undefined && 'error' in typed ? typed.error : undefined}
        placeholder={placeholder}
        inputMode={isNumber ? 'decimal' : 'text'}
        rightSection={unit}
        rightSectionWidth={unit === undefined ? undefined : '4rem'}
        rightSectionPointerEvents="none"
        autoComplete="off"
        spellCheck={false}
        onChange={({ currentTarget }) => setDraft(currentTarget.value)}
        onBlur={commit}
        onKeyDown={({ key }) => {
          if (key === 'Enter') commit()
          if (key === 'Escape') setDraft(undefined)
        }}
      />
    </Setting>
  )
}
