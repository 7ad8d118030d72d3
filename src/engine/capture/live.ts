import { setTimeout as sleep } from 'node:timers/promises'
import { fail, isFailure } from '../../shared/failure.ts'
import { pauseMsOf } from '../../shared/model/pause.ts'
import type { BackupSpec } from '../../shared/model/job.ts'
import { abortJob, completedDowntimeMs, jobInfo, setMaxDowntime } from '../../libvirt/domain-jobs.ts'
import { resumeDomain } from '../../libvirt/domains.ts'
import { hashFile } from '../../store/copy-file.ts'
import type { Shell } from '../../shared/shell.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { GO_ON_STEP, memoryPath, type CapturePlan } from './capture-plan.ts'
import { ownersState } from '../evidence/owners-state.ts'
import type { VmBefore } from '../evidence/vm-before.ts'
import type { Captured } from './captured.ts'
import { commitOverlays } from './commit-overlays.ts'
import type { CopiedDisk } from './copy-disks.ts'
import { copyHeld, HOLD_STEP, lookAtOverlays, type HeldDisk } from './hold-disks.ts'
import { whileSeen, whileVmRuns } from './keep-running.ts'
import { lookAtMedia } from './media.ts'
import { justHeld } from './noted.ts'
import { requireCurrent } from './plan-backup.ts'
import { pauseVm } from './pause-vm.ts'
import { PauseController, type MemoryProgress } from './pause-controller.ts'
import { measurePauses } from './stand-still.ts'
import { prepareOverlays, switchToOverlays } from './take-snapshot.ts'
import { commitWithRoom, whileRoomLasts } from './watch-room.ts'
import { keepWriteBackShort } from './write-back.ts'

/**
 * RAM and disks at one instant while the VM runs: its RAM goes to a file, at the last, short pass the disks change over
 * to overlays, and the images below, which nobody writes to from then on, are copied.
 *
 * @throws `too-busy` if the guest rewrites its RAM too fast for the pause budget, and the job says not to pause longer.
 */
export async function captureLive(job: JobContext<BackupSpec>, plan: CapturePlan, before: VmBefore): Promise<Captured> {
  await requireCurrent(job.shell, plan)
  // A guest that rewrites its RAM makes the file grow pass by pass.
  const snapshot = await job.step('snapshot', {}, () =>
    whileRoomLasts(job, plan, (watched) => snapshotWithMemory(watched, plan))
  )
  const media = lookAtMedia(job, plan)
  const held = await lookAtOverlays(job, plan)
  const copied = await job.step(HOLD_STEP, { held }, () =>
    whileVmRuns(job, plan, () => copyDisksAndHash(job, plan, held))
  )
  // The overlays go as soon as the disks are copied; a large RAM image may be hashed for minutes more.
  const loose = await job.step('fold-back', {}, () =>
    whileSeen(job, plan, () =>
      commitWithRoom(job, plan, () => commitOverlays(job, plan, justHeld(before, copied.sampled)), copied.letGoOfMemory)
    )
  )
  const memory = await whileVmRuns(job, plan, () => copied.memory)
  return { ...snapshot, disks: copied.disks, memory: { path: 'memory.save', ...memory }, media, loose }
}

type FileHash = Awaited<ReturnType<typeof hashFile>>

interface CopiedAndHashed {
  readonly disks: CopiedDisk[]
  readonly sampled: readonly HeldDisk[]
  readonly memory: Promise<FileHash>
  /** Ends the reading of the RAM image, so that it can be removed. */
  readonly letGoOfMemory: () => Promise<void>
}

/** The RAM image is hashed beside the copying, and may be so for longer. */
async function copyDisksAndHash(
  job: JobContext<BackupSpec>,
  plan: CapturePlan,
  held: readonly HeldDisk[]
): Promise<CopiedAndHashed> {
  const given = new AbortController()
  const memory = hashFile(memoryPath(plan), { signal: AbortSignal.any([job.signal, given.signal]) })
  memory.catch(() => undefined) // where the copy fails first nobody waits for it
  const letGoOfMemory = async (): Promise<void> => {
    given.abort()
    await memory.catch(() => undefined)
  }
  try {
    return { ...(await copyHeld(job, plan, held)), memory, letGoOfMemory }
  } catch (error) {
    await letGoOfMemory()
    throw error
  }
}

async function snapshotWithMemory(
  job: JobContext<BackupSpec>,
  plan: CapturePlan
): Promise<Pick<Captured, 'qemuDowntimeMs'>> {
  try {
    const { result, pauses } = await measurePauses(job, 'memory', () => writeMemory(job, plan))
    if (pauses.length === 0) job.warn('QEMU reported no pause for this capture')
    if (result.end === 'converged') warnOverBudget(job, pauseMsOf(pauses))
    return result.downtimeMs === undefined ? {} : { qemuDowntimeMs: result.downtimeMs }
  } finally {
    await allowFormerPause(job.shell, plan)
  }
}

/** QEMU keeps to what it is allowed; what libvirt does around it may still take longer on a busy host, and so may others. */
function warnOverBudget(job: JobContext<BackupSpec>, pauseMs: number): void {
  const { budgetMs } = job.spec
  if (pauseMs > budgetMs)
    job.warn(
      `The VM stood still for ${Math.round(pauseMs)} ms, longer than its budget of ${budgetMs} ms: the host was busy, or somebody paused it`
    )
}

/** `left paused`: by somebody else. */
type End = 'converged' | 'suspended' | 'left paused'

/** The snapshot, while write-back is kept short and the pause under control. Answers what QEMU counted as downtime. */
async function writeMemory(
  job: JobContext<BackupSpec>,
  plan: CapturePlan
): Promise<{ end: End; downtimeMs: number | undefined }> {
  const ended = new AbortController()
  const given = new AbortController()
  const controller = new PauseController(job.spec.budgetMs)
  await allowPause(job, plan, controller.firstPauseMs)
  const writeBack = keepWriteBackShort(memoryPath(plan), ended.signal)
  const control = controlPause(job, plan, controller, ended.signal)
  control.catch((error: unknown) => (isTooBusy(error) ? undefined : giveUpBlind(job, plan, given)))
  const signal = AbortSignal.any([job.signal, given.signal])
  const snapshot = takeSnapshot({ ...job, signal }, plan).finally(() => ended.abort())
  const [taken, controlled] = await Promise.allSettled([snapshot, control, writeBack])
  if (controlled.status === 'rejected') throw controlled.reason
  if (taken.status === 'rejected') throw taken.reason
  if (controlled.value === 'suspended') await job.step(GO_ON_STEP, {}, () => resumeDomain(job.shell, plan.vm))
  // Good to know, and no reason to give up what is taken.
  const downtimeMs = await completedDowntimeMs(job.shell, plan.vm).catch(() => undefined)
  return { end: controlled.value, downtimeMs }
}

/**
 * Nobody sees to the pause and the room of the capture any more. Where libvirt cannot be told to end it either, at least
 * nobody waits for it: the undo comes back to it until it is gone.
 */
async function giveUpBlind({ shell }: JobContext, { vm }: CapturePlan, given: AbortController): Promise<void> {
  await abortJob(shell, vm).catch(() => undefined)
  given.abort()
}

/** What QEMU was allowed before: it would hold for the owner's next migration too. Safe to do again. */
export async function allowFormerPause(shell: Shell, plan: CapturePlan): Promise<void> {
  if (plan.maxDowntimeMs !== undefined) await setMaxDowntime(shell, plan.vm, plan.maxDowntimeMs)
}

const SNAPSHOT_WITHIN_MS = 6 * 3_600_000

async function takeSnapshot(job: JobContext<BackupSpec>, plan: CapturePlan): Promise<void> {
  await prepareOverlays(job, plan)
  return switchToOverlays(job.shell, job.id, plan, {
    memoryFile: memoryPath(plan),
    live: true,
    timeoutMs: SNAPSHOT_WITHIN_MS,
    signal: job.signal
  })
}

const LOOK_EVERY_MS = 100
/** libvirt may be busy or restarted for this many looks in a row. */
const BLIND_LOOKS = 20

/** Keeps the allowed pause small, raises it while the guest is too fast, and does what the job says at the budget's end. */
async function controlPause(
  job: JobContext<BackupSpec>,
  plan: CapturePlan,
  controller: PauseController,
  ended: AbortSignal
): Promise<End> {
  for await (const memory of memoryProgress(job, plan, ended)) {
    job.progress('saving RAM', memory.processedBytes, memory.processedBytes + memory.remainingBytes)
    const decision = controller.decide(memory)
    if (decision.kind === 'allow') await allowPause(job, plan, decision.pauseMs)
    if (decision.kind === 'too-busy') return giveUp(job, plan, decision.estimatedPauseMs)
  }
  return 'converged'
}

/** What QEMU reports of RAM, every tenth of a second until the snapshot has ended. @throws if it is not seen for too long */
async function* memoryProgress(
  job: JobContext,
  plan: CapturePlan,
  ended: AbortSignal
): AsyncGenerator<MemoryProgress & { processedBytes: number }> {
  const isOver = (): boolean => ended.aborted
  for (let blind = 0; !isOver();) {
    await sleep(LOOK_EVERY_MS, undefined, { signal: ended }).catch(() => undefined)
    if (isOver()) return
    try {
      const info = await jobInfo(job.shell, plan.vm)
      blind = 0
      if (info?.operation === 'snapshot' && !isOver()) yield info.memory
    } catch (error) {
      blind += 1
      if (blind === BLIND_LOOKS) throw error
    }
  }
}

async function allowPause(job: JobContext, plan: CapturePlan, pauseMs: number): Promise<void> {
  const taken = await setMaxDowntime(job.shell, plan.vm, pauseMs)
  job.note(taken ? `allowed QEMU a final pause of ${pauseMs} ms` : `QEMU did not take a final pause of ${pauseMs} ms`)
}

/** The guest rewrites RAM faster than it can be written within the budget. */
async function giveUp(job: JobContext<BackupSpec>, plan: CapturePlan, estimatedPauseMs: number): Promise<End> {
  const { budgetMs, onBusy } = job.spec
  const detail = `a final pause of about ${estimatedPauseMs} ms would be needed`
  if (onBusy === 'pause') {
    const end = await forcePause(job, plan)
    job.warn(`The VM rewrites its RAM too fast for ${budgetMs} ms: ${detail}; ${PAUSED[end]}`)
    return end
  }
  await abortJob(job.shell, plan.vm)
  return fail({ kind: 'too-busy', vm: plan.vmName, budgetMs, detail })
}

const PAUSED: Readonly<Record<End, string>> = {
  converged: 'it stood still already',
  suspended: 'it was paused for the rest, as the job says',
  'left paused': 'it was paused by somebody else just then'
}

/** What libvirt has for a pause that was asked for, before a snapshot and in it; for QEMU's own, at its last pass, it has none. */
const ASKED_FOR = ['user', 'creating snapshot']

/** A pause that is not ours is not ours to end either. */
async function forcePause(job: JobContext, plan: CapturePlan): Promise<End> {
  const stood = await job.step('force-pause', {}, () => pauseVm(job, plan, ownersState))
  if (stood === undefined) return 'suspended'
  return ASKED_FOR.includes(stood.reason) ? 'left paused' : 'converged'
}

export const isTooBusy = (error: unknown): boolean => isFailure(error, 'too-busy')
