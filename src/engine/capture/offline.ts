import type { BackupSpec } from '../../shared/model/job.ts'
import type { PointFile } from '../../shared/model/point.ts'
import { copyFile } from '../../store/copy-file.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { requireAtRest, requireStillAtRest } from './at-rest.ts'
import { imageBelow, memoryPath, type CapturePlan } from './capture-plan.ts'
import type { Captured } from './captured.ts'
import { copyDisks } from './copy-disks.ts'
import { lookAtMedia } from './media.ts'
import { whileRoomLasts } from './watch-room.ts'

/**
 * Sparse copies of a VM that is shut off, with its RAM where libvirt has saved that. Its owner may start it at any time:
 * then the copy is no point, and says so.
 */
export async function captureOffline(job: JobContext<BackupSpec>, plan: CapturePlan): Promise<Captured> {
  const before = await requireAtRest(job.shell, plan)
  const media = lookAtMedia(job, plan)
  const captured = await job.step('copy', {}, () =>
    whileRoomLasts(job, plan, async (watched) => ({
      disks: await copyDisks(watched, plan, imageBelow),
      ...(await copySavedMemory(watched, plan))
    }))
  )
  await requireStillAtRest(job.shell, plan, before)
  return { ...captured, media }
}

async function copySavedMemory(
  job: JobContext<BackupSpec>,
  plan: CapturePlan
): Promise<{ readonly memory?: PointFile }> {
  if (plan.savedMemory === undefined) return {}
  const copied = await copyFile(plan.savedMemory.path, memoryPath(plan), {
    signal: job.signal,
    onProgress: (done, total) => job.progress('copying RAM', done, total)
  })
  return { memory: { path: 'memory.save', ...copied } }
}
