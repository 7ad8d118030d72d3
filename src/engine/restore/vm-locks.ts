import { setTimeout as sleep } from 'node:timers/promises'
import { isFailure } from '../../shared/failure.ts'
import type { VmIdentity } from '../../shared/model/job.ts'
import { lockVm, type VmLock } from '../jobs/vm-lock.ts'
import type { RestorePlan } from './restore-plan.ts'

/**
 * Locks of VMs that make way for another. This process holds them from then on until the end of its job, its undo included:
 * nobody backs such a VM up while half of its files are renamed.
 */
const held = new Map<string, VmLock>()

/** Those of another UUID than the VM that comes, whose lock the job has anyway. */
export const othersIn = ({ vm, displaced }: RestorePlan): VmIdentity[] => displaced.filter(({ uuid }) => uuid !== vm)

/** @throws `vm-busy` if somebody works for one of them for longer than that */
export async function holdVms(jobId: string, vms: readonly VmIdentity[], withinMs = 0): Promise<void> {
  for (const { uuid, name } of vms) if (!held.has(uuid)) held.set(uuid, await lockWithin(uuid, name, jobId, withinMs))
}

export async function releaseVms(): Promise<void> {
  for (const [uuid, lock] of held) {
    held.delete(uuid)
    await lock.release()
  }
}

async function lockWithin(uuid: string, name: string, jobId: string, withinMs: number): Promise<VmLock> {
  const deadline = performance.now() + withinMs
  for (;;) {
    try {
      return await lockVm(uuid, name, `restore ${jobId}`)
    } catch (error) {
      if (!isFailure(error, 'vm-busy') || performance.now() > deadline) throw error
      await sleep(200)
    }
  }
}
