import * as z from 'zod'
import { ofType } from '../../shared/job-report.ts'
import { Uuid } from '../../shared/model/ids.ts'
import { RestoreMode, type JournalEntry } from '../../shared/model/job.ts'
import { BootFile, FileAccess, isMedium, type Manifest } from '../../shared/model/point.ts'
import { HeldAutostart } from '../../shared/model/twin-vm.ts'
import { FileIdentity } from '../evidence/file-identity.ts'
import { LogPosition } from '../evidence/vm-history.ts'

const Format = z.enum(['qcow2', 'raw'])

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
  staged: z.string(),
  /** Who may do what with it at its place. Undefined: root alone, and libvirt gives it to QEMU while the VM runs. */
  access: FileAccess.optional()
})
export type RestoreDisk = z.infer<typeof RestoreDisk>

export const Rename = z.object({
  from: z.string(),
  to: z.string(),
  /** The file that was seen at `from`: no other is renamed, and no other is renamed back. */
  file: FileIdentity.optional(),
  /** Of an image: its format, and the disk of the VM that it is. */
  format: Format.optional(),
  target: z.string().optional()
})
export type Rename = z.infer<typeof Rename>

/** A VM that makes way; what is renamed here can be renamed back. */
export const DisplacedVm = z.object({
  uuid: Uuid,
  name: z.string(),
  wasActive: z.boolean(),
  wasPaused: z.boolean().default(false),
  persistent: z.boolean().default(true),
  autostart: z.boolean(),
  definition: z.string(),
  /** What its owner had changed for that run only, in words: `vdc (/srv/data.qcow2)`, `no vdb`. */
  forThatRun: z.array(z.string()).default([]),
  renames: z.array(Rename)
})
export type DisplacedVm = z.infer<typeof DisplacedVm>

/** A file or folder that waits for its move into place; the journal has it before it moves. */
export const Placement = z.object({
  name: z.string(),
  staged: z.string(),
  path: z.string(),
  file: FileIdentity,
  format: Format.optional()
})
export type Placement = z.infer<typeof Placement>

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
  /** Kernels, media and the like that are not here. `formerPath`: where the definition has them. */
  boot: z
    .array(
      z.object({
        // Journals of earlier engines have none; only a restore that is being planned asks for it.
        role: BootFile.shape.role.default('kernel'),
        file: z.string(),
        formerPath: z.string(),
        path: z.string(),
        staged: z.string()
      })
    )
    .default([]),
  /** A folder, placed whole. */
  tpm: z.object({ files: z.array(z.string()), path: z.string(), staged: z.string() }).optional(),
  /** Whom the firmware's variables and kernels belong to, where libvirt does not give them to QEMU itself. */
  firmwareAccess: FileAccess.optional(),
  displaced: z.array(DisplacedVm),
  /** What lies in the way though no VM here has it. */
  orphans: z.array(Rename),
  networks: z.object({ define: z.array(z.object({ name: z.string(), xml: z.string() })), start: z.array(z.string()) }),
  /** The definition with this host's paths. */
  definition: z.string(),
  /** The one to boot with, where RAM could be resumed and was not: it has the disks that only the RAM's definition names. */
  bootDefinition: z.string().optional(),
  memory: z.string().optional(),
  memoryXml: z.string().optional(),
  runsAfterwards: z.enum(['running', 'paused']),
  autostart: z.boolean(),
  /** It is off only as long as the VM is on this host too, which is noted in the VM. */
  heldAutostart: z.object(HeldAutostart.shape).optional(),
  hasAgent: z.boolean(),
  takenAt: z.string()
})
export type RestorePlan = z.infer<typeof RestorePlan>

/** What makes way, as it was found under the locks of its VMs just before. */
export const Displacing = RestorePlan.pick({ displaced: true, orphans: true })
export type Displacing = z.infer<typeof Displacing>

/** What is written beside its place first and then moved there. */
export const placesOf = ({ disks, nvram, tpm, boot }: RestorePlan): Omit<Placement, 'file'>[] => [
  ...disks.map(({ target, staged, path, format }) => ({
    name: target,
    staged,
    path,
    format: format === 'raw' ? ('raw' as const) : ('qcow2' as const)
  })),
  ...(nvram ? [{ name: 'nvram', staged: nvram.staged, path: nvram.path }] : []),
  ...boot.map(({ file, staged, path }) => ({ name: file.replace('/', '.'), staged, path })),
  ...(tpm ? [{ name: 'tpm', staged: tpm.staged, path: tpm.path }] : [])
]

/** A file of the point that is written beside its disks. */
export interface StagedFile {
  /** Inside the point. */
  readonly file: string
  readonly path: string
  readonly staged: string
  /** In the operator's words. */
  readonly forWhat: string
}

const STARTS = 'what the VM starts with'

export const filesAtStart = ({ nvram, boot }: Pick<RestorePlan, 'nvram' | 'boot'>): StagedFile[] => [
  ...(nvram ? [{ ...nvram, forWhat: STARTS }] : []),
  ...boot.map((each) => ({ ...each, forWhat: isMedium(each) ? 'the media' : STARTS }))
]

export const filesOfTpm = ({ tpm }: Pick<RestorePlan, 'tpm'>): StagedFile[] =>
  (tpm?.files ?? []).map((file) => {
    const inside = file.replace('tpm/', '')
    return { file, path: `${tpm?.path ?? ''}/${inside}`, staged: `${tpm?.staged ?? ''}/${inside}`, forWhat: STARTS }
  })

/** Firmware's variables, a TPM's state, a device tree: they fill no file system, and are no reason to refuse or end a restore. */
const NEGLIGIBLE_BYTES = 4 * 1024 ** 2

/** What is written beside the disks and takes room, by the sizes in the manifest. The check counts it, and it is watched as it is written. */
export function largeFiles(
  plan: Pick<RestorePlan, 'nvram' | 'boot' | 'tpm'>,
  { files }: Pick<Manifest, 'files'>
): (StagedFile & { readonly sizeBytes: number })[] {
  const sizes = new Map(files.map(({ path, sizeBytes }) => [path, sizeBytes]))
  return [...filesAtStart(plan), ...filesOfTpm(plan)]
    .map((each) => ({ ...each, sizeBytes: sizes.get(each.file) ?? 0 }))
    .filter(({ sizeBytes }) => sizeBytes > NEGLIGIBLE_BYTES)
}

export const RESTORE_PLAN_STEP = 'prepare'
export const RESTORE_STEPS = ['verify', 'prepare', 'stage', 'displace', 'place', 'define', 'start', 'settle'] as const
export type RestoreStep = (typeof RESTORE_STEPS)[number]

/** The step in which a VM is stopped that makes way. */
export const stopOf = (vm: string): string => `stop.${vm}`
/** The step in which its definition is taken away. */
export const undefineOf = (vm: Uuid): string => `undefine.${vm}`

/** Steps of an undo for one VM that made way. `anew`: it is defined, or made where it is transient, since it was not there any more. */
export type PutBackStep = 'define' | 'anew' | 'records' | 'start'
export const putBackStep = (step: PutBackStep, vm: string): `undo.${string}` => `undo.${step}.${vm}`

/** Engines before this one named a VM so in their steps, which two VMs may share. */
const beginningOf = (vm: Uuid): string => vm.slice(0, 8)

/** Noted where a VM has no log yet. */
export const NO_LOG = 'none'

type Begin = Extract<JournalEntry, { type: 'begin' }>

/** What the journal of a restore says: its plan as it became, and how far it came. Only what was announced can have happened. */
export class RestoreTrace {
  /** Undefined: nothing was touched. */
  readonly plan: RestorePlan | undefined
  readonly placements: readonly Placement[]
  /** How far libvirt's log of the VM was right before it was started; `none`: there was no log. Undefined: nobody noted it. */
  readonly logAtStart: LogPosition | typeof NO_LOG | undefined
  /** An undo has begun, so that what runs now may be what it has put back. */
  readonly isBeingUndone: boolean
  /** How its VMs stood when it began, and in which boot of the host. */
  readonly begin: Begin | undefined
  /** Engines before this one did not announce that they take a definition away. */
  readonly announcesUndefines: boolean
  private readonly announcesStops: boolean
  /** What each step was announced with, the last time. */
  private readonly data: ReadonlyMap<string, Record<string, unknown>>
  private readonly doneSteps: ReadonlySet<string>

  constructor(entries: readonly JournalEntry[]) {
    const steps = ofType(entries, 'step')
    this.data = new Map(steps.map(({ step, data = {} }) => [step, data]))
    const plan = this.data.get(RESTORE_PLAN_STEP)?.['plan']
    const displacing = this.data.get('displace')
    this.plan =
      plan === undefined
        ? undefined
        : {
            ...RestorePlan.parse(plan),
            ...(displacing?.['displaced'] !== undefined && Displacing.parse(displacing))
          }
    this.placements = z.array(Placement).parse(this.data.get('place')?.['placements'] ?? [])
    const logAtStart = this.data.get('start')?.['log']
    this.logAtStart = LogPosition.or(z.literal(NO_LOG)).optional().catch(undefined).parse(logAtStart)
    this.begin = ofType(entries, 'begin')[0]
    this.announcesStops = displacing?.['announcesStops'] === true
    this.announcesUndefines = displacing?.['announcesUndefines'] === true
    this.doneSteps = new Set(ofType(entries, 'step-done').map(({ step }) => step))
    this.isBeingUndone = [...this.data.keys()].some((step) => step.startsWith('undo.'))
  }

  /** Engines before this one did not announce that they stop a VM that is to make way. */
  mayHaveStopped({ uuid }: Pick<DisplacedVm, 'uuid'>): boolean {
    return !this.announcesStops || [uuid, beginningOf(uuid)].some((vm) => this.data.has(stopOf(vm)))
  }

  /** How far libvirt's log of the VM was right before it was stopped. Undefined: nobody noted it. */
  logAtStop({ uuid }: Pick<DisplacedVm, 'uuid'>): LogPosition | undefined {
    return this.logIn(stopOf(uuid))
  }

  /** libvirt's reason for its being off when its definition was taken away. Undefined: that was not begun, or nobody noted it. */
  reasonWhenTaken({ uuid }: Pick<DisplacedVm, 'uuid'>): string | undefined {
    return z.string().safeParse(this.data.get(undefineOf(uuid))?.['reason']).data
  }

  /**
   * How far libvirt's log tells of this VM, and not of a restored one that has its name and was started. Undefined: to its
   * end. `none`: nobody noted it.
   */
  logUntilTaken({ uuid, name }: Pick<DisplacedVm, 'uuid' | 'name'>): LogPosition | typeof NO_LOG | undefined {
    if (!this.announced('start') || name !== this.plan?.vmName) return undefined
    return this.logIn(undefineOf(uuid)) ?? this.logAtStart ?? NO_LOG
  }

  /** How far it was when an undo defined it again, or made it where it is transient. Undefined: none did, or nobody noted it. */
  logWhenPutBack({ uuid }: Pick<DisplacedVm, 'uuid'>): LogPosition | undefined {
    return this.logIn(putBackStep('anew', uuid))
  }

  private logIn(step: string): LogPosition | undefined {
    return LogPosition.safeParse(this.data.get(step)?.['log']).data
  }

  mayHaveUndefined({ uuid }: Pick<DisplacedVm, 'uuid'>): boolean {
    return !this.announcesUndefines || this.data.has(undefineOf(uuid))
  }

  /** A step of the undo for one VM. What an earlier engine noted counts only where it can mean no other. */
  hasPutBack(step: PutBackStep, { uuid }: Pick<DisplacedVm, 'uuid'>): boolean {
    const beginning = beginningOf(uuid)
    const sharing = this.plan?.displaced.filter((vm) => beginningOf(vm.uuid) === beginning) ?? []
    return this.done(putBackStep(step, uuid)) || (sharing.length === 1 && this.done(putBackStep(step, beginning)))
  }

  announced(step: RestoreStep | `undo.${string}`): boolean {
    return this.data.has(step)
  }

  done(step: RestoreStep | `undo.${string}`): boolean {
    return this.doneSteps.has(step)
  }
}
