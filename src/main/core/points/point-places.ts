import type { PointListing } from '../../../shared/engine-protocol.ts'
import { fail } from '../../../shared/failure.ts'
import type { Manifest } from '../../../shared/model/point.ts'
import { joinMarks } from '../../../shared/point-marks.ts'
import type { PointMarks } from '../../../shared/views/point-view.ts'
import type { Place } from '../settings/settings-schema.ts'
import type { Told, ToldPoints } from '../settings/told-points.ts'

/** A point, and every store that has it. */
export interface KnownPoint {
  readonly manifest: Manifest
  readonly places: readonly Place[]
  /** Places that have another point of this id. */
  readonly rivals?: readonly Place[]
  /** Of all places together. */
  readonly marks: PointMarks
}

/** `host-a`, `host-a:/srv/points`, `/mnt/usb/points`: as the operator names it. */
export const placeLabel = (place: Place, ownStore: string): string =>
  place.kind === 'local' ? place.dir : place.dir === ownStore ? place.host : `${place.host}:${place.dir}`

/** A point as one place has it. */
export interface PlacedPoint {
  readonly manifest: Manifest
  readonly place: Place
  readonly marks?: PointMarks | undefined
}

export const pointsIn = (place: Place, { points, marks }: PointListing): PlacedPoint[] =>
  points.map((manifest) => ({ manifest, place, marks: marks[manifest.id] }))

/**
 * One entry per point, oldest first. Only the very same point is one: a store that has another one of that id, by mistake or
 * on purpose, does not speak for it. Both are shown, each with the places of the other.
 */
export function joinPlaces(found: readonly PlacedPoint[]): KnownPoint[] {
  const byId = [...Map.groupBy(found, ({ manifest }) => manifest.id).values()]
  return byId.flatMap(joined).sort((a, b) => a.manifest.id.localeCompare(b.manifest.id))
}

function joined(found: readonly PlacedPoint[]): KnownPoint[] {
  // Most points are in one place, and hosts have tens of thousands: those are not compared.
  const same =
    found.length === 1
      ? [found]
      : [...Map.groupBy(found, ({ manifest }) => contentOf(manifest)).values()].flatMap(byMemory)
  return same.flatMap((each) => {
    const [first] = each
    if (first === undefined) return []
    const marks = joinMarks(each.flatMap((one) => one.marks ?? []))
    const rivals = found.filter((one) => !each.includes(one)).map(({ place }) => place)
    const places = each.map(({ place }) => place)
    return [{ manifest: first.manifest, places, marks, ...(rivals.length > 0 && { rivals }) }]
  })
}

/**
 * Whose word there is for a point: of hosts that have it in their stores, or have told of it before, and of this computer. A host
 * that has another point of this id has not told of this one.
 */
export function tellersOf(told: ToldPoints, { manifest, places, rivals = [] }: KnownPoint, ownStore: string): Told {
  const labels = places.map((place) => placeLabel(place, ownStore))
  const { hosts, isOurs } = told.of(manifest, labels)
  if (rivals.length === 0) return { hosts, isOurs }
  const [having, denying] = [hostsOf(places), hostsOf(rivals)]
  return {
    hosts: hosts.filter((host) => having.includes(host) || !denying.includes(host)),
    isOurs: isOurs && places.some(({ kind }) => kind === 'local')
  }
}

const hostsOf = (places: readonly Place[]): string[] =>
  places.flatMap((place) => (place.kind === 'host' ? [place.host] : []))

/** The host that it says it was taken on, if that is known here and has never told of it. */
export function disownedBy(
  tellers: Told,
  { manifest }: Pick<KnownPoint, 'manifest'>,
  hosts: readonly string[]
): string | undefined {
  const { name } = manifest.host
  return tellers.isOurs || tellers.hosts.includes(name) || !hosts.includes(name) ? undefined : name
}

/** RAM and its guide go from older points, here and not there: what is left is the same point. */
const GOES_WITH_MEMORY = /^(memory\.(save|xml)|RESTORE(\.next)?\.md)$/

/** All that a point says of itself, but its RAM. */
function contentOf({ memory: _, files, ...rest }: Manifest): string {
  const kept = files.filter(({ path }) => !GOES_WITH_MEMORY.test(path))
  return JSON.stringify(sorted({ ...rest, files: kept.toSorted((a, b) => a.path.localeCompare(b.path)) }))
}

const sorted = (value: object): object =>
  Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => a.localeCompare(b)))

/** Two that hold RAM hold the same, or they are two points; one without RAM is the first of them. */
function byMemory(found: readonly PlacedPoint[]): PlacedPoint[][] {
  const variants = new Set(found.flatMap(({ manifest }) => memoryOf(manifest) ?? []))
  const [first] = variants
  return [...Map.groupBy(found, ({ manifest }) => memoryOf(manifest) ?? first).values()]
}

const memoryOf = ({ memory, files }: Manifest): string | undefined =>
  memory && files.find(({ path }) => path === memory.file)?.sha256

/** Whether a manifest is that of this point, as far as it is the same everywhere. */
export const isSamePoint = (a: Manifest, b: Manifest): boolean => contentOf(a) === contentOf(b)

/** @throws `point-unsafe` for one of which there is another: nobody can say which of them was taken */
export function requireSole({ manifest, places, rivals = [] }: KnownPoint, ownStore: string): void {
  if (rivals.length === 0) return
  const label = (place: Place): string => placeLabel(place, ownStore)
  fail({
    kind: 'point-unsafe',
    point: manifest.id,
    file: 'manifest.json',
    detail: `another point of the same id is in ${rivals.map(label).join(', ')} than in ${places.map(label).join(', ')}. Find out which is yours, and delete the other (stillpoint delete ${manifest.id} --in PLACE)`
  })
}
