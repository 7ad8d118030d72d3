import { setTimeout as sleep } from 'node:timers/promises'
import { domainState, resumeDomain, type StateAndReason } from '../../libvirt/domains.ts'
import { isHalted } from '../evidence/owners-state.ts'
import type { Kept } from '../evidence/verdict.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { journalPath } from '../jobs/job-directory.ts'
import { readJournal } from '../journal/journal.ts'
import { bringStateBack } from '../recover/bring-state-back.ts'
import { howItEnded } from '../recover/start-after-fault.ts'
import { BackupTrace } from '../recover/trace.ts'
import type { CapturePlan } from './capture-plan.ts'

/** What this job's journal says by now. */
export const traceOf = ({ id }: JobContext): BackupTrace => new BackupTrace(readJournal(journalPath(id)))

/** QEMU may have crashed, or met a full disk, while its images were copied. */
export async function runAgainAfterFault(job: JobContext, plan: CapturePlan): Promise<Kept | undefined> {
  const now = await domainState(job.shell, plan.vm)
  if (now?.state === 'running' || now?.state === 'idle') return undefined
  return bringStateBack(job, plan, traceOf(job))
}

const LOOK_EVERY_MS = 5000
/** One that falls again and again is looked after when the job is over. */
const MOST_STARTS = 3

/**
 * Does what takes hours and needs no running VM. One that a fault ends meanwhile runs again at once, on the overlays that
 * take its writes, and one that had no room for these goes on: the images below stand still all the same.
 */
export async function whileVmRuns<T>(job: JobContext, plan: CapturePlan, work: () => Promise<T>): Promise<T> {
  const over = new AbortController()
  const watch = lookAfter(job, plan, over.signal)
  try {
    return await work()
  } finally {
    over.abort()
    await watch
  }
}

async function lookAfter(job: JobContext, plan: CapturePlan, over: AbortSignal): Promise<void> {
  for (let starts = 0; !over.aborted && starts < MOST_STARTS;) {
    // What cannot be told now is asked again soon, and at the end of the job.
    const now = await domainState(job.shell, plan.vm).catch(() => undefined)
    if (now !== undefined && (await fellByFault(job, plan, now))) {
      starts += 1
      job.note(`${plan.vmName} was ended by a fault while its backup goes on: it is to run again`)
      await bringStateBack(job, plan, traceOf(job)).catch((error: unknown) => job.note(String(error)))
    } else if (isHalted(now) && plan.stateBefore === 'running')
      await resumeDomain(job.shell, plan.vm).catch((error: unknown) => job.note(String(error)))
    await sleep(LOOK_EVERY_MS, undefined, { signal: over }).catch(() => undefined)
  }
}

async function fellByFault(job: JobContext, plan: CapturePlan, now: StateAndReason): Promise<boolean> {
  if (now.state !== 'shut off' && now.state !== 'crashed') return false
  const { before, bootId } = traceOf(job)
  return (await howItEnded({ name: plan.vmName, before }, bootId, now)) === 'fault'
}
