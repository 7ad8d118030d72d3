import { Input, Select, Text, TextInput } from '@mantine/core'
import { safeText } from '../../../shared/safe-text.ts'
import { useWindow } from '../../state/store-context.ts'
import { Name } from '../../ui/name.tsx'
import { formWords } from './form-words.ts'
import { Section, type PartProps } from './section.tsx'

const said = formWords.name

interface NameSectionProps extends PartProps {
  /** It is on its host already, and stays there. */
  readonly isFixed: boolean
}

export function NameSection({ form, problems, onEdit, isFixed }: NameSectionProps) {
  const hosts = useWindow((state) => state.hosts)
  return (
    <Section title={said.title}>
      <TextInput
        label={said.label}
        placeholder={said.placeholder}
        value={form.name}
        error={form.name !== '' && problems.name}
        required
        autoComplete="off"
        data-autofocus
        onChange={({ currentTarget }) => onEdit({ name: currentTarget.value })}
      />
      {isFixed ? (
        <Input.Wrapper label={said.host} description={said.hostFixed} labelElement="div">
          <Text>
            <Name text={form.host} />
          </Text>
        </Input.Wrapper>
      ) : (
        <Select
          label={said.host}
          description={said.hostHint}
          error={problems.host}
          allowDeselect={false}
          value={form.host}
          data={(hosts ?? []).map(({ name, state }) => ({
            value: name,
            label: state === 'down' ? `${safeText(name)} (${said.down})` : safeText(name)
          }))}
          onChange={(host) => host !== null && onEdit({ host, vms: { ...form.vms, chosen: [] } })}
        />
      )}
    </Section>
  )
}
