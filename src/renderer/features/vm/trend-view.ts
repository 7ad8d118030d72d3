import { hasSucceeded } from '../../../shared/job-words.ts'
import { classicPauseMs } from '../../../shared/estimate.ts'
import { isToldBy } from '../../../shared/told-by.ts'
import type { JobView } from '../../../shared/views/job-view.ts'
import type { PointView } from '../../../shared/views/point-view.ts'
import type { VmKnown } from './vm-view.ts'

/** One column of the chart: a backup or a restore. What does not belong to it is left out. */
export interface DowntimeRow {
  /** Epoch milliseconds. */
  readonly at: number
  readonly pauseMs?: number
  /** A restore: from its start until the VM ran. */
  readonly runningMs?: number
  /** What the classic method would have cost. */
  readonly classicMs?: number
}

/** Of a VM that a host has, the points that this host has told of: how it went is no other's to say. */
export const pointsOfTrend = ({
  vm,
  hostName,
  points
}: Pick<VmKnown, 'vm' | 'hostName' | 'points'>): readonly PointView[] =>
  vm === undefined ? points : points.filter((point) => isToldBy(point, new Set([hostName])))

/**
 * Pauses of backups and times to running of restores, oldest first. Backups whose points are gone count as well; those
 * of a VM that was off do not: nothing stood still.
 */
export function downtimeRows(
  points: readonly PointView[],
  jobs: readonly JobView[],
  ramBytes: number | undefined
): readonly DowntimeRow[] {
  const classic = ramBytes === undefined ? {} : { classicMs: classicPauseMs(ramBytes) }
  const known = new Set(points.map(({ id }) => id))
  const ended = jobs.filter(hasSucceeded)
  const gone = ended.filter(({ kind, point }) => kind === 'backup' && point !== undefined && !known.has(point))
  const backups = [
    ...points.map(({ takenAt, pauseMs }) => ({ at: takenAt, pauseMs })),
    ...gone.map(({ startedAt, pauseMs }) => ({ at: startedAt, pauseMs }))
  ]
  const restores = ended.filter(({ kind, runningMs }) => kind === 'restore' && runningMs !== undefined)
  return [
    ...backups
      .filter(({ pauseMs }) => pauseMs > 0)
      .map(({ at, pauseMs }) => ({ at: Date.parse(at), pauseMs, ...classic })),
    ...restores.map(({ startedAt, runningMs = 0 }) => ({ at: Date.parse(startedAt), runningMs }))
  ].sort((a, b) => a.at - b.at)
}

export interface SizeRow {
  readonly at: number
  readonly bytes: number
}

export const sizeRows = (points: readonly PointView[]): readonly SizeRow[] =>
  points.map(({ takenAt, sizeBytes }) => ({ at: Date.parse(takenAt), bytes: sizeBytes })).sort((a, b) => a.at - b.at)

export interface Scale {
  readonly domain: readonly [number, number]
  readonly ticks: readonly number[]
}

/** Powers of ten around all values: 48 ms and 8.6 s cannot be read off the same straight scale. */
export function logScale(values: readonly number[]): Scale {
  const real = values.filter((value) => value > 0)
  const low = Math.floor(Math.log10(Math.min(...real, 10)))
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...real, 100))))
  const ticks = Array.from({ length: high - low + 1 }, (_, n) => 10 ** (low + n))
  return { domain: [10 ** low, 10 ** high], ticks }
}

/** Of a power of ten: `10 ms`, `100 s`. */
export const stepShown = (ms: number): string => (ms < 1000 ? `${ms} ms` : `${ms / 1000} s`)

/** From nothing to a power of two or three quarters of one, in four steps: sizes are read in those. */
export function byteScale(values: readonly number[]): Scale {
  const most = Math.max(...values, 1)
  const power = 2 ** Math.ceil(Math.log2(most))
  const top = most <= 0.75 * power ? 0.75 * power : power
  return { domain: [0, top], ticks: [0, 0.25, 0.5, 0.75, 1].map((share) => share * top) }
}

export const valuesOf = (rows: readonly DowntimeRow[], budgetMs: number): readonly number[] => [
  budgetMs,
  ...rows
    .flatMap(({ pauseMs, runningMs, classicMs }) => [pauseMs, runningMs, classicMs])
    .filter((ms) => ms !== undefined)
]
