import type { Failure } from '../../../shared/failure.ts'
import { isEnded } from '../../../shared/model/job.ts'
import type { JobLive, JobView, JobViewKind } from '../../../shared/views/job-view.ts'

/** How a job ended, as one filters by it. */
export const OUTCOMES = ['good', 'warned', 'failed', 'cancelled'] as const
export type Outcome = (typeof OUTCOMES)[number]

/** Undefined and empty parts let everything through. */
export interface JobFilter {
  readonly host: string | undefined
  /** Part of the VM's name, or its whole UUID. */
  readonly vm: string
  readonly kind: JobViewKind | undefined
  readonly outcome: Outcome | undefined
  /** Its id; `BY_HAND`: none. */
  readonly policy: string | undefined
}

/** Jobs that no schedule wanted. */
export const BY_HAND = '-'

export const NO_FILTER: JobFilter = { host: undefined, vm: '', kind: undefined, outcome: undefined, policy: undefined }

export const isFiltering = ({ host, vm, kind, outcome, policy }: JobFilter): boolean =>
  [host, kind, outcome, policy].some((part) => part !== undefined) || vm.trim() !== ''

/** Undefined while it runs. A verification that found damage has failed, although it did its work. */
export function outcomeOf(job: JobView): Outcome | undefined {
  if (!isEnded(job.state)) return undefined
  if (job.state === 'cancelled') return 'cancelled'
  if (job.state.startsWith('failed') || job.verify?.good === false) return 'failed'
  return job.state === 'done-with-warnings' || job.warnings.length > 0 ? 'warned' : 'good'
}

export const runningJobs = (jobs: readonly JobView[]): readonly JobView[] => jobs.filter(({ state }) => !isEnded(state))

export function pastJobs(jobs: readonly JobView[], filter: JobFilter): readonly JobView[] {
  const sought = filter.vm.trim().toLowerCase()
  return jobs.filter((job) => isEnded(job.state) && passes(job, filter, sought))
}

function passes(job: JobView, { host, kind, outcome, policy }: JobFilter, sought: string): boolean {
  if (host !== undefined && job.host !== host) return false
  if (kind !== undefined && job.kind !== kind) return false
  if (outcome !== undefined && outcomeOf(job) !== outcome) return false
  if (policy !== undefined && (job.policy?.id ?? BY_HAND) !== policy) return false
  return sought === '' || job.vm.name.toLowerCase().includes(sought) || job.vm.uuid === sought
}

/** Every host that a job ran on, by name. */
export const hostsOf = (jobs: readonly JobView[]): readonly string[] =>
  [...new Set(jobs.map(({ host }) => host))].sort()

/** A schedule that wanted a job, as it is called now, or was when it last wanted one. */
export interface JobPolicy {
  readonly id: string
  readonly name: string
  readonly host: string
}

/** Every schedule that wanted a job, by name; those that are gone, too. Jobs are newest first. */
export function policiesOf(jobs: readonly JobView[]): readonly JobPolicy[] {
  const found = new Map<string, JobPolicy>()
  for (const { policy, host } of jobs) {
    if (policy !== undefined && !found.has(policy.id)) found.set(policy.id, { ...policy, host })
  }
  return [...found.values()].toSorted((a, b) => a.name.localeCompare(b.name) || a.host.localeCompare(b.host))
}

/** From its start to its end, or until now. */
export const tookMs = ({ startedAt, endedAt }: JobView, now: Date): number =>
  Math.max(0, (endedAt === undefined ? now.getTime() : Date.parse(endedAt)) - Date.parse(startedAt))

/** Of what this computer does itself. A job of a host may only not have been listened to: the core knows, and says it. */
const STALLED_AFTER_MS = 60_000

/** What is known of a job that runs, and since when nothing was heard of it. */
export interface Liveness {
  readonly is: 'queued' | 'going' | 'cancelling' | 'recovering' | 'stalled' | 'lost'
  readonly quietMs: number | undefined
  /** Of `lost`. */
  readonly failure: Failure | undefined
}

export function livenessOf(job: JobView, live: JobLive | undefined, now: Date): Liveness {
  const quietMs = live && Math.max(0, now.getTime() - Date.parse(live.lastSignAt))
  return { is: stateOf(job, live, quietMs), quietMs, failure: live?.lost }
}

const isLong = (quietMs: number | undefined): boolean => quietMs !== undefined && quietMs > STALLED_AFTER_MS

function stateOf(job: JobView, live: JobLive | undefined, quietMs: number | undefined): Liveness['is'] {
  if (live?.lost !== undefined) return 'lost'
  if (job.state === 'stalled' || (job.isHere === true && isLong(quietMs))) return 'stalled'
  if (live?.cancelling === true) return 'cancelling'
  if (job.state === 'recovering') return 'recovering'
  return job.state === 'queued' ? 'queued' : 'going'
}
