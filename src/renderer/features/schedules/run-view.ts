import type { RunReport, RunState, RunVm } from '../../../shared/model/policy.ts'
import { runSeverity } from '../../../shared/run-words.ts'
import type { Tone } from '../../ui/state-mark.tsx'

const RUN_TONE: Readonly<Record<RunState, Tone>> = {
  running: 'busy',
  done: 'good',
  'done-with-warnings': 'attention',
  failed: 'danger',
  skipped: 'unknown'
}
const VM_TONE: Readonly<Record<RunVm['outcome'], Tone>> = {
  waiting: 'unknown',
  running: 'busy',
  done: 'good',
  'done-with-warnings': 'attention',
  failed: 'danger',
  skipped: 'attention',
  cancelled: 'unknown'
}

/** A run that did all it should may still have something to tell: what was missed, what was not pruned. */
export function runTone(run: RunReport): Tone {
  const tone = RUN_TONE[run.state]
  return tone === 'good' && runSeverity(run) !== 'ok' ? 'attention' : tone
}
export const vmTone = ({ outcome }: Pick<RunVm, 'outcome'>): Tone => VM_TONE[outcome]

/** From its start to its end, or until now. */
export const runMs = ({ startedAt, endedAt }: Pick<RunReport, 'startedAt' | 'endedAt'>, now: Date): number =>
  Math.max(0, Date.parse(endedAt ?? now.toISOString()) - Date.parse(startedAt))

/** Of this policy, newest first; also the newest one that only the policy's own state has told of yet. */
export function runsOf(
  runs: readonly RunReport[] | undefined,
  host: string,
  policy: string,
  last: RunReport | undefined
): readonly RunReport[] {
  const told = (runs ?? []).filter((run) => run.host === host && run.policy.id === policy)
  const others = told.filter(({ id }) => id !== last?.id)
  const all = last === undefined ? others : [newerOf(last, told), ...others]
  return all.sort((a, b) => b.startedAt.localeCompare(a.startedAt))
}

/** The one that has ended says more. */
function newerOf(last: RunReport, told: readonly RunReport[]): RunReport {
  const same = told.find(({ id }) => id === last.id)
  return same?.endedAt !== undefined ? same : last
}
