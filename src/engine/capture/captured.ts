import type { PointFile } from '../../shared/model/point.ts'
import type { Kept } from '../evidence/verdict.ts'
import type { CopiedDisk } from './copy-disks.ts'
import type { MediaSeen } from './media.ts'

/** What a method has put into the point's folder. */
export interface Captured {
  readonly disks: readonly CopiedDisk[]
  readonly memory?: PointFile
  readonly qemuDowntimeMs?: number
  readonly froze?: boolean
  /** Looked at right behind the instant; it may take as long as their servers do. */
  readonly media: Promise<MediaSeen>
  /** What of the VM is not yet as it was: the point is completed first. */
  readonly loose?: Loose
}

export interface Loose {
  /** Left as it is for want of proof. */
  readonly kept: readonly Kept[]
  /** What may go better another time. */
  readonly errors: readonly unknown[]
}
