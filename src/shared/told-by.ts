import type { HostView, VmView } from './views/host-view.ts'
import type { JobView } from './views/job-view.ts'
import { isDamaged } from './point-marks.ts'
import type { PointView } from './views/point-view.ts'

/** Its VMs are known, if only as they were. A host that never answered may have any. */
export const isSeen = ({ asOf }: HostView): boolean => asOf !== undefined

/** Whose word counts for a VM. Undefined: anybody's, as there is nobody to ask. */
export type Witnesses = ReadonlySet<string> | undefined

/** A host speaks of its own VMs only: what another says of a VM of this UUID is about another VM. */
export const isOfVm = (job: Pick<JobView, 'host' | 'vm'>, host: string, uuid: string): boolean =>
  job.host === host && job.vm.uuid === uuid

/**
 * Of a VM that a host has, only that host. One that no host has may be on each of those that have not been seen yet; once all
 * have been, it is nowhere, and its points are what is left of it.
 */
export function witnessesOf(
  { vm, host }: { readonly vm: VmView | undefined; readonly host: string },
  hosts: readonly HostView[]
): Witnesses {
  if (vm !== undefined) return new Set([host])
  const unseen = hosts.filter((each) => !isSeen(each)).map(({ name }) => name)
  return unseen.length === 0 ? undefined : new Set(unseen)
}

type Told = Pick<PointView, 'places' | 'toldBy' | 'isOurs'>

/** Hosts that have told of a point: that have it, or have said so before. */
export const tellersOf = ({ places, toldBy = [] }: Pick<Told, 'places' | 'toldBy'>): readonly string[] => [
  ...places.flatMap(({ host }) => host ?? []),
  ...toldBy
]

/** Whether one of them has told of this point, now or before, or this computer stands for it. */
export function isToldBy({ places, toldBy, isOurs }: Told, witnesses: Witnesses): boolean {
  if (witnesses === undefined || isOurs === true) return true
  return (
    places.some(({ host }) => host !== undefined && witnesses.has(host)) ||
    (toldBy ?? []).some((host) => witnesses.has(host))
  )
}

/**
 * A copy that counts is not known to be damaged: each place speaks for its own copy only, and for a VM count those of the hosts
 * whose word counts, and of this computer. Where none of them has one, any other is as good.
 */
export function hasSoundCopy({ marks, places }: Pick<PointView, 'marks' | 'places'>, witnesses: Witnesses): boolean {
  if (isDamaged({ marks })) return false
  const counting = places.filter(({ host }) => host === undefined || (witnesses?.has(host) ?? true))
  return counting.length === 0 || counting.some(({ verified }) => verified?.good !== false)
}

/** Of a restore that was begun here, on whichever host: whether it was of a point that one of them has told of. */
export const isOfToldPoint = ({ begun }: Pick<JobView, 'begun'>, witnesses: Witnesses): boolean =>
  begun !== undefined && isToldBy({ places: [], toldBy: begun.toldBy, isOurs: begun.isOurs }, witnesses)

/** How many points a host, or this computer, has of a VM that do not count for it. */
export interface Untold {
  /** Undefined: this computer. */
  readonly host: string | undefined
  readonly count: number
}

interface Placed {
  readonly places: readonly { readonly host?: string | undefined }[]
}

export function untoldIn(points: readonly Placed[]): readonly Untold[] {
  const counts = new Map<string | undefined, number>()
  for (const { places } of points)
    for (const host of new Set(places.map((place) => place.host))) counts.set(host, (counts.get(host) ?? 0) + 1)
  return [...counts].map(([host, count]) => ({ host, count }))
}
