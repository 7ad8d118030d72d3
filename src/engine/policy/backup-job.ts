import { randomBytes } from 'node:crypto'
import { describeFailure } from '../../shared/failure-words.ts'
import { newTimeSortedId } from '../../shared/model/ids.ts'
import type { BackupSpec, JobReport } from '../../shared/model/job.ts'
import type { RunVm } from '../../shared/model/policy.ts'
import { journalPath } from '../jobs/job-directory.ts'
import { endOfJob } from '../jobs/follow.ts'
import { submitJob } from '../jobs/submit.ts'
import { readJournal } from '../journal/journal.ts'
import { removedBy } from '../retention/make-room.ts'
import type { Fitted } from './fit-to-vm.ts'
import { noteVm, type RunContext } from './run-context.ts'
import type { Outcome } from './with-hooks.ts'

type Vm = RunVm['vm']

/** An ordinary job, which would go on without us. Its id is in our journal before the job is. */
export async function backUp(run: RunContext, vm: Vm, fitted: Fitted): Promise<Outcome> {
  const job = newTimeSortedId(new Date(), randomBytes)
  noteVm(run, { vm, outcome: 'running', job, ...(fitted.reason !== undefined && { reason: fitted.reason }) })
  await submitJob(run.shell, job, specFor(run, vm, fitted), undefined)
  const report = await endOfJob(run.shell, job)
  noteRemovals(run, job)
  return outcomeOf(report, fitted.reason)
}

/** What the job removed to have room stands in its own journal; here for the run's report. */
export function noteRemovals({ journal }: Pick<RunContext, 'journal'>, job: string): void {
  for (const { bytes, ...removed } of removedBy(readJournal(journalPath(job))))
    journal.append({ type: 'prune', action: 'remove', ...removed, done: true, forRoomBytes: bytes })
}

function specFor({ id, policy }: RunContext, vm: Vm, { method, excludeDisks }: Fitted): BackupSpec {
  return {
    kind: 'backup',
    vm: vm.uuid,
    vmName: vm.name,
    hostName: policy.hostName,
    store: policy.store,
    budgetMs: policy.budgetMs,
    onBusy: policy.onBusy,
    ...(method && { method }),
    ...(excludeDisks && { excludeDisks }),
    ...(policy.media === true && { media: true }),
    policy: { id: policy.id, name: policy.name },
    run: id
  }
}

/** `remark`: what the run itself has to say of this VM. */
export function outcomeOf(job: JobReport, remark?: string): Outcome {
  const { state, failure, point, method, sizeBytes, pauseMs, startedAt, endedAt } = job
  const reasons = [remark, failure && describeFailure(failure).title, ...job.warnings].filter(
    (text) => text !== undefined
  )
  return {
    outcome: state === 'done' || state === 'done-with-warnings' || state === 'cancelled' ? state : 'failed',
    ...(reasons.length > 0 && { reason: reasons.join('; ') }),
    ...(failure && { failure }),
    job: job.id,
    ...(point !== undefined && state.startsWith('done') && { point }),
    ...(method && { method }),
    ...(sizeBytes !== undefined && { sizeBytes }),
    pauseMs,
    ...(endedAt !== undefined && { durationMs: Math.max(0, Date.parse(endedAt) - Date.parse(startedAt)) })
  }
}
