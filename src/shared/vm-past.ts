import { newest } from './vm-places.ts'
import type { JobView } from './views/job-view.ts'
import type { PointView } from './views/point-view.ts'

/** A restore after which the VM, or a copy of it, ran. */
export interface Proof {
  readonly at: string
  readonly host: string
  readonly runningMs: number | undefined
}

export function failingBackup(jobs: readonly JobView[], lastPoint: PointView | undefined): JobView | undefined {
  const last = newest(
    jobs.filter(({ kind, endedAt, state }) => kind === 'backup' && endedAt !== undefined && state !== 'cancelled'),
    (job) => job.startedAt
  )
  if (last === undefined || !last.state.startsWith('failed')) return undefined
  return lastPoint === undefined || last.startedAt > lastPoint.takenAt ? last : undefined
}

export function provenBy(jobs: readonly JobView[]): Proof | undefined {
  const last = newest(
    jobs.filter(
      ({ kind, state, mode }) =>
        kind === 'restore' && (state === 'done' || state === 'done-with-warnings') && mode !== 'define'
    ),
    (job) => job.startedAt
  )
  return last && { at: last.endedAt ?? last.startedAt, host: last.host, runningMs: last.runningMs }
}

export const pausesOf = (points: readonly PointView[]): readonly number[] =>
  points
    .filter(({ method }) => method !== 'offline')
    .toSorted((a, b) => a.takenAt.localeCompare(b.takenAt))
    .slice(-20)
    .map(({ pauseMs }) => pauseMs)
