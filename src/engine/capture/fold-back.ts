import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { fail, isFailure } from '../../shared/failure.ts'
import type { Shell } from '../../shared/shell.ts'
import { blockCommitActive, blockJobAbort, blockJobInfo } from '../../libvirt/block-jobs.ts'
import { resumeDomain, suspendDomain } from '../../libvirt/domains.ts'
import { checkImage, commitOverlay } from '../../libvirt/qemu-img.ts'
import { definedDiskSource, liveDiskSource, pathsInUse, redefineDisk } from '../vm.ts'
import type { JobContext } from '../jobs/job-context.ts'
import type { CaptureDisk, CapturePlan } from './capture-plan.ts'

/** A VM, and its definition as it was when its disks were its own. */
export type Owner = Pick<CapturePlan, 'vm' | 'definition'>

/** Reports how much of an overlay has gone back into its image. */
export type OnFold = (target: string, doneBytes: number, totalBytes: number) => void

export async function foldBackAll(job: JobContext, plan: CapturePlan): Promise<void> {
  for (const disk of plan.disks)
    await foldBack(job.shell, plan, disk, (target, done, total) => job.progress(`folding back ${target}`, done, total))
}

/**
 * Makes a disk's image the one that its VM writes to again, with all that the overlay took meanwhile, and removes the
 * overlay. Looks at what is there and goes on from it: safe at any moment, any number of times, VM running or not.
 */
export async function foldBack(
  shell: Shell,
  { vm, definition }: Owner,
  disk: CaptureDisk,
  onFold?: OnFold
): Promise<void> {
  const live = await liveDiskSource(shell, vm, disk.target)
  if (live === disk.sidecar) await commitLive(shell, vm, disk, onFold)
  const defined = await definedDiskSource(shell, vm, disk.target)
  if (defined === disk.sidecar) {
    if (live === undefined) await commitAtRest(shell, disk)
    await redefineDisk(shell, vm, disk.target, definition)
  }
  await removeUnlessInUse(shell, vm, disk.sidecar)
}

/** The overlay is what a running QEMU writes to: commit it into the image below, then pivot. */
async function commitLive(shell: Shell, vm: string, disk: CaptureDisk, onFold?: OnFold): Promise<void> {
  const running = await blockJobInfo(shell, vm, disk.target)
  if (running !== undefined && running.kind !== 'active-commit') await blockJobAbort(shell, vm, disk.target)
  if (running?.kind !== 'active-commit') await beginCommit(shell, vm, disk.target)
  await pivotWhenReady(shell, vm, disk.target, onFold)
}

/**
 * A VM whose owner paused it while its RAM was captured has its images closed, and QEMU opens them only for a VM that
 * runs. It runs for a moment, then: better than an overlay that stays.
 */
async function beginCommit(shell: Shell, vm: string, target: string): Promise<void> {
  try {
    await blockCommitActive(shell, vm, target)
  } catch (error) {
    if (!isFailure(error, 'command-failed') || !/read-only/.test(error.failure.stderr)) throw error
    await resumeDomain(shell, vm)
    await suspendDomain(shell, vm)
    await blockCommitActive(shell, vm, target)
  }
}

async function pivotWhenReady(shell: Shell, vm: string, target: string, onFold?: OnFold): Promise<void> {
  for (;;) {
    const job = await blockJobInfo(shell, vm, target)
    if (job === undefined) return
    onFold?.(target, job.doneBytes, job.totalBytes)
    if (job.ready) return blockJobAbort(shell, vm, target, { pivot: true })
    await sleep(25)
  }
}

/** No QEMU has the overlay open: it fell with the VM. Nothing is thrown away that the guest has written. */
async function commitAtRest(shell: Shell, disk: CaptureDisk): Promise<void> {
  const check = await checkImage(shell, disk.sidecar, 'qcow2')
  if (check.corruptions > 0)
    fail({
      kind: 'bad-output',
      what: disk.sidecar,
      detail: `overlay is damaged: ${check.corruptions} corruptions; it is left as it is`
    })
  await commitOverlay(shell, disk.sidecar)
}

/** Never deletes what any live or inactive definition or any backing chain names. */
export async function removeUnlessInUse(shell: Shell, vm: string, path: string): Promise<void> {
  const inUse = await pathsInUse(shell, vm)
  if (inUse.has(path)) fail({ kind: 'foreign-work', vm, detail: `${path} is still in use` })
  await rm(path, { force: true })
}
