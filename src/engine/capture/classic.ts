import { chown } from 'node:fs/promises'
import { fail } from '../../shared/failure.ts'
import type { BackupSpec } from '../../shared/model/job.ts'
import type { Shell } from '../../shared/shell.ts'
import { blockCopy, blockJobAbort, blockJobReady } from '../../libvirt/block-jobs.ts'
import { parseDomain } from '../../libvirt/domain-xml.ts'
import { domainState, domainXml, type StateAndReason } from '../../libvirt/domains.ts'
import { restoreDomain, saveDomain } from '../../libvirt/save-image.ts'
import { hashFile } from '../../store/copy-file.ts'
import { keepToRoot, makeFoldersIn } from '../../store/durable.ts'
import { stateToKeep } from '../evidence/owners-state.ts'
import { removeIfProven, renameIfProven, shown, type Doomed } from '../evidence/removal.ts'
import { noteVm } from '../evidence/vm-before.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { lookAtDisk } from '../vm.ts'
import { giveOverlays } from './overlay-owner.ts'
import { diskFile, memoryPath, SAVE_STEP, type CaptureDisk, type CapturePlan } from './capture-plan.ts'
import type { Captured } from './captured.ts'
import { copyDisks, copyStill, pointDiskOf, type CopiedDisk } from './copy-disks.ts'
import { whileVmRuns } from './keep-running.ts'
import { lookAtMedia } from './media.ts'
import { pauseVm } from './pause-vm.ts'
import { requireCurrent } from './plan-backup.ts'
import { measurePauses } from './stand-still.ts'
import { whileRoomLasts } from './watch-room.ts'

/**
 * The seed's method: mirror the disks, suspend, end the mirrors, save the RAM, restore. The VM stands still for writing
 * and reading all of its RAM and for a restart of QEMU.
 */
export async function captureClassic(job: JobContext<BackupSpec>, plan: CapturePlan): Promise<Captured> {
  await requireCurrent(job.shell, plan)
  await job.step('mirror', {}, () => whileRoomLasts(job, plan, (watched) => mirrorAll(watched, plan)))
  await measurePauses(job, 'suspend+save+restore', () => saveAndRestore(job, plan))
  const media = lookAtMedia(job, plan)
  return job.step('copy', {}, () =>
    whileVmRuns(job, plan, () =>
      whileRoomLasts(job, plan, async (watched) => ({
        disks: await takeMirrors(watched, plan),
        memory: { path: 'memory.save', ...(await hashFile(memoryPath(plan), { signal: watched.signal })) },
        media
      }))
    )
  )
}

async function saveAndRestore(job: JobContext<BackupSpec>, plan: CapturePlan): Promise<void> {
  const { shell } = job
  // Mirroring took a while: what its owner wants of the VM is what it does now.
  const stateBefore: 'running' | 'paused' = isToStayPaused(await domainState(shell, plan.vm)) ? 'paused' : 'running'
  const state = await job.step('suspend', { stateBefore }, () =>
    stateBefore === 'running' ? suspend(job, plan) : Promise.resolve(stateBefore)
  )
  await job.step('end-mirror', {}, () => endMirrors(job, plan))
  if (!(await isPaused(shell, plan)))
    fail({ kind: 'foreign-work', vm: plan.vmName, detail: 'somebody let it go on before its RAM was saved' })
  const before = await noteVm(plan.vm, plan.vmName)
  await job.step(SAVE_STEP, { before }, () =>
    whileRoomLasts(job, plan, ({ signal }) => saveDomain(shell, plan.vm, memoryPath(plan), { signal }))
  )
  // Not cancellable from here on: the VM is only in the file.
  await job.step('restore', {}, () => restoreDomain(shell, memoryPath(plan), { state }))
}

/** Answers how its owner has it: he may have paused it himself just now. */
const suspend = async (job: JobContext, plan: CapturePlan): Promise<'running' | 'paused'> =>
  isToStayPaused(await pauseVm(job, plan, stateToKeep)) ? 'paused' : 'running'

const isToStayPaused = (now: StateAndReason | undefined): boolean => now !== undefined && stateToKeep(now) === 'paused'

const isPaused = async (shell: Shell, { vm }: CapturePlan): Promise<boolean> =>
  (await domainState(shell, vm))?.state === 'paused'

/** Each mirror is a copy from here on. @throws `foreign-work` if others have had their hands in it */
export async function endMirrors(job: Pick<JobContext, 'shell'>, plan: CapturePlan): Promise<void> {
  await requireOwnMirrors(job, plan)
  for (const { target } of plan.disks) await blockJobAbort(job.shell, plan.vm, target)
  await requireOwnImages(job, plan)
}

/** What somebody else has begun on a disk since is neither a copy of ours nor ours to abort. */
async function requireOwnMirrors({ shell }: Pick<JobContext, 'shell'>, plan: CapturePlan): Promise<void> {
  const { disks } = parseDomain(await domainXml(shell, plan.vm))
  for (const { target, sidecar } of plan.disks) {
    const mirrorTo = disks.find((disk) => disk.target === target)?.mirrorTo
    if (mirrorTo !== sidecar) endedByItself(plan, target)
  }
}

/** Somebody else may have let the VM go over to a mirror: then that is its disk now, and no copy. */
async function requireOwnImages(job: Pick<JobContext, 'shell'>, plan: CapturePlan): Promise<void> {
  for (const { target, source } of plan.disks) {
    const { live } = await lookAtDisk(job.shell, plan.vm, target)
    if (live === source) continue
    const detail = `${target} is on ${live ?? 'no image'} now, and was on ${source}: somebody ended its mirror`
    fail({ kind: 'foreign-work', vm: plan.vmName, detail })
  }
}

async function mirrorAll(job: JobContext<BackupSpec>, plan: CapturePlan): Promise<void> {
  await giveOverlays(job, plan.disks)
  for (const { target, sidecar } of plan.disks)
    await blockCopy(job.shell, plan.vm, target, { destination: sidecar, format: 'qcow2' })
  for (const disk of plan.disks) await mirrored(job, plan, disk)
}

async function mirrored(job: JobContext<BackupSpec>, plan: CapturePlan, { target }: CaptureDisk): Promise<void> {
  const end = await blockJobReady(job.shell, plan.vm, target, 'copy', {
    onProgress: ({ doneBytes, totalBytes }) => job.progress(`mirroring ${target}`, doneBytes, totalBytes),
    signal: job.signal
  })
  if (end === 'gone') endedByItself(plan, target)
}

const endedByItself = ({ vmName }: CapturePlan, target: string): never =>
  fail({ kind: 'foreign-work', vm: vmName, detail: `the mirror of ${target} ended by itself` })

/** A mirror beside the image moves into the point; from another file system it is copied. */
async function takeMirrors(job: JobContext<BackupSpec>, plan: CapturePlan): Promise<CopiedDisk[]> {
  await makeFoldersIn(plan.pointDir, 'disks')
  const taken: CopiedDisk[] = []
  for (const disk of plan.disks) taken.push((await moveMirror(job, plan, disk)) ?? (await copyMirror(job, plan, disk)))
  for (const disk of plan.still) taken.push(await copyStill(job, plan, disk))
  return taken
}

async function moveMirror(
  job: JobContext<BackupSpec>,
  plan: CapturePlan,
  disk: CaptureDisk
): Promise<CopiedDisk | undefined> {
  const path = diskFile(disk)
  const target = `${plan.pointDir}/${path}`
  try {
    const verdict = await renameIfProven(job.shell, mirrorOf(disk), target)
    if (verdict.kind === 'keep')
      fail({ kind: 'foreign-work', vm: plan.vmName, detail: `${disk.sidecar}: ${verdict.because}` })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EXDEV') return undefined
    throw error
  }
  await chown(target, 0, 0)
  await keepToRoot(target)
  const hash = await hashFile(target, {
    signal: job.signal,
    onProgress: (done, total) => job.progress(`hashing ${disk.target}`, done, total)
  })
  return { file: { path, ...hash }, disk: pointDiskOf(disk, disk.virtualSizeBytes) }
}

/** A mirror that no VM names and nobody has open is a copy: its VM has its own image still. */
export const mirrorOf = ({ sidecar }: CaptureDisk): Doomed => ({
  path: sidecar,
  format: 'qcow2',
  made: shown("the job's plan names it, and its name the job"),
  content: shown('it is a mirror that its VM never went over to')
})

async function copyMirror(job: JobContext<BackupSpec>, plan: CapturePlan, disk: CaptureDisk): Promise<CopiedDisk> {
  const [copied] = await copyDisks(job, { ...plan, disks: [disk], still: [] }, ({ sidecar }) => ({
    path: sidecar,
    format: 'qcow2'
  }))
  const verdict = await removeIfProven(job.shell, mirrorOf(disk))
  if (verdict.kind === 'keep')
    fail({ kind: 'foreign-work', vm: plan.vmName, detail: `${disk.sidecar}: ${verdict.because}` })
  return copied ?? fail({ kind: 'not-found', what: 'disk', name: disk.target })
}
