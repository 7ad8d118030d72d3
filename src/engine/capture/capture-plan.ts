import * as z from 'zod'
import { Uuid } from '../../shared/model/ids.ts'
import { BootFile, Method } from '../../shared/model/point.ts'
import type { SnapshotDisk } from '../../libvirt/snapshot.ts'
import { FileStamp } from './copy-at-rest.ts'

/** Of a disk that QEMU encrypts, as LUKS does: its overlay is encrypted too, or it would hold the guest's data in clear. */
export const DiskEncryption = z.object({
  /** libvirt's secret with its key. */
  secret: Uuid,
  /** The one with the overlay's: random, and gone with the overlay. */
  overlaySecret: Uuid,
  /** Where in the image what the guest sees begins, behind the header of LUKS. */
  payloadAt: z.number(),
  /** The key that the disk has now opens the overlay too. Engines before had none but the overlay's own. */
  opensWithDisk: z.boolean().optional()
})
export type DiskEncryption = z.infer<typeof DiskEncryption>

/** A disk that goes into the point. */
export const CaptureDisk = z.object({
  target: z.string(),
  /** What the VM writes to before and after the job. */
  source: z.string(),
  format: z.string(),
  type: z.enum(['file', 'block', 'network']),
  /** How QEMU's tools open it, where that is not `source`: of a disk on a server, and of a volume that a pool names. */
  image: z.string().optional(),
  /** libvirt's number for it in the QEMU that ran when the backup was planned: plugged in anew, it has another one. */
  node: z.string().optional(),
  virtualSizeBytes: z.number(),
  allocatedBytes: z.number(),
  /** Takes the VM's writes while `source` stands still: the overlay, or the mirror of the classic method. Beside the image. */
  sidecar: z.string(),
  /** Where the file system of `sidecar` is mounted: while it is not, nothing in it is gone. Engines before this one noted `/` not. */
  mountPoint: z.string().optional(),
  encryption: DiskEncryption.optional()
})
export type CaptureDisk = z.infer<typeof CaptureDisk>

/**
 * A disk of the point that nobody writes to anyway: one that is read-only, or the image below one whose writes are thrown
 * away. It needs no overlay.
 */
export const StillDisk = CaptureDisk.omit({ sidecar: true, mountPoint: true, encryption: true })
export type StillDisk = z.infer<typeof StillDisk>

/** What a backup has decided before it touches anything; written to the journal, so recovery needs nothing else. */
export const CapturePlan = z.object({
  vm: Uuid,
  vmName: z.string(),
  method: Method,
  methodReason: z.string(),
  stateBefore: z.enum(['running', 'paused', 'shut off', 'crashed', 'pmsuspended']),
  persistent: z.boolean(),
  autostart: z.boolean(),
  ramBytes: z.number(),
  disks: z.array(CaptureDisk),
  still: z.array(StillDisk).default([]),
  /** Disks and drives of the VM that are not in the point. */
  excluded: z.array(z.string()),
  nvram: z.string().optional(),
  tpmDir: z.string().optional(),
  /** The folder by version that its state belongs in, where `tpmDir` is one that the definition names. */
  tpmInto: z.string().optional(),
  /** Kernels and the like that its host starts the VM with, now or next. */
  boot: z.array(BootFile.pick({ role: true, originalPath: true })).default([]),
  /** Media of its drives, where they are wanted, as they stood. */
  media: z.array(z.object({ originalPath: z.string(), stamp: FileStamp })).default([]),
  /** QEMU's allowance for final pauses as it was; the owner's migrations go by it too. */
  maxDowntimeMs: z.number().optional(),
  agent: z.enum(['none', 'silent', 'answered']),
  /** The VM's definition before the job, secrets included; brings a transient VM back. */
  definition: z.string(),
  /** Disks and drives of the VM that runs, as the plan saw them. */
  seen: z.array(z.string()).default([]),
  /** What the point keeps as the VM's definition, where that names more disks than the one before the job. */
  pointDefinition: z.string().optional(),
  /** Disks that only the running VM had: what the point keeps as the definition names them too. */
  plugged: z.array(z.string()).default([]),
  /** What the VM ran with. Undefined: it was off. */
  running: z.string().optional(),
  /** RAM of a VM that is off, as libvirt saved it. */
  savedMemory: z.object({ path: z.string(), sizeBytes: z.number() }).optional(),
  pointDir: z.string()
})
export type CapturePlan = z.infer<typeof CapturePlan>

/** The step that announces the plan. */
export const PLAN_STEP = 'begin-point'
/** Announced with how the VM stood right before its RAM went to the file. */
export const SAVE_STEP = 'save'
/** Announces that a VM that the job paused is let go on. */
export const GO_ON_STEP = 'go-on'
/** Of a capture that was to pause its VM, which stood already: that pause is not ours. `state`: how its owner has it, if that tells. */
export const STOOD_STEP = 'stood-already'
/** Announces that a QEMU is told to go over to the image below its overlay. */
export const pivotStep = (target: string): string => `pivot.${target}`
/** Says that this QEMU was seen on its overlay behind that, when nothing could take it to the image any more. */
export const stayStep = (target: string): string => `stay.${target}`
/** Each time counts, also where the same was said before: what was said last is true. */
export const isOfPivot = (step: string): boolean => /^(pivot|stay)\./.test(step)
/** Announced when an overlay is about to be written into its image. */
export const writeStep = (target: string): string => `write.${target}`
/** Announced when an overlay is about to be removed: all that it held is in its image by then. */
export const dropStep = (target: string): string => `drop.${target}`
/** Announced with a disk that a snapshot took along though the plan does not know it, where that was not noted before. */
export const extraStep = (target: string): string => `extra.${target}`
/** What libvirt is to call the snapshot; overlays that it names itself then end as ours do. */
export const snapshotName = (jobId: string): string => `${SIDECAR_MARK.slice(1)}${jobId}`
export const memoryPath = (plan: CapturePlan): string => `${plan.pointDir}/memory.save`
/** The image below the overlay: nobody writes to it while the overlay takes the VM's writes. */
export const imageBelow = ({ image, source, format }: StillDisk): { path: string; format: string } => ({
  path: image ?? source,
  format
})
/** A snapshot must name the disks that it leaves alone too: libvirt would take along every one that it does not. */
export const snapshotDisks = ({ disks, still, excluded }: CapturePlan): SnapshotDisk[] => [
  ...disks.map(({ target, sidecar, encryption }) => ({
    target,
    overlay: sidecar,
    ...(encryption !== undefined && { secret: encryption.overlaySecret })
  })),
  ...[...excluded, ...still.map(({ target }) => target)].map((target) => ({ target, skip: true as const }))
]
export const diskFile = (disk: StillDisk): string => `disks/${disk.target}.qcow2`
export const copyPath = ({ pointDir }: CapturePlan, disk: StillDisk): string => `${pointDir}/${diskFile(disk)}`
/** Where all disks of the point are copied to. */
export const copyPaths = (plan: CapturePlan): string[] =>
  [...plan.disks, ...plan.still].map((disk) => copyPath(plan, disk))

/** Marks files of ours in folders that are not ours. */
export const SIDECAR_MARK = '.stillpoint-'
export const isOverlayOf = (path: string, jobId: string): boolean => path.endsWith(`${SIDECAR_MARK}${jobId}`)
export const isSidecar = (path: string): boolean => /\.stillpoint-\d{8}T\d{6}Z-[0-9a-f]{6}(\.\w+)?$/.test(path)
/** The job whose mark a file of ours bears; empty if none. */
export const jobOf = (path: string): string => /\.stillpoint-(\d{8}T\d{6}Z-[0-9a-f]{6})/.exec(path)?.[1] ?? ''
/** What an image was called before it was named as an overlay of it. */
export const originalName = (path: string): string => path.slice(0, path.lastIndexOf(SIDECAR_MARK))
