import { hasSucceeded, type ToldJob } from './job-words.ts'
import { withinYears } from './model/figures.ts'
import type { JobKind } from './model/job.ts'
import { claimOf, isHostClaimed, type PointOrigin } from './point-name.ts'

export type Span = Readonly<{ phase: string; ms: number }>

/** One job as downtime: a backup's pauses, a restore's time until the VM ran. What only a point says of its host is told as that. */
export interface Downtime extends PointOrigin {
  readonly kind: JobKind
  readonly vm: string
  readonly vmUuid: string
  readonly at: string
  readonly point?: string
  readonly method?: string
  readonly mode?: string
  readonly pauses: readonly Span[]
  readonly pauseMs: number
  readonly runningMs?: number
  /** Of a restore. */
  readonly phases: readonly Span[]
}

/** What is needed of a point. */
export interface TimedPoint extends PointOrigin {
  readonly id: string
  readonly vm: { readonly uuid: string; readonly name: string }
  /** Which hosts have it: one that is not known by its name may be one of these. */
  readonly places?: readonly { readonly host?: string | undefined }[]
  readonly takenAt: string
  readonly method: string
  readonly pauses?: readonly Span[]
  readonly pauseMs: number
}

/** From the jobs and, for what was taken by others or before, from the points themselves. Oldest first. */
export function downtimesOf(jobs: readonly ToldJob[], points: readonly TimedPoint[]): readonly Downtime[] {
  const told = jobs.flatMap((job) => ofJob(job) ?? [])
  const backups = new Set(
    told.flatMap(({ kind, host, vmUuid, point }) => (kind === 'backup' ? [`${host} ${vmUuid} ${point}`] : []))
  )
  // What another host says of a backup is no word about this one, whoever has a copy of its point.
  const isTold = (point: TimedPoint): boolean => {
    const { id, vm, host, places = [] } = point
    const names = isHostClaimed(point) ? [host, ...places.map((place) => place.host)] : [host]
    return names.some((name) => backups.has(`${name} ${vm.uuid} ${id}`))
  }
  const others = points.filter((point) => !isTold(point)).map(ofPoint)
  return [...told, ...others].sort((a, b) => a.at.localeCompare(b.at))
}

/** Milliseconds for which the VM was not there. Undefined: it was shut off, or was not started. */
export function downMs({ kind, method, pauseMs, runningMs }: Downtime): number | undefined {
  if (kind === 'restore') return runningMs
  return method === 'offline' ? undefined : pauseMs
}

const span = ({ phase, ms }: Span): Span => ({ phase, ms })

function ofJob(job: ToldJob): Downtime | undefined {
  const { kind, host, vm, startedAt, point, method, mode, runningMs } = job
  if ((kind !== 'backup' && kind !== 'restore') || point === undefined || !hasSucceeded(job)) return undefined
  if (job.copyOf !== undefined) return undefined // nothing was down
  return {
    kind,
    vm: vm.name,
    vmUuid: vm.uuid,
    host,
    at: startedAt,
    point,
    ...(method !== undefined && { method }),
    ...(mode !== undefined && { mode }),
    pauses: job.pauses.map(span),
    pauseMs: job.pauseMs,
    ...(runningMs !== undefined && { runningMs }),
    phases: kind === 'restore' ? job.phases.map(span) : []
  }
}

const ofPoint = ({ id, vm, host, takenAt, method, pauses, pauseMs, ...claim }: TimedPoint): Downtime => ({
  kind: 'backup',
  vm: vm.name,
  vmUuid: vm.uuid,
  host,
  ...claimOf(claim),
  at: withinYears(takenAt),
  point: id,
  method,
  pauses: (pauses ?? []).map(span),
  pauseMs,
  phases: []
})
