import * as z from 'zod'
import { JobId, PointId, PolicyName, Sha256, Uuid } from './ids.ts'
import { Pause } from './pause.ts'
import { Milliseconds, withinYears } from './figures.ts'

export const Method = z.enum(['live', 'disk', 'classic', 'offline'])
export type Method = z.infer<typeof Method>

/** A path inside a point: plain segments, no `..`, never absolute. */
export const PointPath = z
  .string()
  .regex(/^(?!\.)[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*){0,6}$/)
  .max(200)

const size = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER)

export const PointFile = z.strictObject({ path: PointPath, sizeBytes: size, sha256: Sha256 })
export type PointFile = z.infer<typeof PointFile>

/** Who may do what with an image on its host. Numbers mean something on that host only. */
export const FileAccess = z.strictObject({
  uid: z.number().int().nonnegative(),
  gid: z.number().int().nonnegative(),
  /** Of `rwx` for owner, group and others. */
  mode: z.number().int().min(0).max(0o777)
})
export type FileAccess = z.infer<typeof FileAccess>

/** A disk that the guest had and that is not in the point, as it was just before the point's instant. */
export const LeftOutDisk = z.strictObject({
  target: z.string().max(32),
  source: z.string().max(4096),
  /** When its file was written last, in nanoseconds. Undefined: not a file, or written too shortly before to tell. */
  modifiedNs: z
    .string()
    .regex(/^\d{1,20}$/)
    .optional()
})
export type LeftOutDisk = z.infer<typeof LeftOutDisk>

export const PointDisk = z.strictObject({
  /** Device as the guest's definition names it: `vda`. */
  target: z.string().regex(/^[a-z0-9]{1,16}$/),
  file: PointPath,
  virtualSizeBytes: size,
  /** Where and what it was on its host, for the operator and for block devices. Never opened unasked. */
  originalSource: z.string().max(4096),
  originalFormat: z.string().max(32),
  originalType: z.enum(['file', 'block', 'network', 'volume']),
  /** Of an image file. */
  originalAccess: FileAccess.optional()
})
export type PointDisk = z.infer<typeof PointDisk>

/** A file of the host that a VM is started with, or that lies in a drive of it, as its definition names it. */
export const BootFile = z.strictObject({
  role: z.enum(['kernel', 'initrd', 'dtb', 'medium']),
  file: PointPath,
  originalPath: z.string().max(4096)
})
export type BootFile = z.infer<typeof BootFile>

/** It lies in a drive: the VM is not started with it, and does without it. */
export const isMedium = ({ role }: Pick<BootFile, 'role'>): boolean => role === 'medium'

export const MANIFEST_VERSION = 1

/** `manifest.json`: the commit point of a point. Its file list holds every other file of the point. */
export const Manifest = z.strictObject({
  format: z.literal('stillpoint-point'),
  version: z.literal(MANIFEST_VERSION),
  id: PointId,
  jobId: JobId,
  /** The instant that the point holds. */
  takenAt: z.iso.datetime().max(40),
  vm: z.strictObject({ uuid: Uuid, name: z.string().min(1).max(4096) }),
  host: z.strictObject({ name: z.string().max(255), machineId: z.string().max(64) }),
  /** The policy that took it, whose retention it is under. Undefined: taken by hand, never pruned. */
  policy: PolicyName.optional(),
  method: Method,
  /** Why this method: asked for, or what decided. */
  methodReason: z.string().max(1000),
  stateBefore: z.enum(['running', 'paused', 'shut off', 'crashed', 'pmsuspended']),
  persistent: z.boolean(),
  autostart: z.boolean(),
  disks: z.array(PointDisk).max(256),
  excludedDisks: z.array(z.string().max(32)).max(256),
  /** Those of the excluded ones that have a source. Undefined: taken before this was noted. */
  leftOut: z.array(LeftOutDisk).max(256).optional(),
  /** Disks that the VM ran with and its next start would not have had: `domain.xml` has them, so that a boot has them too. */
  pluggedDisks: z.array(z.string().max(32)).max(256).optional(),
  memory: z.strictObject({ file: PointPath, ramBytes: size }).optional(),
  nvram: z.strictObject({ file: PointPath, originalPath: z.string().max(4096) }).optional(),
  tpm: z.strictObject({ files: z.array(PointPath).max(64) }).optional(),
  /** Kernels and the like that its host starts the VM with. */
  boot: z.array(BootFile).max(16).optional(),
  files: z.array(PointFile).max(1024),
  pauses: z.array(Pause).max(64),
  pauseMs: Milliseconds,
  /** What QEMU itself counted, where it did. */
  qemuDowntimeMs: Milliseconds.optional(),
  agent: z.enum(['none', 'silent', 'answered', 'froze']),
  versions: z.strictObject({ libvirt: z.string().max(64), qemu: z.string().max(64), engine: z.string().max(64) }),
  warnings: z.array(z.string().max(4000)).max(256)
})
export type Manifest = z.infer<typeof Manifest>

/** What lists show of a point: its manifest in short, and where it is. */
export interface PointSummary {
  readonly id: PointId
  readonly vm: string
  readonly vmUuid: Uuid
  /** The host it was taken on. */
  readonly host: string
  readonly takenAt: string
  readonly method: Method
  readonly hasMemory: boolean
  readonly sizeBytes: number
  readonly pauses: readonly { readonly phase: string; readonly ms: number }[]
  readonly pauseMs: number
  readonly warnings: readonly string[]
}

export const sizeBytesOf = (manifest: Manifest): number =>
  Math.min(
    manifest.files.reduce((sum, file) => sum + file.sizeBytes, 0),
    Number.MAX_SAFE_INTEGER
  )

export function summaryOf(manifest: Manifest): PointSummary {
  return {
    id: manifest.id,
    vm: manifest.vm.name,
    vmUuid: manifest.vm.uuid,
    host: manifest.host.name,
    takenAt: withinYears(manifest.takenAt),
    method: manifest.method,
    hasMemory: manifest.memory !== undefined,
    sizeBytes: sizeBytesOf(manifest),
    pauses: manifest.pauses.map(({ phase, ms }) => ({ phase, ms })),
    pauseMs: manifest.pauseMs,
    warnings: manifest.warnings
  }
}
