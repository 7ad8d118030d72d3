import type { PointDisk, PointFile } from '../../shared/model/point.ts'
import type { BackupSpec } from '../../shared/model/job.ts'
import { copyImage } from '../../store/copy-image.ts'
import { fail } from '../../shared/failure.ts'
import { makeFoldersIn } from '../../store/durable.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { changeStamp } from './change-stamp.ts'
import { diskFile, imageBelow, type CaptureDisk, type CapturePlan, type StillDisk } from './capture-plan.ts'

export interface CopiedDisk {
  readonly disk: PointDisk
  readonly file: PointFile
}

/** Copies images that nobody writes to into the point, one after the other, hashing on the way. `imageOf` is for those with an overlay. */
export async function copyDisks(
  job: JobContext<BackupSpec>,
  plan: CapturePlan,
  imageOf: (disk: CaptureDisk) => { path: string; format: string }
): Promise<CopiedDisk[]> {
  await makeFoldersIn(plan.pointDir, 'disks')
  const copied: CopiedDisk[] = []
  for (const disk of plan.disks) copied.push(await copyDisk(job, plan, disk, imageOf(disk)))
  for (const disk of plan.still) copied.push(await copyStill(job, plan, disk))
  return copied
}

/** Its VM does not write to it; others may, whatever their definitions say. @throws `foreign-work` if somebody did */
export async function copyStill(job: JobContext<BackupSpec>, plan: CapturePlan, disk: StillDisk): Promise<CopiedDisk> {
  const image = imageBelow(disk)
  const before = await changeStamp(disk)
  const copied = await copyDisk(job, plan, disk, image)
  if ((await changeStamp(disk)) !== before)
    fail({
      kind: 'foreign-work',
      vm: plan.vmName,
      detail: `somebody wrote to ${image.path} while it was copied, though ${disk.target} is not written to by the VM`
    })
  return copied
}

async function copyDisk(
  job: JobContext<BackupSpec>,
  plan: CapturePlan,
  disk: StillDisk,
  source: { path: string; format: string }
): Promise<CopiedDisk> {
  const path = diskFile(disk)
  const copy = await copyImage({
    shell: job.shell,
    source,
    target: `${plan.pointDir}/${path}`,
    onProgress: (done, total) => job.progress(`copying ${disk.target}`, done, total),
    signal: job.signal
  })
  return {
    file: { path, sizeBytes: copy.sizeBytes, sha256: copy.sha256 },
    disk: pointDiskOf(disk, copy.virtualSizeBytes)
  }
}

export function pointDiskOf(disk: StillDisk, virtualSizeBytes: number): PointDisk {
  const { target, format, type } = disk
  return {
    target,
    file: diskFile(disk),
    virtualSizeBytes,
    originalSource: type === 'network' ? disk.source : imageBelow(disk).path,
    originalFormat: format,
    originalType: type
  }
}
