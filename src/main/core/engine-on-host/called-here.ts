import type { EngineVerb, EventOf, ResultOf } from '../../../shared/engine-protocol.ts'
import { UNREADABLE_BY } from '../../../shared/failure-data.ts'
import type { Failure, FailureKind, FailureOf } from '../../../shared/failure.ts'
import type { JobReport, JournalEntry } from '../../../shared/model/job.ts'
import type { Policy, RunReport } from '../../../shared/model/policy.ts'
import type { PolicyListing } from '../../../shared/views/policy-view.ts'

/**
 * Jobs, runs, policies and failures carry the name that whoever began them gave the host, or any that the host likes to say. What a host
 * tells is of that host, and is called as it is called here: this is the one place where its answers come in.
 */
type Calling = {
  readonly [V in EngineVerb]?: {
    readonly result?: (host: string, result: ResultOf<V>) => ResultOf<V>
    readonly event?: (host: string, event: EventOf<V>) => EventOf<V>
  }
}

const job = (host: string, report: JobReport): JobReport => ({ ...report, host, ...failing(host, report) })
const jobs = (host: string, reports: readonly JobReport[]): JobReport[] => reports.map((report) => job(host, report))
const run = (host: string, report: RunReport): RunReport => ({
  ...report,
  host,
  vms: report.vms.map((vm) => ({ ...vm, ...failing(host, vm) }))
})

const policy = (host: string, said: Policy): Policy => ({ ...said, hostName: host })

const calling: Calling = {
  jobs: { result: jobs },
  recover: { result: jobs },
  cancel: { result: job },
  follow: { result: job, event: entry },
  runs: { result: (host, reports) => reports.map((report) => run(host, report)) },
  policies: { result: listing },
  'policy-put': { result: policy }
}

/** A part of an answer, as it is called here. */
export function calledHere(host: string, verb: EngineVerb, part: 'result' | 'event', value: unknown): unknown {
  const rename = calling[verb]?.[part] as ((host: string, value: unknown) => unknown) | undefined
  return rename === undefined ? value : rename(host, value)
}

type Own = { readonly [K in FailureKind]?: (failure: FailureOf<K>, host: string) => FailureOf<K> }

const its = (host: string, text: string): string => (text === '' ? '' : prefixed(`${host}: `, text))
const says = (host: string, text: string): string => (text === '' ? '' : prefixed(`${host} says: `, text))

/** Where it was is where it was told, and what to do about it is what that host says. */
const own: Own = {
  'left-behind': (failure, host) => ({
    ...failure,
    ...(failure.after !== undefined && { after: failureOn(host, failure.after) }),
    left: failure.left.map((each) => ({ ...each, mend: linesOf(host, each.mend) }))
  }),
  'not-found': (failure, host) => (failure.where === undefined ? failure : { ...failure, where: host }),
  timeout: (failure, host) => ({ ...failure, what: its(host, failure.what) }),
  cancelled: (failure, host) => ({ ...failure, what: its(host, failure.what) }),
  'output-too-large': ({ host: named, ...failure }, host) => ({
    ...failure,
    what: its(host, failure.what),
    ...(named !== undefined && { host })
  }),
  'bad-output': (failure, host) => ({
    ...failure,
    what: failure.what === UNREADABLE_BY ? host : its(host, failure.what)
  }),
  'command-failed': (failure, host) => ({ ...failure, command: its(host, failure.command) }),
  io: (failure, host) => ({ ...failure, path: its(host, failure.path) }),
  'point-exists': (failure, host) => ({ ...failure, where: its(host, failure.where) }),
  'point-arriving': (failure, host) => ({ ...failure, by: says(host, failure.by) }),
  'vm-busy': (failure, host) => ({ ...failure, by: its(host, failure.by) }),
  usage: (failure, host) => ({ ...failure, message: says(host, failure.message) }),
  'unsupported-host': (failure, host) => ({
    ...failure,
    host,
    ...(failure.fix !== undefined && { fix: says(host, failure.fix) })
  }),
  'not-told': (failure, host) => ({ ...failure, fix: says(host, failure.fix) }),
  preflight: (failure, host) => ({
    ...failure,
    problems: failure.problems.map(({ text, fix }) => ({ text: its(host, text), fix: says(host, fix) }))
  })
}

/** A failure that a host told: of itself, whatever it says of others. */
export function failureOn(host: string, failure: Failure): Failure {
  const of = (own as Readonly<Record<string, ((failure: Failure, host: string) => Failure) | undefined>>)[failure.kind]
  if (of !== undefined) return of(failure, host)
  // A host that is full may name points to delete: its own.
  return 'host' in failure || failure.kind === 'no-room' ? { ...failure, host } : failure
}

const prefixed = (prefix: string, text: string): string => (text.startsWith(prefix) ? text : `${prefix}${text}`)

/** As a remark of the shell: the lines stay such that they can be typed. */
function linesOf(host: string, mend: readonly string[]): readonly string[] {
  const remark = `# ${host} says:`
  return mend.length === 0 || mend[0] === remark ? mend : [remark, ...mend]
}

const failing = (
  host: string,
  { failure }: { readonly failure?: Failure | undefined }
): { readonly failure?: Failure } => (failure === undefined ? {} : { failure: failureOn(host, failure) })

function entry(host: string, said: JournalEntry): JournalEntry {
  if (said.type === 'begin') return { ...said, spec: { ...said.spec, hostName: host } }
  return said.type === 'end' ? { ...said, report: job(host, said.report) } : said
}

function listing(host: string, said: PolicyListing): PolicyListing {
  const policies = said.policies.map(({ lastRun, ...state }) => ({
    ...state,
    policy: policy(host, state.policy),
    ...(lastRun !== undefined && { lastRun: run(host, lastRun) })
  }))
  return { ...said, policies }
}
