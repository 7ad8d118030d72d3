import type { EngineVerb, EventOf, ResultOf } from '../../../shared/engine-protocol.ts'
import type { Failure } from '../../../shared/failure.ts'
import type { JobReport, JournalEntry } from '../../../shared/model/job.ts'
import type { RunReport } from '../../../shared/model/policy.ts'
import type { PolicyListing } from '../../../shared/views/policy-view.ts'

/**
 * Jobs, runs and failures carry the name that whoever began them gave the host, or any that the host likes to say. What a host
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

const calling: Calling = {
  jobs: { result: jobs },
  recover: { result: jobs },
  cancel: { result: job },
  follow: { result: job, event: entry },
  runs: { result: (host, reports) => reports.map((report) => run(host, report)) },
  policies: { result: listing }
}

/** A part of an answer, as it is called here. */
export function calledHere(host: string, verb: EngineVerb, part: 'result' | 'event', value: unknown): unknown {
  const rename = calling[verb]?.[part] as ((host: string, value: unknown) => unknown) | undefined
  return rename === undefined ? value : rename(host, value)
}

/** A failure that a host told. */
export function failureOn(host: string, failure: Failure): Failure {
  if (failure.kind === 'left-behind' && failure.after !== undefined)
    return { ...failure, after: failureOn(host, failure.after) }
  // A host that is full may name points to delete: its own.
  return 'host' in failure || failure.kind === 'no-room' ? { ...failure, host } : failure
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
    ...(lastRun !== undefined && { lastRun: run(host, lastRun) })
  }))
  return { ...said, policies }
}
