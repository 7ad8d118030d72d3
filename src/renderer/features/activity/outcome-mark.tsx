import { outcomeWords } from '../../../shared/job-words.ts'
import { safeText } from '../../../shared/safe-text.ts'
import type { JobView } from '../../../shared/views/job-view.ts'
import { StateMark, type Tone } from '../../ui/state-mark.tsx'
import { outcomeOf, type Outcome } from './activity-view.ts'
import { words } from './words.ts'

const TONE: Readonly<Record<Outcome, Tone>> = {
  good: 'good',
  warned: 'attention',
  failed: 'danger',
  cancelled: 'unknown'
}

/** How a job ended: icon, word, and what it failed of. */
export function OutcomeMark({ job }: { readonly job: JobView }) {
  const outcome = outcomeOf(job)
  if (outcome === undefined) return undefined
  const label = outcome === 'failed' ? safeText(outcomeWords(job)) : words.outcome[outcome]
  return <StateMark tone={TONE[outcome]} label={label} hint={job.warnings.map(safeText).join('\n') || undefined} />
}
