import { stat } from 'node:fs/promises'
import { fail } from '../../shared/failure.ts'
import type { BackupSpec } from '../../shared/model/job.ts'
import { domainState } from '../../libvirt/domains.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { imageBelow, type CapturePlan } from './capture-plan.ts'
import type { Captured } from './captured.ts'
import { copyDisks } from './copy-disks.ts'
import { whileRoomLasts } from './watch-room.ts'

/** Sparse copies of a VM that is shut off. Its owner may start it at any time: then the copy is no point, and says so. */
export async function captureOffline(job: JobContext<BackupSpec>, plan: CapturePlan): Promise<Captured> {
  return job.step('copy', {}, async () => {
    const before = await writtenAt(plan)
    const disks = await whileRoomLasts(job, plan, (watched) => copyDisks(watched, plan, imageBelow))
    const state = await domainState(job.shell, plan.vm)
    if (state?.state !== 'shut off' || (await writtenAt(plan)) !== before)
      fail({ kind: 'vm-state', vm: plan.vmName, state: 'started while it was being copied', wanted: 'shut off' })
    return { disks }
  })
}

/** Of what lies on this host; a server does not say. */
async function writtenAt({ disks }: CapturePlan): Promise<string> {
  const here = disks.filter(({ type }) => type !== 'network')
  const stats = await Promise.all(here.map(({ source }) => stat(source, { bigint: true })))
  return stats.map(({ mtimeNs }) => mtimeNs).join()
}
