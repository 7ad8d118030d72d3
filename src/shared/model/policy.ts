import * as z from 'zod'
import { ENGINE_LIMITS, EngineName, EngineText, EngineWord, firstOf } from '../engine-limits.ts'
import { HostFailureData } from '../failure-data.ts'
import { JobId, PointId, PolicyName, TimeSortedId, Uuid } from './ids.ts'
import { Bytes, Count, Milliseconds, Moment } from './figures.ts'
import { BackupSpec } from './job.ts'

/** Names a policy in files and units of its host. */
export const PolicyId = PolicyName.shape.id
export type PolicyId = z.infer<typeof PolicyId>
export const RunId = TimeSortedId
export type RunId = z.infer<typeof RunId>

/** The whole name of a VM, where `*` is any text and `?` one character, or its whole UUID. */
const VmPattern = z.string().min(1).max(300)
const Exclude = z.array(VmPattern).max(1000)
const NamedVm = z.strictObject({ uuid: Uuid, name: z.string().max(4096) })

/** Which VMs, found anew at every run. */
export const VmSelection = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('all'), exclude: Exclude }),
  z.strictObject({ kind: z.literal('pattern'), patterns: z.array(VmPattern).min(1).max(100), exclude: Exclude }),
  z.strictObject({ kind: z.literal('chosen'), vms: z.array(NamedVm).min(1).max(1000) })
])
export type VmSelection = z.infer<typeof VmSelection>

const TimeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/)

export const Schedule = z.strictObject({
  /** As systemd's `OnCalendar=` has it, in the host's time zone unless it names one. */
  calendar: z.string().min(1).max(500),
  /** Each run is later by a share of this that stays the same for this policy on this host. */
  jitterSeconds: z.number().int().min(0).max(86_400),
  /** Backups begin only in these hours of the host; what is left then is skipped. May go over midnight. */
  window: z.strictObject({ from: TimeOfDay, to: TimeOfDay }).optional()
})
export type Schedule = z.infer<typeof Schedule>

const count = z.number().int().nonnegative().max(10_000).optional()

/** How long points of a policy stay. Without any of the counts: for ever. */
export const KeepRules = z.strictObject({
  last: count,
  hourly: count,
  daily: count,
  weekly: count,
  monthly: count,
  yearly: count,
  /** RAM stays in the newest so many points; the disks of the others stay. Undefined: in all. */
  memory: count,
  /** A VM never has fewer good points than this because of these rules. */
  floor: z.number().int().min(1).max(1000),
  /** From the trash to gone. */
  graceHours: z.number().min(0).max(8784)
})
export type KeepRules = z.infer<typeof KeepRules>
export const DEFAULT_FLOOR = 3
export const DEFAULT_GRACE_HOURS = 24

const MailAddress = z
  .string()
  .regex(/^[^\s<>,;:"()@]+@[^\s<>,;:"()@]+$/)
  .max(320)

export const TellRules = z.strictObject({
  onSuccess: z.boolean(),
  onFailure: z.boolean(),
  digest: z.enum(['none', 'daily', 'weekly']),
  /** Empty: whoever the host's mail settings name. */
  mailTo: z.array(MailAddress).max(20)
})
export type TellRules = z.infer<typeof TellRules>

/** A command for `sh`, as root on the host, killed with all it started at its deadline. */
export const Hook = z.strictObject({
  command: z.string().min(1).max(4096),
  deadlineSeconds: z.number().int().min(1).max(3600)
})
export type Hook = z.infer<typeof Hook>

/** Run round each VM's backup. */
export const Hooks = z.strictObject({
  before: Hook.optional(),
  after: Hook.optional(),
  /** A failing `before` stops the backup of that VM; otherwise it is a warning. */
  beforeMustSucceed: z.boolean()
})
export type Hooks = z.infer<typeof Hooks>

export const POLICY_VERSION = 1

/** What is backed up when, how, and how long it stays. On one host, in `policies/<id>.json` there. */
export const Policy = z.strictObject({
  version: z.literal(POLICY_VERSION),
  id: PolicyId,
  name: z
    .string()
    .min(1)
    .max(100)
    .regex(/^[^\p{Cc}]+$/u)
    .regex(/^\S(.*\S)?$/u),
  ...BackupSpec.pick({
    hostName: true,
    method: true,
    store: true,
    budgetMs: true,
    onBusy: true,
    excludeDisks: true,
    media: true
  }).shape,
  vms: VmSelection,
  schedule: Schedule,
  keep: KeepRules,
  tell: TellRules,
  hooks: Hooks.optional(),
  /** A VM without a good point for longer is an alarm. Undefined: from the schedule. */
  expectEveryHours: z.number().positive().max(8784).optional(),
  /** Runs of the timer are skipped until then; for good where it is far away. */
  pausedUntil: z.iso.datetime().max(40).optional(),
  changedAt: z.iso.datetime().max(40)
})
export type Policy = z.infer<typeof Policy>

export const RunTrigger = z.enum(['timer', 'manual'])
export type RunTrigger = z.infer<typeof RunTrigger>

export const RunState = z.enum(['running', 'done', 'done-with-warnings', 'failed', 'skipped'])
export type RunState = z.infer<typeof RunState>

/** What became of one VM in a run. */
export const RunVm = z.object({
  vm: z.object({ uuid: Uuid, name: EngineName }),
  outcome: z.enum(['waiting', 'running', 'done', 'done-with-warnings', 'failed', 'skipped', 'cancelled']),
  /** In words: why it was skipped or failed. */
  reason: EngineText.optional(),
  failure: HostFailureData.optional(),
  job: JobId.optional(),
  point: PointId.optional(),
  method: EngineWord.optional(),
  sizeBytes: Bytes.optional(),
  pauseMs: Milliseconds.optional(),
  durationMs: Milliseconds.optional()
})
export type RunVm = z.infer<typeof RunVm>

/** What was done about old points after a run. */
export const Pruned = z.object({
  trashed: firstOf(PointId, ENGINE_LIMITS.ofRun),
  removed: firstOf(PointId, ENGINE_LIMITS.ofRun),
  memoryDropped: firstOf(PointId, ENGINE_LIMITS.ofRun),
  freedBytes: Bytes,
  /** Why nothing, or not everything, was done. */
  refused: firstOf(EngineText, ENGINE_LIMITS.ofJob)
})
export type Pruned = z.infer<typeof Pruned>

export const Told = z.object({ channel: z.enum(['mail', 'webhook']), ok: z.boolean(), text: EngineText })
export type Told = z.infer<typeof Told>

/** One run of a policy in every rendering: screen, mail, webhook, terminal. */
export const RunReport = z.object({
  id: RunId,
  policy: PolicyName,
  host: EngineName,
  trigger: RunTrigger,
  /** When the calendar wanted it; undefined for a run by hand. */
  scheduledFor: Moment.optional(),
  startedAt: Moment,
  endedAt: Moment.optional(),
  state: RunState,
  /** Why it was skipped or failed as a whole. */
  reason: EngineText.optional(),
  /** Runs that the calendar wanted since the last one and that did not happen: at most 50 of them, and how many. */
  missed: firstOf(z.object({ at: Moment, reason: EngineText }), ENGINE_LIMITS.ofJob),
  missedCount: Count,
  vms: firstOf(RunVm, ENGINE_LIMITS.ofRun),
  pruned: Pruned.optional(),
  told: firstOf(Told, ENGINE_LIMITS.ofJob),
  nextRunAt: Moment.optional(),
  warnings: firstOf(EngineText, ENGINE_LIMITS.ofJob)
})
export type RunReport = z.infer<typeof RunReport>

/** A line of a run's journal, `runs/<run-id>/journal.jsonl`; fsynced before what it announces. */
export const RunEntry = z.intersection(
  z.object({ n: z.number().int(), at: Moment }),
  z.discriminatedUnion('type', [
    z.object({ type: z.literal('begin'), report: RunReport, bootId: z.string() }),
    z.object({ type: z.literal('vm'), vm: RunVm }),
    z.object({ type: z.literal('warning'), text: EngineText }),
    /** A hook of this VM begins, or has ended. */
    z.object({ type: z.literal('hook'), vm: Uuid, phase: z.enum(['before', 'after']), done: z.boolean() }),
    z.object({
      type: z.literal('prune'),
      action: z.enum(['trash', 'remove', 'drop-memory']),
      store: z.string(),
      vm: Uuid,
      point: PointId,
      why: z.string(),
      done: z.boolean(),
      /** Of one that a job of this run removed before its backup, for the room: what it took. */
      forRoomBytes: Bytes.optional()
    }),
    z.object({ type: z.literal('pruned'), pruned: Pruned }),
    z.object({ type: z.literal('told'), told: Told }),
    z.object({ type: z.literal('end'), report: RunReport })
  ])
)
export type RunEntry = z.infer<typeof RunEntry>

/** A point, and what the rules say of it. */
export const PointFate = z.object({
  id: PointId,
  takenAt: Moment,
  sizeBytes: Bytes,
  keep: z.boolean(),
  /** `last 1 of 4`, `daily 2026-11-24`, `pinned`, `one of the last 3 good points`, ... Of one that goes: why nothing keeps it. */
  reasons: firstOf(EngineText, ENGINE_LIMITS.ofJob),
  memory: z.enum(['none', 'kept', 'dropped']),
  /** What goes from the store, RAM alone included. */
  freesBytes: Bytes
})
export type PointFate = z.infer<typeof PointFate>

export const VmFate = z.object({
  vm: z.object({ uuid: Uuid, name: EngineName }),
  /** Newest first. */
  points: firstOf(PointFate, ENGINE_LIMITS.ofRun),
  /** Why nothing of this VM goes now. */
  refused: EngineText.optional()
})
export type VmFate = z.infer<typeof VmFate>

export const PrunePlan = z.object({
  vms: firstOf(VmFate, ENGINE_LIMITS.ofRun),
  freesBytes: Bytes,
  /** Why nothing at all goes now: the clock, the store. */
  refused: EngineText.optional(),
  /** In the trash already. */
  trash: z.object({ points: Count, bytes: Bytes })
})
export type PrunePlan = z.infer<typeof PrunePlan>
