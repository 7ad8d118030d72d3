import { Checkbox, Chip, Group, TextInput, Title } from '@mantine/core'
import type { Schedule } from '../../../shared/model/policy.ts'
import { formWords } from './form-words.ts'
import { numberIn } from './keep-form.ts'
import { NextRunList } from './next-runs.tsx'
import type { PolicyForm } from './policy-form.ts'
import { Section, type PartProps } from './section.tsx'
import { TimeField } from './time-field.tsx'
import { TimesOf } from './times-of.tsx'
import { calendarText, withKind, type WhenForm } from './when-form.ts'

const said = formWords.when
const KINDS = ['hours', 'daily', 'weekly', 'monthly', 'calendar'] as const

/** When, and the next runs that come of it. */
export function WhenSection({ form, problems, onEdit, timeZone }: PartProps & { readonly timeZone: string }) {
  const { when } = form
  const edit = (change: Partial<WhenForm>): void => onEdit({ when: { ...when, ...change } })
  return (
    <Section title={said.title} aside={<Preview form={form} timeZone={timeZone} />}>
      <Chip.Group value={when.kind} onChange={(kind) => onEdit({ when: withKind(when, kind) })}>
        <Group gap="sm" role="radiogroup" aria-label={said.kind}>
          {KINDS.map((kind) => (
            <Chip key={kind} value={kind} size="sm">
              {said.kinds[kind]}
            </Chip>
          ))}
        </Group>
      </Chip.Group>
      <TimesOf when={when} problems={problems} onEdit={edit} />
      <TextInput
        label={said.jitter}
        description={said.jitterHint}
        inputMode="decimal"
        value={when.jitterMinutes}
        error={problems.jitterMinutes}
        onChange={({ currentTarget }) => edit({ jitterMinutes: currentTarget.value })}
      />
      <Checkbox
        label={said.windowed}
        description={said.windowHint}
        checked={when.isWindowed}
        onChange={({ currentTarget }) => edit({ isWindowed: currentTarget.checked })}
      />
      {when.isWindowed && (
        <Group gap="md" align="flex-start">
          <TimeField
            label={said.from}
            value={when.from}
            problem={problems.window}
            onChange={(from) => edit({ from })}
          />
          <TimeField label={said.to} value={when.to} problem={undefined} onChange={(to) => edit({ to })} />
        </Group>
      )}
    </Section>
  )
}

function Preview({ form, timeZone }: { readonly form: PolicyForm; readonly timeZone: string }) {
  const { when, pausedUntil } = form
  const { from, to } = when
  const schedule: Schedule = {
    calendar: calendarText(when),
    jitterSeconds: (numberIn(when.jitterMinutes, 0, 1440) ?? 0) * 60,
    ...(when.isWindowed && from !== '' && to !== '' && { window: { from, to } })
  }
  return (
    <>
      <Title order={3}>{said.next}</Title>
      <NextRunList schedule={schedule} timeZone={timeZone} pausedUntil={pausedUntil} />
    </>
  )
}
