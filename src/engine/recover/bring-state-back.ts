import { setTimeout as sleep } from 'node:timers/promises'
import { fail } from '../../shared/failure.ts'
import type { Uuid } from '../../shared/model/ids.ts'
import { quoted } from '../../shared/quoted.ts'
import type { Shell } from '../../shared/shell.ts'
import { domainState, resumeDomain, startDomain, type StateAndReason } from '../../libvirt/domains.ts'
import { restoreDomain } from '../../libvirt/save-image.ts'
import { GO_ON_STEP, memoryPath, type CapturePlan } from '../capture/capture-plan.ts'
import { isCommitted, restsOnNewerImage, type OverlayCase } from '../capture/commit-overlay.ts'
import { overlayCase } from '../capture/commit-overlays.ts'
import { notedIn } from '../capture/noted.ts'
import { unreadOnTop } from '../capture/overlay-disk.ts'
import { isHalted, isNobodysWill, isOff, ownersState } from '../evidence/owners-state.ts'
import { restsOn } from '../evidence/image-users.ts'
import { isGone, isThere } from '../evidence/presence.ts'
import { noteSeen } from '../evidence/seen.ts'
import { keep, type Kept } from '../evidence/verdict.ts'
import { historySince, isStillSaved } from '../evidence/vm-history.ts'
import { vmProcess } from '../evidence/vm-process.ts'
import { bootId } from '../host-facts.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { lookAtDisk } from '../vm.ts'
import { answers } from './answers.ts'
import { howItEnded } from './start-after-fault.ts'
import { LOAD_RAM_STEP, STARTED_STEP, UNDO_PAUSE_STEP, type BackupTrace } from './trace.ts'

/**
 * A VM that ran when the job began and that ended by a fault runs again; one that we paused goes on. What its owner, a
 * cluster or libvirt-guests did to it meanwhile stays as it is.
 */
export async function bringStateBack(
  job: JobContext,
  plan: CapturePlan,
  trace: BackupTrace
): Promise<Kept | undefined> {
  if (plan.stateBefore === 'shut off' || plan.stateBefore === 'crashed') return undefined
  const now = await domainState(job.shell, plan.vm)
  await heedOwner(job, plan, trace, now)
  if (now?.state === 'paused' && trace.stateBefore === 'running') await resumeIfOurs(job, plan, trace, now)
  else if (ownersState(now) === 'running' && (await mayStillPause(trace))) await letGoOn(job, plan)
  else if (now === undefined || isOff(now)) return startIfFault(job, plan, trace, now)
  return undefined
}

/**
 * Notes what was done to the VM meanwhile, where that is not what was noted last: a pause of ours that somebody has ended is
 * over, and any other state that it runs or is paused in is its owner's will.
 */
export async function heedOwner(
  job: JobContext,
  { vm }: CapturePlan,
  trace: BackupTrace,
  now: StateAndReason | undefined
): Promise<void> {
  if (!trace.wePaused) return noteSeen(job, vm, now, trace.stateBefore)
  if (ownersState(now) !== 'running' || (await mayStillPause(trace))) return
  await job.step(UNDO_PAUSE_STEP, {}, () => Promise.resolve())
}

/**
 * A client that is ended does not end what libvirtd does for it: a VM that runs may be about to be paused still, as by a QEMU
 * that waits for its storage. Only our own word to it to go on, which libvirt takes up behind that, is the end of such a pause.
 */
const mayStillPause = async (trace: BackupTrace): Promise<boolean> =>
  trace.pauseMayCome && trace.bootId === (await bootId())

/** Once a pause of ours has ended, any other is its owner's, however often recovery comes by. */
async function resumeIfOurs(
  job: JobContext,
  plan: CapturePlan,
  trace: BackupTrace,
  now: StateAndReason
): Promise<void> {
  const isOurs = trace.wePaused
  if (isHalted(now)) return endingPause(job, isOurs, () => resumeHalted(job, plan))
  if (isOurs) return letGoOn(job, plan)
  if (isNobodysWill(now)) return resumeDomain(job.shell, plan.vm)
  job.warn(`The VM is paused (${now.reason}), but not by this job: it was left so`)
}

const letGoOn = (job: JobContext, { vm }: CapturePlan): Promise<void> =>
  job.step(UNDO_PAUSE_STEP, {}, () => resumeDomain(job.shell, vm))

/** A pause of ours, if there is one, is over with what is done. */
const endingPause = (job: JobContext, isOurs: boolean, work: () => Promise<void>): Promise<void> =>
  isOurs ? job.step(UNDO_PAUSE_STEP, {}, work) : work()

/** Once, of a VM that ran before, whatever comes of it: it may find room now. */
export async function tryHalted(
  job: JobContext,
  { vm }: CapturePlan,
  trace: BackupTrace,
  now: StateAndReason | undefined
): Promise<boolean> {
  if (!isHalted(now) || trace.stateBefore !== 'running') return false
  await endingPause(job, trace.wePaused, () => resumeDomain(job.shell, vm))
  return true
}

/** One that goes on without room stops again at once. */
const LOOKS_MS = [250, 500, 1000]

/** @throws `vm-state` where it stops again and again */
async function resumeHalted(job: JobContext, { vm, vmName }: CapturePlan): Promise<void> {
  for (const lookAfter of LOOKS_MS) {
    await resumeDomain(job.shell, vm)
    await sleep(lookAfter)
    if (!isHalted(await domainState(job.shell, vm))) return
  }
  fail({
    kind: 'vm-state',
    vm: vmName,
    state: 'paused (I/O error)',
    wanted: 'able to write to its disks; most likely these have no room'
  })
}

/** Before a job goes on in another way: the VM that it paused for the first one runs meanwhile. */
export async function endOurPause(job: JobContext, vm: Uuid, trace: BackupTrace): Promise<void> {
  if (!trace.wePaused) return
  await job.step(GO_ON_STEP, {}, async () => {
    if ((await domainState(job.shell, vm))?.state === 'paused') await resumeDomain(job.shell, vm)
  })
}

async function startIfFault(
  job: JobContext,
  plan: CapturePlan,
  trace: BackupTrace,
  now: StateAndReason | undefined
): Promise<Kept | undefined> {
  if (plan.method === 'classic' && (await ramIsNewest(job.shell, plan, trace))) {
    await restoreRam(job, plan, trace)
    return undefined
  }
  const ended = await howItEnded({ name: plan.vmName, before: trace.before }, trace.bootId, now)
  if (now === undefined)
    job.warn(`The VM is not known to this host any more (${ended ?? 'no word of its end'}): it was left so`)
  else if (ended !== 'fault') job.warn(`The VM is ${now.state} (${ended ?? now.reason}): it was left so`)
  else {
    const lacking = await whatItWouldLack(job, plan, trace)
    if (lacking !== undefined) return lacking
    const paused = trace.stateBefore === 'paused'
    await startAnew(job, plan, trace, paused)
    await noteStarted(job, plan.vm, trace)
    job.warn(`The VM was found ${now.state} and was started again${paused ? ', paused as it was' : ''}`)
  }
  return undefined
}

/** What we had paused is over with its QEMU. */
async function startAnew(job: JobContext, { vm }: CapturePlan, trace: BackupTrace, paused: boolean): Promise<void> {
  const start = (): Promise<void> => startDomain(job.shell, vm, { paused })
  await endingPause(job, trace.wePaused, start)
}

/** Whoever commits its overlays need not compare them with their images again, whose server may have no place for that. */
async function noteStarted(job: JobContext, vm: Uuid, trace: BackupTrace): Promise<void> {
  const boot = await bootId()
  if (trace.bootId === boot) return // nobody compares then
  const process = await vmProcess(vm)
  if (process !== undefined) await job.step(STARTED_STEP, { process, bootId: boot }, () => Promise.resolve())
}

/**
 * An overlay that is not committed, and that the VM would start without, or on an image that moved on below it: then its disk
 * would be of two minds.
 */
async function whatItWouldLack(job: JobContext, plan: CapturePlan, trace: BackupTrace): Promise<Kept | undefined> {
  if (plan.method === 'classic') return undefined
  const noted = await notedIn(trace)
  for (const disk of [...plan.disks, ...noted.extras]) {
    const lacking = await whatDiskWouldLack(overlayCase(job, plan, disk, noted))
    if (lacking !== undefined) return lacking
  }
  return undefined
}

async function whatDiskWouldLack(work: OverlayCase): Promise<Kept | undefined> {
  const { owner, disk } = work
  const { target, sidecar, mountPoint } = disk
  const now = await lookAtDisk(work.shell, owner.vm, target)
  if (now.defined === undefined || (await isGone(sidecar, owner.vmName, mountPoint))) return undefined
  if (await restsOn(now.defined, sidecar))
    return (await restsOnNewerImage(work))
      ? keep(
          sidecar,
          `${owner.vmName} was not started: the image below is not as it was when this overlay began, or may have been written to last`
        )
      : undefined
  await requireRead(work, now.defined)
  if ((await isCommitted(work, now)).kind === 'remove') return undefined
  return keep(
    sidecar,
    `${owner.vmName} was not started: it would run without what it wrote last to ${target}, which is in here`,
    `# when that is not needed: virsh start ${quoted(owner.vmName)}`
  )
}

/**
 * What may rest on the overlay, and cannot be read yet, keeps its VM from starting anyway: so here recovery is to come back
 * for it. Whoever commits the overlay only keeps it, and says why, since backups of a VM that runs would wait for that.
 *
 * @throws `left-behind` or `io`
 */
async function requireRead({ owner, disk }: OverlayCase, image: string | undefined): Promise<void> {
  const path = await unreadOnTop(owner, disk, image)
  if (path === undefined || (await isGone(path, owner.vmName))) return
  fail({ kind: 'io', path, code: 'READ', detail: `${owner.vmName} needs it, and it cannot be read` })
}

/**
 * True while the RAM file of the classic method is newer than anything the VM has done since: it was saved by us, and no
 * QEMU has run the guest again. Restored later, it would not fit its disks.
 *
 * @throws `io` if it is, and is not there: its store may not be mounted yet, or its server be away
 */
async function ramIsNewest(shell: Shell, plan: CapturePlan, trace: BackupTrace): Promise<boolean> {
  if (!trace.announced('save') || !(await isNewestOnceSaved(plan, trace))) return false
  await answers(shell, plan.pointDir)
  if (await isThere(memoryPath(plan))) return true
  return fail({ kind: 'io', path: memoryPath(plan), code: 'ENOENT', detail: 'it is all that there is of the RAM' })
}

async function isNewestOnceSaved(plan: CapturePlan, trace: BackupTrace): Promise<boolean> {
  const history = await historySince(plan.vmName, trace.beforeSave.log)
  if (history === undefined) return trace.done('save') && !trace.announced('restore') && !trace.announced('undo.state')
  return isStillSaved(history)
}

/** What keeps RAM from being loaded may pass: a network that is not up yet, libvirtd that is just starting. */
const TRIES = 4

/** @throws why it could not be loaded, until that was tried often enough */
async function restoreRam(job: JobContext, plan: CapturePlan, trace: BackupTrace): Promise<void> {
  const state = trace.stateBefore === 'paused' ? 'paused' : 'running'
  try {
    const attempt = trace.times(LOAD_RAM_STEP) + 1
    await job.step(LOAD_RAM_STEP, { attempt }, () => restoreDomain(job.shell, memoryPath(plan), { state }))
  } catch (error) {
    if (!plan.persistent || trace.times(LOAD_RAM_STEP) + 1 < TRIES) throw error
    await startAnew(job, plan, trace, state === 'paused')
    job.warn(`The VM's RAM could not be restored (${String(error)}); it was booted instead`)
  }
}
