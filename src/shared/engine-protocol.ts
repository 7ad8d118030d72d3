import * as z from 'zod'
import {
  ENGINE_LIMITS,
  EngineName,
  EngineText,
  EngineWord,
  firstByName,
  firstOf,
  MOST_ANSWERED
} from './engine-limits.ts'
import { ChannelsChange, ChannelsView } from './model/channels.ts'
import { JobId, PointId, Uuid } from './model/ids.ts'
import { JobReport, JobSpec, Progress, ToldEntry } from './model/job.ts'
import { Manifest } from './model/point.ts'
import { Policy, PolicyId, PrunePlan, RunId, RunReport } from './model/policy.ts'
import { RestoreChoice } from './model/restore-choice.ts'
import { PolicyListing } from './views/policy-view.ts'
import { MarksChange, PointMarks } from './views/point-view.ts'
import { Bytes } from './model/figures.ts'

/**
 * What the engine on a host can be asked. `node engine.mjs VERB` reads one line of JSON (the question) from stdin and
 * writes JSON lines: any number of `{"event": …}`, then one `{"result": …}` or `{"failure": …}`. A result that is long is
 * `{"begun": …}`, without its long lists and texts, any number of `{"of": [keys], "more": …}`, each of which continues one of
 * these (`result-lines.ts`), and `{"ended": N}`, how many these were.
 * Exceptions: `export` writes a point stream (store/point-stream.ts) instead, and `import` reads one behind its question.
 * Engine and core are told apart by this number; a job that runs keeps the engine it began with.
 */
export const PROTOCOL_VERSION = 1

const Store = z.string().startsWith('/').max(4096)

export const PointListing = z.object({
  points: z.array(Manifest).max(MOST_ANSWERED.points),
  /** Directories that look like points but cannot be read or trusted: shown, never restored. */
  broken: firstOf(z.object({ path: EngineName, reason: EngineText }), ENGINE_LIMITS.brokenPoints),
  /** Of those points that have any. Engines before there were marks say nothing. */
  marks: firstByName(PointId, PointMarks, MOST_ANSWERED.points).default({})
})
export type PointListing = z.infer<typeof PointListing>

export const VerifyReport = z.object({
  point: PointId,
  good: z.boolean(),
  checkedBytes: Bytes,
  problems: firstOf(z.object({ file: EngineName, detail: EngineText }), ENGINE_LIMITS.findings),
  /** What was not or could not be checked, and what lies about unlisted. */
  notes: firstOf(EngineText, ENGINE_LIMITS.findings)
})
export type VerifyReport = z.infer<typeof VerifyReport>

export const Leftover = z.object({
  /** What kind of thing: overlay, block job, unit, lock, half point, kept aside ... */
  kind: EngineWord,
  /** In words, with names and paths. */
  what: EngineText,
  /** What `--repair` would do about it. */
  remedy: EngineText,
  repaired: z.boolean()
})
export type Leftover = z.infer<typeof Leftover>

/** What became of what a restore had kept aside, when its owner let go of it. */
export const LetGo = z.object({
  removed: firstOf(EngineName, ENGINE_LIMITS.findings),
  freedBytes: Bytes,
  /** What stays, since nothing proves that it may go. `isInNoPoint`: it goes if it is named. */
  kept: firstOf(
    z.object({ path: EngineName, because: EngineText, isInNoPoint: z.boolean().optional() }),
    ENGINE_LIMITS.findings
  )
})
export type LetGo = z.infer<typeof LetGo>

/** A way round something that a host does not have, in words: `put its cards on network default`. */
export const OfferedChoice = z.object({ label: EngineText, choice: RestoreChoice })
export type OfferedChoice = z.infer<typeof OfferedChoice>

/** One check before a restore: shown as a checklist. */
export const PreflightItem = z.object({
  check: EngineWord,
  state: z.enum(['ok', 'warning', 'problem']),
  text: EngineText,
  fix: EngineText.optional(),
  /** What the point wants of the host and nobody has allowed: its name for `--allow`. */
  allow: z.string().max(300).optional(),
  /** A disk that the point does not hold, and that the operator can say is the right one here: its name for `--attach`. */
  attach: z.string().max(300).optional(),
  /** It is so because it was chosen at an earlier restore to this host, which `--no-remembered` leaves aside. */
  remembered: z.boolean().optional(),
  /** The VM there that the restore would replace. */
  vm: z.object({ uuid: Uuid, name: EngineName }).optional(),
  /** What the operator can choose instead; with one of them it stands in the way no more. */
  choices: firstOf(OfferedChoice, ENGINE_LIMITS.ofJob).optional()
})
export type PreflightItem = z.infer<typeof PreflightItem>

/** Characters of one of a point's small files, at most. */
export const LONGEST_TEXT = 512 * 1024
const Text = z.string().max(LONGEST_TEXT)

/** `manifest.json`, `domain.xml`, `host.json`, and `memory.xml` if it has RAM, of a point that is elsewhere. */
export const PointTexts = z.strictObject({ manifest: Text, domain: Text, host: Text, memory: Text.optional() })
export type PointTexts = z.infer<typeof PointTexts>

const verb = <Q extends z.ZodType, E extends z.ZodType, R extends z.ZodType>(question: Q, event: E, result: R) => ({
  question,
  event,
  result
})
const none = z.object({})

export const engineVerbs = {
  /** Is this engine usable here? Also makes the folders and the boot-time unit. */
  probe: verb(
    none,
    z.never(),
    z.object({
      protocol: z.number().int(),
      engine: EngineWord,
      bootId: EngineWord,
      hostname: EngineWord,
      machineId: EngineWord
    })
  ),
  /** Does the host's systemd start this engine, and can it work as a unit? What stands in the way, if anything does. */
  'try-unit': verb(
    none,
    z.never(),
    z.object({ obstacle: z.object({ reason: EngineText, fix: EngineText }).optional() })
  ),
  /** Writes the job and starts its unit. Refuses with `vm-busy` while another job has the VM. Ends as soon as the unit runs. */
  submit: verb(
    z.object({ id: JobId, spec: JobSpec, fault: z.string().optional() }),
    z.never(),
    z.object({ id: JobId })
  ),
  /** Journal from entry `from` on; goes on until the job has ended (also through its recovery). Result: the final report. */
  follow: verb(z.object({ id: JobId, from: z.number().int().nonnegative() }), ToldEntry, JobReport),
  /** Asks the job to stop and waits until the host confirms it. Result: the final report. */
  cancel: verb(z.object({ id: JobId }), z.never(), JobReport),
  /** Jobs that the host remembers, newest first: the last 200, or as asked. `after`: those that are younger than this one. */
  jobs: verb(
    z.object({ limit: z.number().int().positive().optional(), after: JobId.optional() }),
    z.never(),
    z.array(JobReport).max(MOST_ANSWERED.reports)
  ),
  points: verb(z.object({ stores: z.array(Store), vm: Uuid.optional() }), z.never(), PointListing),
  /** Full check: sizes, SHA-256, image headers, `qemu-img check`. The verdict is noted beside the point. */
  verify: verb(z.object({ store: Store, point: PointId }), Progress, VerifyReport),
  delete: verb(z.object({ store: Store, point: PointId }), z.never(), z.object({ freedBytes: Bytes })),
  /** Changes the marks beside a point. Result: all of them. */
  mark: verb(z.object({ store: Store, point: PointId, ...MarksChange.shape }), z.never(), PointMarks),
  /** The point's small files, for a preflight on another host. */
  'read-small': verb(z.object({ store: Store, point: PointId }), z.never(), PointTexts),
  /** What a restore would meet, without touching anything. `files` speak for the point where the store has none yet. */
  preflight: verb(
    z.object({ spec: JobSpec, files: PointTexts.optional() }),
    z.never(),
    firstOf(PreflightItem, ENGINE_LIMITS.findings)
  ),
  export: verb(
    z.object({ store: Store, point: PointId, have: z.record(z.string(), z.number()) }),
    z.never(),
    z.never()
  ),
  /** What of this point an earlier `import` left behind: bytes by file. */
  'import-state': verb(
    z.object({ store: Store, point: PointId }),
    z.never(),
    z.object({ have: firstByName(EngineName, Bytes, ENGINE_LIMITS.filesOfPoint) })
  ),
  import: verb(z.object({ store: Store, point: PointId }), Progress, Manifest),
  /** Everything about policies but their history. */
  policies: verb(none, z.never(), PolicyListing),
  /** Writes a policy and its timer, or changes them; a run that goes on keeps what it began with. */
  'policy-put': verb(z.object({ policy: Policy, acceptStore: z.boolean().optional() }), z.never(), Policy),
  /** Takes the policy, its units and its runs off the host; its points stay. Result: what was removed. */
  'policy-remove': verb(
    z.object({ id: PolicyId }),
    z.never(),
    z.object({ removed: firstOf(EngineName, ENGINE_LIMITS.findings) })
  ),
  /** Starts a run by hand: also of a policy that is paused, or out of its hours. */
  'policy-run': verb(z.object({ id: PolicyId }), z.never(), z.object({ run: RunId })),
  /** Newest first: the last 100, or as asked. */
  runs: verb(
    z.object({ limit: z.number().int().positive().optional(), after: RunId.optional(), policy: PolicyId.optional() }),
    z.never(),
    z.array(RunReport).max(MOST_ANSWERED.reports)
  ),
  /** What the policy's rules would do now; nothing is touched. */
  'prune-plan': verb(z.object({ id: PolicyId }), z.never(), PrunePlan),
  parallel: verb(z.object({ parallel: z.number().int().min(1).max(16) }), z.never(), none),
  'channels-put': verb(z.object({ change: ChannelsChange }), z.never(), ChannelsView),
  /** Sends a test message now. Fails with `not-told`, with what the server said. */
  'channels-test': verb(z.object({ channel: z.enum(['mail', 'webhook']) }), z.never(), z.object({ text: EngineText })),
  recover: verb(z.object({ id: JobId.optional() }), z.never(), z.array(JobReport).max(MOST_ANSWERED.reports)),
  doctor: verb(
    z.object({ stores: z.array(Store), repair: z.boolean() }),
    z.never(),
    firstOf(Leftover, ENGINE_LIMITS.findings)
  ),
  /** Removes what this restore has replaced and kept aside; images that are in no point of these stores only if they are named. */
  'let-go': verb(
    z.object({ id: JobId, stores: z.array(Store).optional(), also: z.array(z.string().max(4096)).optional() }),
    z.never(),
    LetGo
  ),
  /** Takes everything of ours off the host but the points. Refuses while a job runs. */
  'remove-all': verb(none, z.never(), z.object({ removed: firstOf(EngineName, ENGINE_LIMITS.findings) }))
} as const

export type EngineVerb = keyof typeof engineVerbs
export type QuestionOf<V extends EngineVerb> = z.input<(typeof engineVerbs)[V]['question']>
export type EventOf<V extends EngineVerb> = z.output<(typeof engineVerbs)[V]['event']>
export type ResultOf<V extends EngineVerb> = z.output<(typeof engineVerbs)[V]['result']>
