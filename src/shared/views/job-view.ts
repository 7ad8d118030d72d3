import * as z from 'zod'
import { PreflightItem, VerifyReport } from '../engine-protocol.ts'
import { JobId, PointId, Uuid } from '../model/ids.ts'
import { JobReport, OnBusy, Progress } from '../model/job.ts'
import { Method } from '../model/point.ts'
import { RestoreChoices } from '../model/restore-choice.ts'
import { Pause, Phase } from '../model/pause.ts'
import { FailureData } from '../failure-data.ts'

/** Backups and restores run on a host and end there; verifying and copying run in Stillpoint and end with it. */
export const JobViewKind = z.enum(['backup', 'restore', 'verify', 'copy'])
export type JobViewKind = z.infer<typeof JobViewKind>

/** Of a restore that this Stillpoint began, on whichever host: when, and the VM of the point, whatever its host says. */
export const BegunHere = z.object({
  at: z.iso.datetime(),
  vm: Uuid,
  /** Hosts that have told of the point, and whether this computer stands for it. */
  toldBy: z.array(z.string()).readonly(),
  isOurs: z.boolean()
})
export type BegunHere = z.infer<typeof BegunHere>

/** A job as the window lists it: its report, so far or final. */
export const JobView = JobReport.extend({
  kind: JobViewKind,
  /** Of a copy: the place it goes to. Of a verification: the place that is read. */
  place: z.string().optional(),
  verify: VerifyReport.optional(),
  begun: BegunHere.optional(),
  /** It failed or was cancelled, and the same can be asked for again. */
  retryable: z.boolean(),
  /** What this computer does itself fails also of the way to a host. */
  failure: FailureData.optional()
})
export type JobView = z.infer<typeof JobView>

/** What moves in a job that runs; several times a second at most. */
export const JobLive = z.object({
  id: JobId,
  progress: Progress.optional(),
  /** Phases begun so far; the last one is still going on if `ms` grows. */
  phases: z.array(Phase),
  pauses: z.array(Pause),
  warnings: z.array(z.string()),
  /** When the host last said something about it. */
  lastSignAt: z.iso.datetime(),
  /** The connection is gone; the job goes on there. */
  lost: FailureData.optional(),
  cancelling: z.boolean()
})
export type JobLive = z.infer<typeof JobLive>

/** A line of a job's story, for people; the journal's own line is in `raw`. */
export const LogLine = z.object({ at: z.iso.datetime(), type: z.string(), text: z.string(), raw: z.string() })
export type LogLine = z.infer<typeof LogLine>

export const BackupQuestion = z.strictObject({
  host: z.string().max(300),
  vm: Uuid,
  /** Undefined: live for a running VM, else what its state and devices allow. */
  method: Method.optional(),
  store: z.string().max(4096).optional(),
  budgetMs: z.number().positive().max(3_600_000).optional(),
  onBusy: OnBusy.optional(),
  excludeDisks: z.array(z.string().max(32)).max(256).optional(),
  media: z.boolean().optional()
})
export type BackupQuestion = z.infer<typeof BackupQuestion>

/** What a backup would cost, before it starts. */
export const Estimate = z.object({
  method: Method,
  methodReason: z.string(),
  pauseMs: z.object({ low: z.number(), high: z.number() }),
  durationMs: z.object({ low: z.number(), high: z.number() }),
  sizeBytes: z.number(),
  /** For the time of the backup: the point, and what the VM may write meanwhile. */
  neededBytes: z.number(),
  /** Undefined: not known. */
  freeBytes: z.number().optional(),
  /** What the classic method would cost in pause. */
  classicPauseMs: z.number(),
  /** Earlier backups of this VM by this method that this is drawn from; 0: drawn from sizes alone. */
  samples: z.number().int(),
  /** What stands in the way, or is worth knowing. */
  remarks: z.array(z.string())
})
export type Estimate = z.infer<typeof Estimate>

export const RestoreViewMode = z.enum(['resume', 'boot', 'define', 'copy'])
export type RestoreViewMode = z.infer<typeof RestoreViewMode>

export const RestoreQuestion = z.strictObject({
  point: PointId,
  to: z.string().max(300),
  /** `copy`: a second VM beside the first, with a name, UUID and MAC addresses of its own. */
  mode: RestoreViewMode,
  /** Of a copy: its name. */
  newName: z.string().min(1).max(200).optional(),
  /** Of a copy: start it, or only define it. */
  start: z.boolean().optional(),
  replace: z.boolean(),
  /** What was chosen where the host is not as the VM asks. */
  choices: RestoreChoices.optional(),
  /** What the point may have of the host beyond the storage of VMs: items by name. */
  allow: z.array(z.string().min(1).max(300)).max(200).optional(),
  /** Disks that are not in the point, and are the same on this host: they stay attached. */
  attachDisks: z.array(z.string().min(1).max(300)).max(256).optional(),
  /** What was chosen for this host before is left aside. */
  remembered: z.literal(false).optional()
})
export type RestoreQuestion = z.infer<typeof RestoreQuestion>

export const PreflightView = z.object({
  items: z.array(PreflightItem),
  /** What has to come from another place first; 0 if the target has the point. */
  bytesToMove: z.number(),
  /** The VM there that would be replaced, and kept aside. */
  replaces: z.object({ name: z.string(), uuid: z.string() }).optional()
})
export type PreflightView = z.infer<typeof PreflightView>
