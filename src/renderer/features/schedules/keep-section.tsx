import { NumberInput, Radio, Stack, Text, TextInput } from '@mantine/core'
import { formWords } from './form-words.ts'
import { KEEP_COUNTS, MOST_SIMPLE, PRESETS, withPreset, type KeepField, type KeepForm } from './keep-form.ts'
import classes from './schedules.module.css'
import { Section, type PartProps } from './section.tsx'
import { Simulator } from './simulator.tsx'

const said = formWords.keep

interface KeepSectionProps extends PartProps {
  readonly id: string | undefined
  readonly timeZone: string
}

/** How long points stay, and what that does. */
export function KeepSection({ form, problems, onEdit, id, timeZone }: KeepSectionProps) {
  const { keep } = form
  const edit = (change: Partial<KeepForm>): void => onEdit({ keep: { ...keep, ...change } })
  return (
    <Section title={said.title} aside={<Simulator form={form} id={id} timeZone={timeZone} />}>
      <Radio.Group
        aria-label={said.preset}
        value={keep.preset}
        onChange={(preset) => onEdit({ keep: withPreset(keep, preset) })}
      >
        <Stack gap="sm">
          {PRESETS.map((preset) => (
            <Radio key={preset} value={preset} label={said.presets[preset]} description={said.texts[preset]} />
          ))}
        </Stack>
      </Radio.Group>
      {keep.preset === 'simple' && (
        <NumberInput
          label={said.simple}
          min={1}
          max={MOST_SIMPLE}
          allowDecimal={false}
          clampBehavior="strict"
          value={keep.simple}
          onChange={(last) => typeof last === 'number' && onEdit({ keep: withPreset(keep, 'simple', last) })}
        />
      )}
      {keep.preset === 'custom' && <Rules keep={keep} problems={problems} onEdit={edit} />}
      <Text fz="sm" c="dimmed">
        {said.promise}
      </Text>
    </Section>
  )
}

interface RulesProps extends Pick<PartProps, 'problems'> {
  readonly keep: KeepForm
  readonly onEdit: (change: Partial<KeepForm>) => void
}

function Rules({ keep, problems, onEdit }: RulesProps) {
  const field = (name: KeepField) => (
    <TextInput
      key={name}
      label={said.fields[name]}
      inputMode="numeric"
      value={keep[name]}
      error={problems[name]}
      onChange={({ currentTarget }) => onEdit({ [name]: currentTarget.value })}
    />
  )
  return (
    <>
      <div className={classes['counts']}>{KEEP_COUNTS.map(field)}</div>
      <div className={classes['counts']}>{(['memory', 'floor', 'graceHours'] as const).map(field)}</div>
      <Text fz="sm" c="dimmed">
        {said.memoryHint}
      </Text>
    </>
  )
}
