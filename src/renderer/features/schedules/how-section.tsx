import { Checkbox, Select, TextInput } from '@mantine/core'
import { words as backup } from '../backup/words.ts'
import { formWords } from './form-words.ts'
import { Section, type PartProps } from './section.tsx'
import { TextTags } from './text-tags.tsx'

const said = formWords.how
const METHODS = ['auto', 'live', 'disk', 'classic', 'offline'] as const
const ON_BUSY = ['pause', 'disk', 'fail'] as const

/** By what method, within what pause, of which disks, into which store. */
export function HowSection({ form, problems, onEdit }: PartProps) {
  const method = form.method ?? 'auto'
  return (
    <Section title={said.title}>
      <Select
        label={said.method}
        description={backup.methods[method].text}
        allowDeselect={false}
        value={method}
        data={METHODS.map((value) => ({ value, label: backup.methods[value].label }))}
        onChange={(value) => onEdit({ method: value === null || value === 'auto' ? undefined : value })}
      />
      <TextInput
        label={backup.budget}
        description={backup.budgetHint}
        inputMode="numeric"
        rightSection="ms"
        value={form.budgetMs}
        error={problems.budgetMs}
        onChange={({ currentTarget }) => onEdit({ budgetMs: currentTarget.value })}
      />
      <Select
        label={backup.onBusy}
        allowDeselect={false}
        value={form.onBusy}
        data={ON_BUSY.map((value) => ({ value, label: backup.onBusyChoices[value] }))}
        onChange={(onBusy) => onBusy !== null && onEdit({ onBusy })}
      />
      <TextTags
        label={said.disks}
        description={said.disksHint}
        placeholder={said.diskExample}
        splitChars={[',', ' ']}
        value={form.excludeDisks}
        onChange={(excludeDisks) => onEdit({ excludeDisks })}
      />
      <Checkbox
        label={backup.media}
        description={backup.mediaHint}
        checked={form.media}
        onChange={({ currentTarget }) => onEdit({ media: currentTarget.checked })}
      />
      <TextInput
        label={said.store}
        description={said.storeHint}
        value={form.store}
        error={problems.store}
        autoComplete="off"
        spellCheck={false}
        onChange={({ currentTarget }) => onEdit({ store: currentTarget.value.trim() })}
      />
    </Section>
  )
}
