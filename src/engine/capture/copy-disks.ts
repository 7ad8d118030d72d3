import type { PointDisk, PointFile } from '../../shared/model/point.ts'
import type { BackupSpec } from '../../shared/model/job.ts'
import { copyImage } from '../../store/copy-image.ts'
import { makeFoldersIn } from '../../store/durable.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { diskFile, type CaptureDisk, type CapturePlan } from './capture-plan.ts'

export interface CopiedDisk {
  readonly disk: PointDisk
  readonly file: PointFile
}

/** Copies images that nobody writes to into the point, one after the other, hashing on the way. */
export async function copyDisks(
  job: JobContext<BackupSpec>,
  plan: CapturePlan,
  imageOf: (disk: CaptureDisk) => { path: string; format: string }
): Promise<CopiedDisk[]> {
  await makeFoldersIn(plan.pointDir, 'disks')
  const copied: CopiedDisk[] = []
  for (const disk of plan.disks) copied.push(await copyDisk(job, plan, disk, imageOf(disk)))
  return copied
}

async function copyDisk(
  job: JobContext<BackupSpec>,
  plan: CapturePlan,
  disk: CaptureDisk,
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

export function pointDiskOf(disk: CaptureDisk, virtualSizeBytes: number): PointDisk {
  const { target, source, format, type } = disk
  return {
    target,
    file: diskFile(disk),
    virtualSizeBytes,
    originalSource: source,
    originalFormat: format,
    originalType: type
  }
}
