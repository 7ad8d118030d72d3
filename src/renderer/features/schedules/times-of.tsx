import { Checkbox, Code, Group, Select, Text, TextInput } from '@mantine/core'
import { EVERY_HOURS } from '../../../shared/schedule/schedule-form.ts'
import { formWords } from './form-words.ts'
import type { PolicyProblems } from './policy-problems.ts'
import { TimeField } from './time-field.tsx'
import { calendarText, type WhenForm } from './when-form.ts'

interface TimesOfProps {
  readonly when: WhenForm
  readonly problems: PolicyProblems
  readonly onEdit: (change: Partial<WhenForm>) => void
}

const said = formWords.when

/** The fields of the kind of times that was chosen. */
export function TimesOf({ when, problems, onEdit }: TimesOfProps) {
  if (when.kind === 'calendar') return <Expression when={when} problems={problems} onEdit={onEdit} />
  if (when.kind === 'hours') return <EveryHours when={when} problems={problems} onEdit={onEdit} />
  return (
    <>
      {when.kind === 'weekly' && <Days when={when} problems={problems} onEdit={onEdit} />}
      <Group gap="md" align="flex-start">
        {when.kind === 'monthly' && <DayOfMonth when={when} onEdit={onEdit} />}
        <TimeField label={said.time} value={when.time} problem={problems.time} onChange={(time) => onEdit({ time })} />
      </Group>
      <Text fz="sm" c="dimmed">
        <Code>{calendarText(when)}</Code>
      </Text>
    </>
  )
}

const Expression = ({ when, problems, onEdit }: TimesOfProps) => (
  <TextInput
    label={said.calendar}
    description={said.calendarHint}
    value={when.text}
    error={problems.calendar}
    autoComplete="off"
    spellCheck={false}
    onChange={({ currentTarget }) => onEdit({ text: currentTarget.value })}
  />
)

const EveryHours = ({ when, problems, onEdit }: TimesOfProps) => (
  <Group gap="md" align="flex-start">
    <Select
      label={said.every}
      allowDeselect={false}
      value={String(when.every)}
      data={EVERY_HOURS.map((every) => ({ value: String(every), label: said.hours(every) }))}
      onChange={(value) => onEdit({ every: EVERY_HOURS.find((every) => String(every) === value) ?? when.every })}
    />
    <TextInput
      label={said.minute}
      inputMode="numeric"
      value={when.minute}
      error={problems.minute}
      onChange={({ currentTarget }) => onEdit({ minute: currentTarget.value })}
    />
  </Group>
)

const Days = ({ when, problems, onEdit }: TimesOfProps) => (
  <Checkbox.Group
    label={said.days}
    error={problems.days}
    value={when.days.map(String)}
    onChange={(days) => onEdit({ days: days.map(Number).sort() })}
  >
    <Group gap="md" mt="xs">
      {said.dayNames.map((name, day) => (
        <Checkbox key={name} value={String(day)} label={name} />
      ))}
    </Group>
  </Checkbox.Group>
)

const LAST = 'last'

const DayOfMonth = ({ when, onEdit }: Pick<TimesOfProps, 'when' | 'onEdit'>) => (
  <Select
    label={said.day}
    allowDeselect={false}
    value={String(when.day)}
    data={[
      ...Array.from({ length: 28 }, (_, n) => ({ value: String(n + 1), label: String(n + 1) })),
      { value: LAST, label: said.last }
    ]}
    onChange={(value) => value !== null && onEdit({ day: value === LAST ? LAST : Number(value) })}
  />
)
