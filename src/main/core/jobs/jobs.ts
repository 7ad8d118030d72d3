import { randomBytes } from 'node:crypto'
import { fail, failureOf, isFailure, type Failure } from '../../../shared/failure.ts'
import { newTimeSortedId } from '../../../shared/model/ids.ts'
import type { JobReport, JobSpec } from '../../../shared/model/job.ts'
import type { Core } from '../core.ts'
import { noteSubmitted, rememberWhatWorked } from '../hosts/remembered-choices.ts'
import { followJob, type FollowOptions } from './follow-job.ts'
import { onceEach, withoutFormerNames } from './whose-job.ts'

export const newJobId = (): string => newTimeSortedId(new Date(), randomBytes)

/** Starts a job on its host. From its return on the job ends there, whatever becomes of this computer. Returns its id. */
export async function submitJob(
  core: Core,
  host: string,
  spec: JobSpec,
  { fault, id = newJobId() }: { readonly fault?: string | undefined; readonly id?: string } = {}
): Promise<string> {
  const engine = await core.connections.engine(host)
  const question = { id, spec, ...(fault !== undefined && { fault }) }
  noteSubmitted(core.settings, host, id, spec)
  try {
    await engine.call('submit', question)
  } catch (error) {
    if (!isFailure(error, 'connection-lost')) throw error
    await engine.call('submit', question) // the same id: a job that was accepted before is not begun again
  }
  return id
}

/** Watches a job to its end and writes it down, behind what is being written, and what was chosen here for its host. */
export async function watchJob(core: Core, host: string, id: string, options: FollowOptions): Promise<JobReport> {
  const report = await followJob(
    async (question, call) => (await core.connections.engine(host)).call('follow', question, call),
    id,
    options
  )
  void core.history.addJobs([report])
  rememberWhatWorked(core.settings, host, id, report)
  return report
}

/** Resolves when the host has confirmed it. A job that had ended stays as it ended. */
export async function cancelJob(core: Core, host: string, id: string): Promise<JobReport> {
  const report = await (await core.connections.engine(host)).call('cancel', { id }, { timeoutMs: 1_200_000 })
  void core.history.addJobs([report])
  return report
}

export interface JobList {
  /** Newest first. */
  readonly jobs: readonly JobReport[]
  readonly unreachable: readonly Unreachable[]
}

export interface Unreachable {
  readonly host: string
  readonly failure: Failure
}

/** Jobs of all hosts, or of one, and what is known of those that cannot be asked. What has ended goes into the history. */
export async function listJobs(core: Core, host?: string): Promise<JobList> {
  const names = core.settings.read().hosts.map(({ name }) => name)
  if (host !== undefined && !names.includes(host)) fail({ kind: 'not-found', what: 'host', name: host })
  const asked = await Promise.all((host === undefined ? names : [host]).map((name) => jobsOf(core, name)))
  const current = asked.flatMap(({ jobs }) => jobs)
  await core.history.addJobs(current)
  const past = await core.history.jobs({ isMeant: (report) => host === undefined || report.host === host })
  const jobs = withoutFormerNames(onceEach([...past, ...current]), core.settings)
  return {
    jobs: jobs.sort((a, b) => b.id.localeCompare(a.id)),
    unreachable: asked.flatMap(({ unreachable }) => unreachable)
  }
}

async function jobsOf(core: Core, host: string): Promise<JobList> {
  try {
    const jobs = await (await core.connections.engine(host)).call('jobs', {})
    return { jobs: jobs, unreachable: [] }
  } catch (error) {
    return { jobs: [], unreachable: [{ host, failure: failureOf(error) }] }
  }
}

/** The one job whose id begins so, on whichever host; `host/id` says on which. */
export async function findJob(core: Core, prefix: string): Promise<JobReport> {
  const { jobs, unreachable } = await listJobs(core)
  const found = jobs.filter(({ host, id }) =>
    `${host}/${id}`.startsWith(prefix.includes('/') ? prefix : `${host}/${prefix}`)
  )
  if (found.length > 1)
    fail({ kind: 'ambiguous', what: 'job', name: prefix, candidates: found.map(({ host, id }) => `${host}/${id}`) })
  const lost = unreachable[0]
  return found[0] ?? (lost === undefined ? fail({ kind: 'not-found', what: 'job', name: prefix }) : fail(lost.failure))
}
