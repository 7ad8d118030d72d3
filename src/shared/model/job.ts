import * as z from 'zod'
import { ENGINE_LIMITS, EngineName, EngineText, EngineWord, firstOf, LONGEST_STEP_DATA } from '../engine-limits.ts'
import { JobId, PointId, PolicyName, TimeSortedId, Uuid } from './ids.ts'
import { Pause, Phase } from './pause.ts'
import { Method } from './point.ts'
import { RestoreChoice, RestoreChoices } from './restore-choice.ts'
import { TwinVm } from './twin-vm.ts'
import { HostFailureData } from '../failure-data.ts'
import { notTooDeep } from '../json-depth.ts'
import { charactersIn } from '../json-length.ts'
import { Bytes, Lateness, Milliseconds, Moment, Seconds } from './figures.ts'

export const JobKind = z.enum(['backup', 'restore'])
export type JobKind = z.infer<typeof JobKind>

export const OnBusy = z.enum(['pause', 'disk', 'fail'])
export type OnBusy = z.infer<typeof OnBusy>
export const RestoreMode = z.enum(['resume', 'boot', 'define'])
export type RestoreMode = z.infer<typeof RestoreMode>

export const DEFAULT_BUDGET_MS = 300

const Absolute = z.string().startsWith('/').max(4096)

export const BackupSpec = z.strictObject({
  kind: z.literal('backup'),
  vm: Uuid,
  vmName: z.string().max(4096),
  /** As the operator calls the host. */
  hostName: z.string().max(255),
  /** Undefined: live for a running VM, else what its state and devices allow. */
  method: Method.optional(),
  store: Absolute,
  /** The store is another one than this host knows at that path, and that is meant. */
  acceptStore: z.boolean().optional(),
  budgetMs: z.number().positive().max(3_600_000),
  onBusy: OnBusy,
  /** Only these targets, or all. */
  includeDisks: z.array(z.string().max(32)).max(1000).optional(),
  excludeDisks: z.array(z.string().max(32)).max(1000).optional(),
  /** What lies in the VM's drives too, each time whole. */
  media: z.boolean().optional(),
  /** Undefined: started by hand. */
  policy: PolicyName.optional(),
  run: TimeSortedId.optional()
})
export type BackupSpec = z.infer<typeof BackupSpec>

/** The second VM that a restore makes beside the first, with a UUID that no VM has. */
export const VmCopy = z.strictObject({ name: z.string().min(1).max(200), uuid: Uuid })
export type VmCopy = z.infer<typeof VmCopy>

export const RestoreSpec = z.strictObject({
  kind: z.literal('restore'),
  vm: Uuid,
  vmName: z.string().max(4096),
  hostName: z.string().max(255),
  point: PointId,
  store: Absolute,
  mode: RestoreMode,
  /** Replace the VM that has this UUID or name; it is kept aside. */
  replace: z.boolean(),
  /** Where disks go. Undefined: where they were, if that directory exists, else libvirt's images folder. */
  diskDir: Absolute.optional(),
  /** Disks that the point does not hold and that stayed on another host, by its account: here they are the same. */
  attachDisks: z.array(z.string().max(32)).max(256).optional(),
  /** What the point may have of this host though it reaches beyond the storage of VMs: items by name. */
  allow: z.array(z.string().min(1).max(300)).max(200).optional(),
  /** Not the VM of the point, which `vm` and `vmName` are, but a copy of it. Booted or defined: RAM fits no other VM. */
  copy: VmCopy.optional(),
  /** Where this host is not what the VM asks for: chosen for this restore, and done in any case. */
  choices: RestoreChoices.optional(),
  /** Chosen for this host before: done where something is not as the VM asks. */
  remembered: RestoreChoices.optional(),
  /** The same VM on other hosts, as they said when this was ordered. Undefined: no other was asked. */
  twins: z.array(TwinVm).max(64).optional(),
  /** The host that the point was taken on, if it is another one and does not answer: nobody knows whether the VM runs there. */
  originAway: z.string().max(255).optional()
})
export type RestoreSpec = z.infer<typeof RestoreSpec>

export const JobSpec = z.discriminatedUnion('kind', [BackupSpec, RestoreSpec])
export type JobSpec = z.infer<typeof JobSpec>

const KnownChoices = firstOf(z.unknown(), ENGINE_LIMITS.ofJob)
  .transform((all) => all.flatMap((each) => RestoreChoice.safeParse(each).data ?? []))
  .pipe(z.array(RestoreChoice).max(ENGINE_LIMITS.ofJob))
  .optional()

/**
 * An order as it lies on a host, perhaps written by a younger engine: what this one does not know is passed over. What is
 * asked of this engine is not: it would be a wish that nobody fulfils.
 */
export const StoredJobSpec = z.discriminatedUnion('kind', [
  z.object(BackupSpec.shape),
  z.object({
    ...RestoreSpec.shape,
    copy: z.object(VmCopy.shape).optional(),
    choices: KnownChoices,
    remembered: KnownChoices,
    twins: firstOf(z.object(TwinVm.shape), ENGINE_LIMITS.ofJob).optional()
  })
])

const VmIdentity = z.object({ uuid: Uuid, name: EngineName })
export type VmIdentity = z.infer<typeof VmIdentity>

/** The VM that the job works on, and whose lock it takes: of a copy the new one. */
export const vmOf = (spec: JobSpec): VmIdentity => copyIn(spec) ?? { uuid: spec.vm, name: spec.vmName }

/** The VM that a copy is made of. Undefined: it is no copy. */
export const originalOf = (spec: JobSpec): VmIdentity | undefined =>
  copyIn(spec) && { uuid: spec.vm, name: spec.vmName }

const copyIn = (spec: JobSpec): VmCopy | undefined => (spec.kind === 'restore' ? spec.copy : undefined)

export const JobState = z.enum([
  'queued',
  'running',
  'stalled',
  'recovering',
  'failed-clean',
  'failed-needs-you',
  'done',
  'done-with-warnings',
  'cancelled'
])
export type JobState = z.infer<typeof JobState>
const OPEN_STATES: readonly JobState[] = ['queued', 'running', 'stalled', 'recovering']
export const isEnded = (state: JobState): boolean => !OPEN_STATES.includes(state)

/** One job in every rendering: history row, detail page, mail, terminal. */
export const JobReport = z.object({
  id: JobId,
  kind: JobKind,
  /** The policy that wanted it, and in which of its runs. Undefined: started by hand. */
  policy: PolicyName.optional(),
  run: TimeSortedId.optional(),
  host: EngineName,
  vm: VmIdentity,
  /** The restore made `vm` as a copy of this one, which it did not touch. */
  copyOf: VmIdentity.optional(),
  state: JobState,
  startedAt: Moment,
  endedAt: Moment.optional(),
  point: PointId.optional(),
  store: EngineName.optional(),
  method: Method.optional(),
  methodReason: EngineText.optional(),
  /** What a restore really did. */
  mode: RestoreMode.optional(),
  modeReason: EngineText.optional(),
  sizeBytes: Bytes.optional(),
  pauses: firstOf(Pause, ENGINE_LIMITS.ofJob),
  pauseMs: Milliseconds,
  /** Restores: from the start of the job until the VM ran. */
  runningMs: Milliseconds.optional(),
  /** Restores: how late the guest's clock was, and whether it was set. */
  clock: z.object({ lateMs: Lateness, corrected: z.boolean() }).optional(),
  /** What a restore replaced and kept. */
  keptAside: firstOf(EngineName, ENGINE_LIMITS.findings).optional(),
  phases: firstOf(Phase, ENGINE_LIMITS.ofJob),
  warnings: firstOf(EngineText, ENGINE_LIMITS.ofJob),
  failure: HostFailureData.optional()
})
export type JobReport = z.infer<typeof JobReport>

/** What a job tells its report as it goes. */
export const JobFact = JobReport.pick({
  point: true,
  method: true,
  methodReason: true,
  mode: true,
  modeReason: true,
  sizeBytes: true,
  runningMs: true,
  clock: true,
  keptAside: true
})
export type JobFact = z.infer<typeof JobFact>

export const Progress = z.object({
  /** What is being done, in the operator's words: `copying vda`. */
  phase: EngineWord,
  doneBytes: Bytes,
  totalBytes: Bytes,
  bytesPerSecond: Bytes.optional(),
  secondsLeft: Seconds.optional()
})
export type Progress = z.infer<typeof Progress>

/** In the engine's own terms, which nobody else knows. */
const StepData = z.record(z.string(), z.unknown().transform(notTooDeep))
const NotedVms = z.array(z.unknown().transform(notTooDeep))

const entryWith = <
  W extends z.ZodType<string>,
  D extends z.ZodType<Record<string, unknown>>,
  V extends z.ZodType<unknown[]>
>(
  word: W,
  data: D,
  vms: V
) =>
  z.intersection(
    z.object({ n: z.number().int(), at: Moment }),
    z.discriminatedUnion('type', [
      z.object({
        type: z.literal('begin'),
        id: JobId,
        spec: StoredJobSpec,
        bootId: word,
        engine: word,
        /** How its VMs stood, in the engine's own terms. */
        vms: vms.optional()
      }),
      z.object({ type: z.literal('step'), step: word, data: data.optional() }),
      z.object({
        type: z.literal('step-done'),
        step: word,
        ms: Milliseconds,
        data: data.optional()
      }),
      z.object({ type: z.literal('progress'), progress: Progress }),
      z.object({ type: z.literal('pause'), pause: Pause }),
      /** Something the report should say: the method chosen, the point, what was kept aside. */
      z.object({ type: z.literal('fact'), fact: JobFact }),
      z.object({ type: z.literal('note'), text: EngineText }),
      z.object({ type: z.literal('warning'), text: EngineText }),
      z.object({ type: z.literal('end'), report: JobReport })
    ])
  )

/**
 * A line of a job's journal. `n` counts from 0; `step` lines are on disk before the step they announce. Its engine reads it to
 * put things right, so that what is in its own terms is read whole.
 */
export const JournalEntry = entryWith(z.string(), StepData, NotedVms)
export type JournalEntry = z.infer<typeof JournalEntry>

const LEFT_OUT = { leftOut: 'It is longer than what is taken of a host.' }
const isTaken = (said: unknown): boolean => charactersIn(said, LONGEST_STEP_DATA) <= LONGEST_STEP_DATA

/** The same, as much as is taken of an engine: here its terms are only shown. */
export const ToldEntry = entryWith(
  EngineWord,
  StepData.transform((data) => (isTaken(data) ? data : LEFT_OUT)),
  NotedVms.transform((vms) => (isTaken(vms) ? vms : [LEFT_OUT]))
)
type WithoutStamp<T> = T extends unknown ? Omit<T, 'n' | 'at'> : never
export type JournalEvent = WithoutStamp<JournalEntry>
