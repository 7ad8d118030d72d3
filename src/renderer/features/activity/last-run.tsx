import { Anchor, Text } from '@mantine/core'
import { runHeadline, runSeverity } from '../../../shared/run-words.ts'
import { safeText } from '../../../shared/safe-text.ts'
import { useWindow } from '../../state/store-context.ts'
import { Ago } from '../../ui/ago.tsx'
import { StateMark, type Tone } from '../../ui/state-mark.tsx'
import type { JobPolicy } from './activity-view.ts'
import classes from './activity.module.css'
import { words } from './words.ts'

const TONES: Readonly<Record<ReturnType<typeof runSeverity>, Tone>> = {
  ok: 'good',
  warning: 'attention',
  failure: 'danger'
}

/** How the schedule that one looks at did last, and the way to it. */
export function LastRun({ policy }: { readonly policy: JobPolicy | undefined }) {
  const go = useWindow((state) => state.go)
  const run = useWindow((state) =>
    state.runs?.find((each) => each.policy.id === policy?.id && each.host === policy.host)
  )
  if (policy === undefined) return undefined
  const link = { screen: 'schedules', host: policy.host, policy: policy.id } as const
  return (
    <Text component="div" size="sm" className={classes['lastRun']}>
      {run !== undefined && (
        <>
          <span>
            {words.lastRun} <Ago at={run.startedAt} />:
          </span>
          <StateMark
            tone={run.state === 'running' ? 'busy' : TONES[runSeverity(run)]}
            label={safeText(runHeadline(run))}
          />
        </>
      )}
      <Anchor component="button" type="button" size="sm" onClick={() => go(link)}>
        {words.openSchedule}
      </Anchor>
    </Text>
  )
}
