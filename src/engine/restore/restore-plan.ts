import * as z from 'zod'
import { Uuid } from '../../shared/model/ids.ts'
import { RestoreMode } from '../../shared/model/job.ts'

/** A disk on its way from the point to its place. */
export const RestoreDisk = z.object({
  target: z.string(),
  /** Inside the point. */
  file: z.string(),
  format: z.string(),
  virtualSizeBytes: z.number(),
  /** Where the VM will find it. */
  path: z.string(),
  /** Where it is written first, in the same folder. */
  staged: z.string()
})
export type RestoreDisk = z.infer<typeof RestoreDisk>

export const Rename = z.object({ from: z.string(), to: z.string() })
export type Rename = z.infer<typeof Rename>

/** A VM that makes way; what is renamed here can be renamed back. */
export const DisplacedVm = z.object({
  uuid: Uuid,
  name: z.string(),
  wasActive: z.boolean(),
  autostart: z.boolean(),
  definition: z.string(),
  renames: z.array(Rename)
})
export type DisplacedVm = z.infer<typeof DisplacedVm>

/** What a restore has decided before it touches anything; written to the journal, so undoing it needs nothing else. */
export const RestorePlan = z.object({
  vm: Uuid,
  vmName: z.string(),
  /** The VM beside which this one is made. */
  copyOf: z.object({ uuid: Uuid, name: z.string() }).optional(),
  mode: RestoreMode,
  modeReason: z.string().optional(),
  pointDir: z.string(),
  disks: z.array(RestoreDisk),
  nvram: z.object({ file: z.string(), path: z.string(), staged: z.string() }).optional(),
  /** A folder, placed whole. */
  tpm: z.object({ files: z.array(z.string()), path: z.string(), staged: z.string() }).optional(),
  displaced: z.array(DisplacedVm),
  /** What lies in the way though no VM here has it. */
  orphans: z.array(Rename),
  networks: z.object({ define: z.array(z.object({ name: z.string(), xml: z.string() })), start: z.array(z.string()) }),
  /** The definition with this host's paths. */
  definition: z.string(),
  memory: z.string().optional(),
  memoryXml: z.string().optional(),
  runsAfterwards: z.enum(['running', 'paused']),
  autostart: z.boolean(),
  hasAgent: z.boolean(),
  takenAt: z.string()
})
export type RestorePlan = z.infer<typeof RestorePlan>

/** What is written beside its place first and then moved there. */
export const placements = ({ disks, nvram, tpm }: RestorePlan): { staged: string; path: string }[] => [
  ...disks,
  ...(nvram ? [nvram] : []),
  ...(tpm ? [tpm] : [])
]

export const RESTORE_PLAN_STEP = 'prepare'
export const RESTORE_STEPS = ['verify', 'prepare', 'stage', 'displace', 'place', 'define', 'start', 'settle'] as const
