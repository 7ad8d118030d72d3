import type { BackupSpec } from '../../shared/model/job.ts'
import { freeze, thaw } from '../../libvirt/agent.ts'
import { snapshotCreateAs } from '../../libvirt/snapshot.ts'
import { orWarn, type JobContext } from '../jobs/job-context.ts'
import { imageBelow, type CapturePlan } from './capture-plan.ts'
import type { Captured } from './captured.ts'
import { copyDisks } from './copy-disks.ts'
import { foldBackAll } from './fold-back.ts'
import { measurePauses } from './stand-still.ts'
import { whileRoomLasts } from './watch-room.ts'

/** Disks only, all at one instant; the guest's file systems are frozen for it where its agent answers. */
export async function captureDisk(job: JobContext<BackupSpec>, plan: CapturePlan): Promise<Captured> {
  const froze = plan.agent === 'answered' && (await freezeGuest(job, plan))
  await job.step('snapshot', {}, () => snapshotDisks(job, plan))
  if (froze) await job.step('thaw', {}, () => thaw(job.shell, plan.vm).then(() => undefined))
  const disks = await job.step('copy', {}, () =>
    whileRoomLasts(job, plan, (watched) => copyDisks(watched, plan, imageBelow))
  )
  await job.step('fold-back', {}, () => foldBackAll(job, plan))
  return { disks, froze }
}

/** An agent that refuses costs the file systems' consistency, not the point. */
async function freezeGuest(job: JobContext<BackupSpec>, plan: CapturePlan): Promise<boolean> {
  let frozen = false
  await job.step('freeze', {}, () =>
    orWarn(job, 'The guest agent did not freeze the file systems; the point is as after a power cut', async () => {
      await freeze(job.shell, plan.vm)
      frozen = true
    })
  )
  return frozen
}

const SNAPSHOT_WITHIN_MS = 120_000

async function snapshotDisks(job: JobContext<BackupSpec>, plan: CapturePlan): Promise<void> {
  await measurePauses(job, 'switch', () =>
    snapshotCreateAs(job.shell, plan.vm, {
      disks: [
        ...plan.disks.map(({ target, sidecar }) => ({ target, overlay: sidecar })),
        ...plan.excluded.map((target) => ({ target, skip: true as const }))
      ],
      live: false,
      timeoutMs: SNAPSHOT_WITHIN_MS,
      signal: job.signal
    })
  )
}
