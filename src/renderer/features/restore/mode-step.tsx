import { Radio, Text, TextInput } from '@mantine/core'
import { RestoreViewMode } from '../../../shared/views/job-view.ts'
import { Choice } from './choice.tsx'
import classes from './restore.module.css'
import { noRamText } from './restore-text.ts'
import { nameProblem, type Chosen, type RestoreDraft } from './restore-view.ts'
import { words } from './words.ts'

interface ModeStepProps {
  readonly chosen: Chosen
  readonly onChange: (change: Partial<Pick<RestoreDraft, 'mode' | 'newName' | 'start'>>) => void
}

/** What each way of coming back means, in plain words. */
export function ModeStep({ chosen, onChange }: ModeStepProps) {
  const { point, mode } = chosen
  return (
    <div className={classes['modes']} role="radiogroup" aria-label={words.modeLabel}>
      {RestoreViewMode.options.map((each) => (
        <Choice
          key={each}
          name="restore-mode"
          checked={each === mode}
          onChoose={() => onChange({ mode: each })}
          disabledBecause={each === 'resume' && point?.hasMemory === false ? noRamText(point) : undefined}
        >
          <b>{words.mode[each].title}</b>
          <span className={classes['soft']}>{words.mode[each].text}</span>
        </Choice>
      ))}
      {mode === 'copy' && <CopyForm chosen={chosen} onChange={onChange} />}
    </div>
  )
}

function CopyForm({ chosen: { host, newName, start }, onChange }: ModeStepProps) {
  const problem = nameProblem(newName, host)
  return (
    <div className={classes['copy']}>
      <TextInput
        label={words.copy.name}
        value={newName}
        error={problem && words.copy.problem[problem]}
        onChange={({ currentTarget }) => onChange({ newName: currentTarget.value })}
      />
      <Radio.Group
        label={words.copy.start}
        value={start ? 'start' : 'define'}
        onChange={(value) => onChange({ start: value === 'start' })}
      >
        <div className={classes['copyStart']}>
          <Radio value="start" label={words.copy.started} />
          <Radio value="define" label={words.copy.defined} />
        </div>
      </Radio.Group>
      <Text c="dimmed" size="sm" maw="80ch">
        {words.copy.consequence}
      </Text>
    </div>
  )
}
