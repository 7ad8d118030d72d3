import { claimOf, type PointOrigin } from './point-name.ts'
import { isSeen, tellersOf } from './told-by.ts'
import type { HostView, VmView } from './views/host-view.ts'
import type { PointsView, PointView } from './views/point-view.ts'
import type { PoliciesView } from './views/policy-view.ts'

/** A VM, and where it is or was: where it was, only its points may say. */
export interface VmPlace extends PointOrigin {
  readonly uuid: string
  readonly name: string
  /** Undefined: no host has it now. */
  readonly vm: VmView | undefined
}

export const takenAt = (point: PointView): string => point.takenAt

/** Every VM that a host has, those that only points of theirs remember, and what policies found on hosts not seen yet. */
export function placesOf(
  hosts: readonly HostView[],
  points: PointsView | undefined,
  policies: PoliciesView | undefined
): readonly VmPlace[] {
  const there = hosts.flatMap((host) =>
    host.vms.map((vm) => ({ uuid: vm.uuid, name: vm.name, host: host.name, vm: vm }))
  )
  const seen = new Set(there.map(({ uuid }) => uuid))
  const left = (points?.points ?? []).filter(({ vm }) => !seen.has(vm.uuid))
  const gone = [...groupBy(left, ({ vm }) => vm.uuid).values()].flatMap((ofVm) => lastPlaceOf(ofVm, hosts))
  gone.forEach(({ uuid }) => seen.add(uuid))
  const found = foundByRuns(hosts, policies).filter(({ uuid }) => !seen.has(uuid))
  return [...there, ...gone, ...found]
}

/** Where a VM was last, by its newest point: by what hosts that may have it have told, if they have told of any. */
function lastPlaceOf(points: readonly PointView[], hosts: readonly HostView[]): readonly VmPlace[] {
  const unseen = new Set(hosts.filter((host) => !isSeen(host)).map(({ name }) => name))
  const told = points.filter((point) => tellersOf(point).some((host) => unseen.has(host)))
  const last = newest(told.length > 0 ? told : points, takenAt)
  if (last === undefined) return []
  const having = tellersOf(last).filter((host) => unseen.has(host))
  const [first] = having
  if (first === undefined) return [{ ...last.vm, host: last.host, ...claimOf(last), vm: undefined }]
  return [{ ...last.vm, host: having.includes(last.host) ? last.host : first, vm: undefined }]
}

/** What the last runs of policies found, on hosts that this Stillpoint has not seen since it started. */
function foundByRuns(hosts: readonly HostView[], policies: PoliciesView | undefined): readonly VmPlace[] {
  const unseen = new Set(hosts.filter((host) => !isSeen(host)).map(({ name }) => name))
  const all = (policies?.hosts ?? [])
    .filter(({ host }) => unseen.has(host))
    .flatMap(({ host, policies: states }) =>
      states.flatMap(({ lastRun }) => (lastRun?.vms ?? []).map(({ vm }) => ({ ...vm, host, vm: undefined })))
    )
  return [...new Map(all.map((place) => [place.uuid, place])).values()]
}

export function newest<T>(items: readonly T[], at: (item: T) => string): T | undefined {
  return items.reduce<T | undefined>(
    (best, item) => (best === undefined || at(item) > at(best) ? item : best),
    undefined
  )
}

export function groupBy<T>(items: readonly T[], key: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(key(item))
    if (group === undefined) groups.set(key(item), [item])
    else group.push(item)
  }
  return groups
}
