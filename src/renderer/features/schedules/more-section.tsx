import { Checkbox, Stack, TextInput, Textarea } from '@mantine/core'
import { Panel } from '../../ui/panel.tsx'
import { formWords } from './form-words.ts'
import type { HooksForm } from './policy-form.ts'
import type { PolicyProblems } from './policy-problems.ts'
import classes from './schedules.module.css'
import type { PartProps } from './section.tsx'

const said = formWords.more

interface MoreSectionProps extends PartProps {
  /** Alarm without a word of one's own: `30 h`; undefined while the times are not right. */
  readonly standard: string | undefined
}

/** What is seldom wanted: folded up unless something is there, or wrong. */
export function MoreSection({ form, problems, onEdit, standard }: MoreSectionProps) {
  const { hooks, expectHours } = form
  const isUsed = hooks.before !== '' || hooks.after !== '' || expectHours !== ''
  return (
    <Panel title={said.title}>
      <details className={classes['more']} open={isUsed || undefined}>
        <summary>{said.summary}</summary>
        <Stack gap="md" mt="md" maw="72ch">
          <Commands hooks={hooks} problems={problems} onEdit={(change) => onEdit({ hooks: { ...hooks, ...change } })} />
          <TextInput
            label={said.expect}
            description={standard === undefined ? said.expectUnknown : said.expectHint(standard)}
            inputMode="decimal"
            value={expectHours}
            error={problems.expectHours}
            onChange={({ currentTarget }) => onEdit({ expectHours: currentTarget.value })}
          />
        </Stack>
      </details>
    </Panel>
  )
}

interface CommandsProps {
  readonly hooks: HooksForm
  readonly problems: PolicyProblems
  readonly onEdit: (change: Partial<HooksForm>) => void
}

function Commands({ hooks, problems, onEdit }: CommandsProps) {
  const command = (name: 'before' | 'after') => (
    <>
      <Textarea
        label={said[name]}
        description={said.commandHint}
        placeholder={said.commandExample}
        autosize
        spellCheck={false}
        value={hooks[name]}
        error={problems[name]}
        onChange={({ currentTarget }) => onEdit({ [name]: currentTarget.value })}
      />
      {hooks[name].trim() !== '' && (
        <TextInput
          label={said.deadline}
          inputMode="numeric"
          value={hooks[`${name}Seconds`]}
          error={problems[`${name}Seconds`]}
          onChange={({ currentTarget }) => onEdit({ [`${name}Seconds`]: currentTarget.value })}
        />
      )}
    </>
  )
  return (
    <>
      {command('before')}
      {hooks.before.trim() !== '' && (
        <Checkbox
          label={said.mustSucceed}
          description={said.mustSucceedHint}
          checked={hooks.beforeMustSucceed}
          onChange={({ currentTarget }) => onEdit({ beforeMustSucceed: currentTarget.checked })}
        />
      )}
      {command('after')}
    </>
  )
}
