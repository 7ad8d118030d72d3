import type { KeepRules, PointFate, VmFate } from '../../../shared/model/policy.ts'
import { planRetention, type RetainedPoint, type RetentionSetting } from '../../../shared/retention/plan-retention.ts'
import { isGood } from '../../../shared/safety.ts'
import { parseCalendar, runsBetween, type Calendar } from '../../../shared/schedule/calendar.ts'
import type { VmView } from '../../../shared/views/host-view.ts'
import type { PointView } from '../../../shared/views/point-view.ts'

/** Points of a policy in its store, as its rules see them. Its host may know a little more: the plan there is the true one. */
export function fatesOfPoints(
  points: readonly PointView[],
  { id, host, store }: { readonly id: string; readonly host: string; readonly store: string },
  keep: KeepRules,
  setting: RetentionSetting
): readonly VmFate[] {
  const own = points.filter(
    ({ policy, places }) => policy?.id === id && places.some((place) => place.host === host && place.dir === store)
  )
  const byVm = Map.groupBy(own, ({ vm }) => vm.uuid)
  return [...byVm.values()].flatMap((ofVm) => {
    const [newest] = ofVm.toSorted((a, b) => b.takenAt.localeCompare(a.takenAt))
    if (newest === undefined) return []
    return [{ vm: newest.vm, points: planRetention(ofVm.map(retained), keep, setting) }]
  })
}

const retained = (point: PointView): RetainedPoint => ({
  id: point.id,
  takenAt: point.takenAt,
  sizeBytes: point.sizeBytes,
  ...(point.hasMemory && { memoryBytes: point.memoryBytes ?? 0 }),
  pinned: point.marks.pinned,
  good: isGood(point),
  disks: point.disks
})

/** What one point takes, as far as it can be known before there is one. */
export interface PointSize {
  readonly sizeBytes: number
  readonly memoryBytes: number
}

const UNKNOWN_VM: PointSize = { sizeBytes: 10 * 1024 ** 3, memoryBytes: 0 }

/** Of its newest point, else from what its disks take and its RAM is. */
export function sizeOf(vm: VmView | undefined, points: readonly PointView[]): PointSize {
  if (vm === undefined) return UNKNOWN_VM
  const [newest] = points
    .filter((point) => point.vm.uuid === vm.uuid)
    .sort((a, b) => b.takenAt.localeCompare(a.takenAt))
  const memoryBytes = vm.state === 'running' ? vm.ramBytes : 0
  if (newest !== undefined)
    return { sizeBytes: newest.sizeBytes, memoryBytes: newest.memoryBytes ?? Math.min(memoryBytes, newest.sizeBytes) }
  const disks = vm.disks.reduce((sum, { allocationBytes = 0 }) => sum + allocationBytes, 0)
  return { sizeBytes: disks + memoryBytes, memoryBytes }
}

export interface SimulatedYear {
  /** What is left then, newest first. */
  readonly points: readonly PointFate[]
  /** All that the calendar wants in that year. */
  readonly runCount: number
  /** Those that are drawn: the newest of them. */
  readonly drawn: number
}

const YEAR_MS = 365 * 86_400_000
/** As many points as can be thought through while one types. */
const MOST = 3000

/** What is left of one VM after a year of runs that all went well. Undefined: there is no run. */
export function simulateYear(
  calendarText: string,
  keep: KeepRules,
  timeZone: string,
  { sizeBytes, memoryBytes }: PointSize,
  now: Date
): SimulatedYear | undefined {
  const calendar = parseCalendar(calendarText)
  if ('problem' in calendar) return undefined
  const { runs, count } = lastRuns(calendar, timeZone, now)
  if (runs.length === 0) return undefined
  const points = runs.map((at, n) => ({
    id: `simulated ${n}`,
    takenAt: at.toISOString(),
    sizeBytes,
    ...(memoryBytes > 0 && { memoryBytes }),
    pinned: false,
    good: true,
    disks: ITS_DISK
  }))
  return { points: survivors(points, keep, timeZone), runCount: count, drawn: runs.length }
}

/** Of all the runs of a year the newest, where they are too many. */
function lastRuns(
  calendar: Calendar,
  timeZone: string,
  now: Date
): { readonly runs: readonly Date[]; readonly count: number } {
  const end = now.getTime() + YEAR_MS
  const from = (start: number) => runsBetween(calendar, timeZone, new Date(start), new Date(end), MOST)
  const year = from(now.getTime())
  return year.count <= MOST ? year : { count: year.count, runs: from(end - (YEAR_MS * MOST) / year.count).runs }
}

/** All points of a made-up year hold the same. */
const ITS_DISK = [{ target: 'vda', source: '' }]

/** So often it is pruned in that year, at most: what is more would take too long while one types. */
const MOST_PRUNINGS = 500

/**
 * Pruned as time goes by, as on the host: what the weekly rule has let go cannot be a month's newest later on. Of schedules
 * that run very often several runs are pruned at once.
 */
function survivors(points: readonly RetainedPoint[], keep: KeepRules, timeZone: string): readonly PointFate[] {
  const step = Math.ceil(points.length / MOST_PRUNINGS)
  let left: readonly RetainedPoint[] = []
  let fates: readonly PointFate[] = []
  for (let n = 0; n < points.length; n += step) {
    left = [...left, ...points.slice(n, n + step)]
    fates = planRetention(left, keep, { timeZone }).filter((fate) => fate.keep)
    const kept = new Set(fates.map(({ id }) => id))
    left = left.filter(({ id }) => kept.has(id))
  }
  return fates
}
