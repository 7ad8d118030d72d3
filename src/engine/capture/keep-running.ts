import { setTimeout as sleep } from 'node:timers/promises'
import { domainState, type StateAndReason } from '../../libvirt/domains.ts'
import { quoted } from '../../shared/quoted.ts'
import { isHalted, isOff } from '../evidence/owners-state.ts'
import type { Kept } from '../evidence/verdict.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { journalPath } from '../jobs/job-directory.ts'
import { readJournal } from '../journal/journal.ts'
import { bringStateBack, heedOwner, tryHalted } from '../recover/bring-state-back.ts'
import { howItEnded } from '../recover/start-after-fault.ts'
import { BackupTrace } from '../recover/trace.ts'
import type { CapturePlan } from './capture-plan.ts'

/** What this job's journal says by now. */
export const traceOf = ({ id }: JobContext): BackupTrace => new BackupTrace(readJournal(journalPath(id)))

/**
 * QEMU may have crashed, or met a full disk, while its images were copied. A point is whole all the same where its VM has
 * no room to go on.
 */
export async function runAgainAfterFault(job: JobContext, plan: CapturePlan): Promise<Kept | undefined> {
  try {
    return await bringStateBack(job, plan, traceOf(job))
  } catch (error) {
    if (!isHalted(await domainState(job.shell, plan.vm))) throw error
    job.warn(
      `The VM is paused (I/O error): its disks cannot be written to, most likely for want of room. When they can be: virsh resume ${quoted(plan.vmName)}`
    )
    return undefined
  }
}

const LOOK_EVERY_MS = 5000
/** One that cannot be started yet is tried ever more seldom, down to once in so many looks, for as long as the work goes on. */
const MOST_SELDOM = 12
/** One that falls again and again is started when the job is over. */
const MOST_STARTS = 3

interface Watch {
  readonly lookEveryMs?: number
  readonly mostStarts?: number
}

/**
 * Does what takes hours and needs no running VM. One that a fault ends meanwhile runs again at once, on the overlays that
 * take its writes, and one that had no room for these goes on: the images below stand still all the same.
 */
export async function whileVmRuns<T>(
  job: JobContext,
  plan: CapturePlan,
  work: () => Promise<T>,
  { lookEveryMs = LOOK_EVERY_MS, mostStarts = MOST_STARTS }: Watch = {}
): Promise<T> {
  const over = new AbortController()
  const watch = lookAfter(job, plan, over.signal, { lookEveryMs, mostStarts })
  try {
    return await work()
  } finally {
    over.abort()
    await watch
  }
}

/** As {@link whileVmRuns}, for what a VM that is off has to wait for: its owner is heard, and it is started behind that. */
export const whileSeen: typeof whileVmRuns = (job, plan, work, watch) =>
  whileVmRuns(job, plan, work, { ...watch, mostStarts: 0 })

/** Never fails: what is done meanwhile is worth more than a note, and the end of the job looks once more. */
async function lookAfter(
  job: JobContext,
  plan: CapturePlan,
  over: AbortSignal,
  { lookEveryMs, mostStarts }: Required<Watch>
): Promise<void> {
  const say = newsOnly(job)
  const look = async (mayStart: boolean): Promise<Found> => {
    const now = await domainState(job.shell, plan.vm)
    await heedOwner(job, plan, traceOf(job), now)
    await tryHalted(job, plan, traceOf(job), now)
    return mayStart ? keepRunning(job, plan, now, say) : 'well'
  }
  let failed = 0
  for (let starts = 0; !over.aborted;) {
    const found = await look(starts < mostStarts).catch((error: unknown): Found => {
      say(String(error))
      return 'down'
    })
    failed = found === 'down' ? failed + 1 : 0
    if (found === 'started') starts += 1
    await sleep(lookEveryMs * Math.min(2 ** failed, MOST_SELDOM), undefined, { signal: over }).catch(() => undefined)
  }
}

/** `started`: it had fallen and was seen to run again. `down`: it could not be told, or not be started. */
type Found = 'well' | 'started' | 'down'

async function keepRunning(
  job: JobContext,
  plan: CapturePlan,
  now: StateAndReason | undefined,
  say: (text: string) => void
): Promise<Found> {
  if (now === undefined || !(await fellByFault(job, plan, now))) return 'well'
  say(`${plan.vmName} was ended by a fault while its backup goes on: it is to run again`)
  const kept = await bringStateBack(job, plan, traceOf(job))
  if (kept !== undefined) say(`${kept.path}: ${kept.because}`)
  const then = await domainState(job.shell, plan.vm)
  return then === undefined || isOff(then) ? 'down' : 'started'
}

/** Notes each thing once, and goes on where nothing can be noted any more. */
function newsOnly(job: JobContext): (text: string) => void {
  const said = new Set<string>()
  return (text) => {
    if (said.has(text)) return
    said.add(text)
    try {
      job.note(text)
    } catch {
      // The file system of the journal is full, or broken: the job's next step says so.
    }
  }
}

async function fellByFault(job: JobContext, plan: CapturePlan, now: StateAndReason): Promise<boolean> {
  if (!isOff(now)) return false
  const { before, bootId } = traceOf(job)
  return (await howItEnded({ name: plan.vmName, before }, bootId, now)) === 'fault'
}
