import type { HostView, VmView } from './views/host-view.ts'
import type { JobView } from './views/job-view.ts'
import type { PointsView, PointView } from './views/point-view.ts'
import type { Choices } from './views/settings-view.ts'

/** Everything that says whether the company is safe. Undefined parts are not known yet. */
export interface Known {
  readonly hosts: readonly HostView[] | undefined
  readonly points: PointsView | undefined
  readonly jobs: readonly JobView[] | undefined
  readonly choices: Choices | undefined
}

/**
 * From worst to best. `gone`: it has points, and no host has it. `muted`: left alone on purpose. `unknown` is never
 * shown as good.
 */
export const SAFETY = ['none', 'failing', 'gone', 'old', 'unknown', 'muted', 'good'] as const
export type Safety = (typeof SAFETY)[number]

/** One VM, and how safe it is. A VM that only its points remember is there too: it may be what has to be restored. */
export interface VmSafety {
  readonly uuid: string
  readonly name: string
  readonly host: string
  /** Undefined: no host has it now. */
  readonly vm: VmView | undefined
  readonly safety: Safety
  /** Newest good point; one that was verified and found damaged is none. */
  readonly lastPoint: PointView | undefined
  readonly pointCount: number
  /** Newest restore after which the VM, or a copy of it, ran from one of its points. */
  readonly lastProven:
    { readonly at: string; readonly host: string; readonly runningMs: number | undefined } | undefined
  /** Of the last backups that paused it, oldest first, at most 20. */
  readonly pausesMs: readonly number[]
  /** The newest backup, where it failed after the newest good point. */
  readonly failing: JobView | undefined
  readonly running: JobView | undefined
  readonly mutedBecause: string | undefined
}

/** Worst first, then by name. */
export function safetyOf(known: Known, now: Date): readonly VmSafety[] {
  const { hosts, points, jobs, choices } = known
  if (hosts === undefined) return []
  const goodPoints = groupBy((points?.points ?? []).filter(isGood), (point) => point.vm.uuid)
  const jobsByVm = groupBy(jobs ?? [], (job) => job.vm.uuid)
  const provingByVm = groupBy(jobs ?? [], (job) => job.copyOf?.uuid ?? job.vm.uuid)
  const muted = new Map((choices?.muted ?? []).map((each) => [each.uuid, each.reason]))
  const limitMs = (choices?.expectEveryHours ?? Infinity) * 3_600_000
  const isKnown = points?.known === true && jobs !== undefined && choices !== undefined
  const isEachSeen = hosts.every(isSeen)
  const all = placesOf(hosts, points).map((place): VmSafety => {
    const ofVm = goodPoints.get(place.uuid) ?? []
    const lastPoint = newest(ofVm, takenAt)
    const vmJobs = jobsByVm.get(place.uuid) ?? []
    const failing = failingBackup(vmJobs, lastPoint)
    const mutedBecause = muted.get(place.uuid)
    const isOld = lastPoint !== undefined && now.getTime() - Date.parse(lastPoint.takenAt) > limitMs
    return {
      ...place,
      safety: judge({
        isKnown,
        isMuted: mutedBecause !== undefined,
        isGone: place.vm === undefined && isEachSeen,
        isExpected: choices !== undefined,
        lastPoint,
        isFailing: failing !== undefined,
        isOld
      }),
      lastPoint,
      pointCount: ofVm.length,
      lastProven: provenBy(provingByVm.get(place.uuid) ?? []),
      pausesMs: pausesOf(ofVm),
      failing,
      running: vmJobs.find(({ endedAt, kind }) => endedAt === undefined && kind !== 'verify' && kind !== 'copy'),
      mutedBecause
    }
  })
  return all.sort((a, b) => SAFETY.indexOf(a.safety) - SAFETY.indexOf(b.safety) || byName(a, b))
}

const { compare } = new Intl.Collator(undefined, { numeric: true })
const byName = (a: VmSafety, b: VmSafety): number => compare(a.name, b.name)

interface Judged {
  /** Points, jobs and choices: a lack can be told from not knowing. */
  readonly isKnown: boolean
  readonly isMuted: boolean
  readonly isGone: boolean
  /** It is known how old a point may be. */
  readonly isExpected: boolean
  readonly lastPoint: PointView | undefined
  readonly isFailing: boolean
  readonly isOld: boolean
}

function judge({ isKnown, isMuted, isGone, isExpected, lastPoint, isFailing, isOld }: Judged): Safety {
  if (isMuted) return 'muted'
  if (lastPoint === undefined) return isKnown ? 'none' : 'unknown'
  if (isFailing) return 'failing'
  if (isGone) return 'gone'
  if (isOld) return isKnown ? 'old' : 'unknown'
  return isExpected ? 'good' : 'unknown'
}

/** Its VMs are known, if only as they were. A host that never answered may have any. */
const isSeen = ({ asOf }: HostView): boolean => asOf !== undefined

export const isGood = (point: PointView): boolean => point.marks.verified?.good !== false

/** Every VM that a host has, and those that only points of theirs remember. */
function placesOf(
  hosts: readonly HostView[],
  points: PointsView | undefined
): readonly Pick<VmSafety, 'uuid' | 'name' | 'host' | 'vm'>[] {
  const there = hosts.flatMap((host) =>
    host.vms.map((vm) => ({ uuid: vm.uuid, name: vm.name, host: host.name, vm: vm }))
  )
  const seen = new Set(there.map(({ uuid }) => uuid))
  const left = (points?.points ?? []).filter(({ vm }) => !seen.has(vm.uuid))
  const gone = [...groupBy(left, ({ vm }) => vm.uuid).values()].flatMap((ofVm) => newest(ofVm, takenAt) ?? [])
  return [...there, ...gone.map(({ vm, host }) => ({ ...vm, host, vm: undefined }))]
}

const takenAt = (point: PointView): string => point.takenAt

function failingBackup(jobs: readonly JobView[], lastPoint: PointView | undefined): JobView | undefined {
  const last = newest(
    jobs.filter(({ kind, endedAt, state }) => kind === 'backup' && endedAt !== undefined && state !== 'cancelled'),
    (job) => job.startedAt
  )
  if (last === undefined || !last.state.startsWith('failed')) return undefined
  return lastPoint === undefined || last.startedAt > lastPoint.takenAt ? last : undefined
}

function provenBy(jobs: readonly JobView[]): VmSafety['lastProven'] {
  const last = newest(
    jobs.filter(
      ({ kind, state, mode }) =>
        kind === 'restore' && (state === 'done' || state === 'done-with-warnings') && mode !== 'define'
    ),
    (job) => job.startedAt
  )
  return last && { at: last.endedAt ?? last.startedAt, host: last.host, runningMs: last.runningMs }
}

const pausesOf = (points: readonly PointView[]): readonly number[] =>
  points
    .filter(({ method }) => method !== 'offline')
    .toSorted((a, b) => a.takenAt.localeCompare(b.takenAt))
    .slice(-20)
    .map(({ pauseMs }) => pauseMs)

function newest<T>(items: readonly T[], at: (item: T) => string): T | undefined {
  return items.reduce<T | undefined>(
    (best, item) => (best === undefined || at(item) > at(best) ? item : best),
    undefined
  )
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(key(item))
    if (group === undefined) groups.set(key(item), [item])
    else group.push(item)
  }
  return groups
}

/** The company in one word: the worst of its VMs, and of hosts that do not answer. */
export type Overall = 'empty' | 'unknown' | 'good' | 'attention' | 'danger'

export function overallOf(hosts: readonly HostView[] | undefined, vms: readonly VmSafety[]): Overall {
  if (hosts === undefined) return 'unknown'
  if (hosts.length === 0) return 'empty'
  if (vms.some(({ safety }) => safety === 'none' || safety === 'failing')) return 'danger'
  const isWanting = vms.some(({ safety }) => safety === 'old' || safety === 'gone')
  if (isWanting || hosts.some(({ state }) => state === 'down')) return 'attention'
  const isOpen = !hosts.every(isSeen) || vms.some(({ safety }) => safety === 'unknown')
  return isOpen ? 'unknown' : 'good'
}

/** Somebody has to do something about it. */
export const needsYou = ({ safety }: Pick<VmSafety, 'safety'>): boolean =>
  safety === 'none' || safety === 'failing' || safety === 'gone' || safety === 'old'
