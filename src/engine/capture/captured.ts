import type { PointFile } from '../../shared/model/point.ts'
import type { CopiedDisk } from './copy-disks.ts'

/** What a method has put into the point's folder. */
export interface Captured {
  readonly disks: readonly CopiedDisk[]
  readonly memory?: PointFile
  readonly qemuDowntimeMs?: number
  readonly froze?: boolean
}
