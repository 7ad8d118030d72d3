import { describeFailure } from '../../../shared/failure-words.ts'
import { formatPause } from '../../../shared/format.ts'
import { safeText, shorten } from '../../../shared/safe-text.ts'
import type { JobLive, JobView } from '../../../shared/views/job-view.ts'
import { ProgressStrip } from '../../ui/progress-strip.tsx'
import { StateMark, type Tone } from '../../ui/state-mark.tsx'
import type { Liveness } from './activity-view.ts'
import classes from './activity.module.css'
import { words } from './words.ts'

const TONE: Readonly<Record<Liveness['is'], Tone>> = {
  queued: 'busy',
  going: 'busy',
  cancelling: 'busy',
  recovering: 'attention',
  stalled: 'attention',
  lost: 'attention'
}

export const LivenessMark = ({ liveness }: { readonly liveness: Liveness }) => (
  <StateMark tone={TONE[liveness.is]} label={words.state[liveness.is]} />
)

interface JobLivenessProps {
  readonly job: JobView
  readonly live: JobLive | undefined
  readonly liveness: Liveness
  readonly forMs: number
  /** Nothing is read aloud. */
  readonly quiet: boolean
}

/** How far a running job is, whether it still gives signs of life, and what that means for the VM. */
export function JobLiveness({ job, live, liveness, forMs, quiet }: JobLivenessProps) {
  const stoodStillMs = (live?.pauses ?? []).reduce((sum, { ms }) => sum + ms, 0)
  return (
    <div className={classes['liveness']}>
      <ProgressStrip
        progress={live?.progress}
        label={words.ofVm(job.kind, shorten(safeText(job.vm.name), 60))}
        quiet={quiet}
      />
      <div className={classes['signs']}>
        <span>{meaning(job, liveness)}</span>
        {stoodStillMs > 0 && (
          <span className={classes['stoodStill']}>
            {words.job.stoodStill} {formatPause(stoodStillMs)}
          </span>
        )}
        <span className={classes['lastSign']}>
          {words.since(forMs)}
          {liveness.quietMs !== undefined && liveness.is !== 'stalled' && ` · ${words.lastSign(liveness.quietMs)}`}
        </span>
      </div>
    </div>
  )
}

function meaning({ kind, host }: JobView, { is, quietMs, failure }: Liveness): string {
  if (is === 'lost') return words.lost(kind, safeText(host), failure && safeText(describeFailure(failure).title))
  if (is === 'stalled') return words.stalled(kind, safeText(host), quietMs)
  return words.meanwhile[kind]
}
