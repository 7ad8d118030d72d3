import { setTimeout as sleep } from 'node:timers/promises'
import { fail, isFailure } from '../../shared/failure.ts'
import type { BackupSpec, JournalEntry } from '../../shared/model/job.ts'
import type { Uuid } from '../../shared/model/ids.ts'
import type { Shell } from '../../shared/shell.ts'
import { freeze, freezeStatus, isFreezeRefused, thaw, type FreezeStatus } from '../../libvirt/agent.ts'
import { domainState } from '../../libvirt/domains.ts'
import { isOff } from '../evidence/owners-state.ts'
import { keep, type Kept } from '../evidence/verdict.ts'
import { hasBootedSince, historySince, LogPosition, logPosition } from '../evidence/vm-history.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { journalPath } from '../jobs/job-directory.ts'
import { readJournal } from '../journal/journal.ts'
import type { CapturePlan } from './capture-plan.ts'
import { armThawGuard, disarmThawGuard, thawSoon } from './thaw-guard.ts'

/** Announced when the guest, which said that it was thawed, is told to freeze; with how far the log of its VM had got. */
const FREEZE_STEP = 'freeze'
/** Done only when the guest was seen to be thawed, or the freeze was refused. */
const THAW_STEP = 'thaw'

type Vm = Pick<CapturePlan, 'vm' | 'vmName'>
type Step = Extract<JournalEntry, { type: 'step' }>

/**
 * Does `work` while the guest's file systems are frozen, where its agent can, and thaws them at once. Answers whether they
 * were frozen right before it and still right after it; if not, the work was done all the same, and it is said why.
 */
export async function whileFrozen(
  job: JobContext<BackupSpec>,
  plan: CapturePlan,
  work: () => Promise<void>
): Promise<boolean> {
  const end = plan.agent === 'answered' ? await freezeGuest(job, plan) : 'refused'
  const wasFrozen = end === 'frozen' && (await freezeStatus(job.shell, plan.vm)) === 'frozen'
  try {
    await work()
  } catch (error) {
    // The undo sees it through, after whatever else it has to wait for.
    if (end !== 'refused') await thawSoon(job.shell, job.id, plan.vm)
    throw error
  }
  if (end === 'refused') return false
  const stayedFrozen = (await thawGuest(job, plan)) === 'frozen' && wasFrozen
  if (end === 'frozen' && !stayedFrozen) job.warn(`The guest did not stay frozen until its disks were held; ${CRASH}`)
  return stayedFrozen
}

type FreezeEnd = 'frozen' | 'refused' | 'unknown'

/** An agent that refuses costs the file systems' consistency, not the point. What others have frozen is left as it is. */
async function freezeGuest(job: JobContext, { vm, vmName }: Vm): Promise<FreezeEnd> {
  const now = await freezeStatus(job.shell, vm)
  if (now !== 'thawed') {
    job.warn(now === 'frozen' ? FROZEN_BY_OTHERS : `The guest agent does not say whether anything is frozen: ${CRASH}`)
    return 'refused'
  }
  const log = await logPosition(vmName)
  const end = await job.step(FREEZE_STEP, { log }, () => tryFreeze(job, vm))
  if (end === 'refused') await job.step(THAW_STEP, {}, () => disarmThawGuard(job.shell, job.id))
  return end
}

const CRASH = 'the point is as after a power cut'
const FROZEN_BY_OTHERS =
  'The file systems of the guest were frozen already, and not by this job: they were left so, for whoever did it'

async function tryFreeze(job: JobContext, vm: Uuid): Promise<FreezeEnd> {
  let asked = false
  try {
    await armThawGuard(job.shell, job.id, vm)
    asked = true
    await freeze(job.shell, vm, { signal: job.signal })
    return 'frozen'
  } catch (error) {
    if (isFailure(error, 'cancelled')) throw error
    const why = error instanceof Error ? error.message : String(error)
    job.warn(`The guest agent did not freeze the file systems; ${CRASH}: ${why}`)
    return !asked || isFreezeRefused(error) ? 'refused' : 'unknown'
  }
}

/** How long a backup waits before it goes on with its copies and leaves the rest to the host. */
const THAWED_WITHIN_MS = 30_000

/** Answers what the guest said before it was thawed. */
async function thawGuest(job: JobContext, plan: Vm): Promise<FreezeStatus | undefined> {
  const now = await freezeStatus(job.shell, plan.vm)
  if (!(await thawedWithin(job, plan.vm, THAWED_WITHIN_MS, now))) {
    await thawSoon(job.shell, job.id, plan.vm)
    job.warn('The guest agent did not answer when the guest was to be thawed; the host goes on trying')
  }
  return now
}

/** Announced before and done only when the guest says that it is thawed. False: it did not say so in time. */
async function thawedWithin(job: JobContext, vm: Uuid, withinMs: number, now?: FreezeStatus): Promise<boolean> {
  try {
    await job.step(THAW_STEP, {}, async () => {
      if (!(await isThawedWithin(job.shell, vm, withinMs, now)))
        fail({ kind: 'timeout', what: 'thawing the guest', afterMs: withinMs })
      await disarmThawGuard(job.shell, job.id)
    })
    return true
  } catch (error) {
    if (isFailure(error, 'timeout')) return false
    throw error
  }
}

async function isThawedWithin(shell: Shell, vm: Uuid, withinMs: number, known?: FreezeStatus): Promise<boolean> {
  const began = performance.now()
  let now = known ?? (await freezeStatus(shell, vm))
  for (;;) {
    if (now === 'frozen') now = await thawAndLook(shell, vm)
    if (now === 'thawed') return true
    if (performance.now() - began > withinMs) return false
    await sleep(500)
    now = await freezeStatus(shell, vm)
  }
}

async function thawAndLook(shell: Shell, vm: Uuid): Promise<FreezeStatus | undefined> {
  try {
    await thaw(shell, vm)
  } catch (error) {
    if (!isFailure(error, 'command-failed', 'timeout')) throw error // what it came to is asked in any case
  }
  return freezeStatus(shell, vm)
}

/** Has the host thaw what this job may have frozen, while the undo goes on; `endFreeze` sees what came of it. */
export async function beginThaw({ shell, id }: JobContext, { vm }: Vm): Promise<void> {
  if (openFreeze(readJournal(journalPath(id))) !== undefined) await thawSoon(shell, id, vm)
}

const GIVEN_UP_AFTER_MS = 30_000

/**
 * Sees a freeze of this job through to its end: the guest says that it is thawed, or runs no more. Safe at any time, any
 * number of times, also for a job that froze nothing. Where the guest does not say so, the host goes on trying by itself.
 */
export async function endFreeze(job: JobContext, plan: Vm): Promise<Kept | undefined> {
  const { shell, id } = job
  const begun = openFreeze(readJournal(journalPath(id)))
  if (begun === undefined) return disarmed(shell, id)
  const state = await domainState(shell, plan.vm)
  const history = await historySince(plan.vmName, LogPosition.optional().catch(undefined).parse(begun.data?.['log']))
  // The freeze ended with the QEMU that was told to.
  if (hasBootedSince(history)) return disarmed(shell, id)
  if (state === undefined || isOff(state)) {
    if (history?.ended === 'migrated') return stillFrozen(plan, 'it migrated in that moment')
    return disarmed(shell, id)
  }
  if (await thawedWithin(job, plan.vm, state.state === 'running' ? GIVEN_UP_AFTER_MS : 0)) return undefined
  await thawSoon(shell, id, plan.vm)
  return stillFrozen(plan, state.state === 'running' ? 'its guest agent does not answer' : `it is ${state.state}`)
}

async function disarmed(shell: Shell, id: string): Promise<undefined> {
  await disarmThawGuard(shell, id)
}

/** That was announced, and the guest not seen to be thawed since. */
function openFreeze(entries: readonly JournalEntry[]): Step | undefined {
  const last = entries.findLast(
    (entry) =>
      (entry.type === 'step' && entry.step === FREEZE_STEP) || (entry.type === 'step-done' && entry.step === THAW_STEP)
  )
  return last?.type === 'step' ? last : undefined
}

function stillFrozen({ vm, vmName }: Vm, why: string): Kept {
  return keep(
    `the freeze of the file systems of ${vmName}`,
    `${why}, and this job had told it to freeze them. The host goes on trying to thaw them`,
    `virsh qemu-agent-command ${vm} '{"execute":"guest-fsfreeze-status"}'   # should say: thawed`,
    `virsh domfsthaw ${vm}`,
    `virsh reset ${vm}   # if its agent hangs for good: as pulling its plug`
  )
}
