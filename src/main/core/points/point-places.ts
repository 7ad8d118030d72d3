import { createHash } from 'node:crypto'
import type { PointListing } from '../../../shared/engine-protocol.ts'
import { fail } from '../../../shared/failure.ts'
import { DEFAULT_STORE } from '../../../shared/host-paths.ts'
import { isMachineId } from '../../../shared/model/machine-id.ts'
import type { Manifest } from '../../../shared/model/point.ts'
import { forShell } from '../../../shared/model/restore-choice.ts'
import { joinMarks, verdictOfCopies } from '../../../shared/point-marks.ts'
import { pointName } from '../../../shared/point-name.ts'
import type { PointMarks, Verdict } from '../../../shared/views/point-view.ts'
import { OurHosts } from '../hosts/our-hosts.ts'
import { samePlace, type HostRecord, type Place } from '../settings/settings-schema.ts'
import type { Told, ToldPoints } from '../settings/told-points.ts'

/** What of its manifest says which point it is, and of what. */
export type PointInShort = Pick<Manifest, 'id' | 'vm' | 'takenAt'> & { readonly host: Pick<Manifest['host'], 'name'> }

/** A point, and every store that has it. */
export interface KnownPoint<M extends PointInShort = Manifest> {
  readonly manifest: M
  readonly places: readonly Place[]
  /** As some of these places have it, where not all are alike: with RAM where `manifest` has none, or without. */
  readonly otherwise?: { readonly manifest: M; readonly places: readonly Place[] }
  /** Places that have another point of this id. Whoever has this one in hand has named it. */
  readonly rivals?: readonly Place[]
  /** Of all places together. */
  readonly marks: PointMarks
  /** Of this computer, or of its own host, those that were sent it from another host: what they say of it is that one's word. */
  readonly secondHand?: readonly Place[]
  /** What checks have found, in the order of the places: each place speaks for its own copy only. */
  readonly verdicts?: readonly (Verdict | undefined)[]
}

/** `host-a`, `host-a:/srv/points`, `/mnt/usb/points`: as the operator names it. */
export const placeLabel = (place: Place, ownStore: string): string =>
  place.kind === 'local' ? place.dir : place.dir === ownStore ? place.host : `${place.host}:${place.dir}`

/** A point as one place has it. */
export interface PlacedPoint<M extends PointInShort = Manifest> {
  readonly manifest: M
  readonly place: Place
  readonly marks?: PointMarks | undefined
  /** This place was sent it from another host than its own. */
  readonly isSecondHand?: true
}

/** Each id once: no store has two points of one id, and of a host that says so the first is as good as the others. */
export const pointsIn = (place: Place, { points, marks }: PointListing): PlacedPoint[] => [
  ...new Map(
    points.toReversed().map((manifest) => [manifest.id, { manifest, place, marks: marks[manifest.id] }])
  ).values()
]

/**
 * With whether places were sent them from other hosts than their own: a copy is worth what was copied, and from where that came is in the
 * history, by our names of the hosts. Whoever took a point may have had others.
 */
export function withSources<P extends PlacedPoint<PointInShort & Pick<Manifest, 'host'>>>(
  placed: readonly P[],
  hosts: readonly HostRecord[],
  told: ToldPoints
): P[] {
  const ours = new OurHosts(hosts)
  // Such a one is told by its name: that another host says to have the machine's id would prove nothing.
  const withoutId = new Set(hosts.filter(({ machineId }) => !isMachineId(machineId)).map(({ name }) => name))
  return placed.map((point) => {
    const { manifest, place } = point
    const { name } = manifest.host
    const here = withoutId.has(name) ? name : (ours.onlyThatMayBe(manifest.host)?.name ?? name)
    // Copies of before a host was taken out and added under another name bear the one that it had.
    const own = ours.has(name) ? [here] : [here, name]
    const isTrusted = place.kind === 'local' || place.host === name
    const isSent = isTrusted && told.isSecondHand(manifest, own, placeLabel(place, DEFAULT_STORE))
    if ((point.isSecondHand === true) === isSent) return point
    const { isSecondHand: _, ...rest } = point
    return (isSent ? { ...rest, isSecondHand: true } : rest) as P
  })
}

/**
 * One entry per point, oldest first. Only the very same point is one: a store that has another one of that id, by mistake or
 * on purpose, does not speak for it. Both are shown, each with the places of the other.
 */
export function joinPlaces(found: readonly PlacedPoint[]): KnownPoint[] {
  const byId = [...Map.groupBy(found, ({ manifest }) => manifest.id).values()]
  const identity = { contentOf, memoryOf }
  return byId.flatMap((each) => joinOfId(each, identity)).sort((a, b) => compare(a.manifest.id, b.manifest.id))
}

/** What tells two points of one id apart. */
interface Identity<M> {
  readonly contentOf: (manifest: M) => string
  readonly memoryOf: (manifest: M) => string | undefined
}

/** Those of one id, of which each store has one at most. */
export function joinOfId<M extends PointInShort>(
  found: readonly PlacedPoint<M>[],
  { contentOf, memoryOf }: Identity<M>
): KnownPoint<M>[] {
  // Most points are in one place, and hosts have tens of thousands: those are not compared.
  const same =
    found.length === 1
      ? [found]
      : [...Map.groupBy(found, ({ manifest }) => contentOf(manifest)).values()].flatMap((each) =>
          byMemory(mostTrustedFirst(each, memoryOf), memoryOf)
        )
  return same.flatMap((each) => {
    const [first] = each
    if (first === undefined) return []
    const copies = found.filter((one) => each.includes(one))
    const rivals = found.filter((one) => !each.includes(one)).map(({ place }) => place)
    const otherwise = otherwiseOf(each, memoryOf)
    const secondHand = copies.filter(({ isSecondHand }) => isSecondHand === true).map(({ place }) => place)
    return [
      {
        manifest: first.manifest,
        places: copies.map(({ place }) => place),
        ...(otherwise && { otherwise }),
        ...marksOf(copies),
        ...(secondHand.length > 0 && { secondHand }),
        ...(rivals.length > 0 && { rivals })
      }
    ]
  })
}

function otherwiseOf<M extends PointInShort>(
  [first, ...more]: readonly PlacedPoint<M>[],
  memoryOf: Identity<M>['memoryOf']
): KnownPoint<M>['otherwise'] {
  const others = more.filter(({ manifest }) => first !== undefined && memoryOf(manifest) !== memoryOf(first.manifest))
  const [other] = others
  return other && { manifest: other.manifest, places: others.map(({ place }) => place) }
}

function marksOf(copies: readonly PlacedPoint<PointInShort>[]): Pick<KnownPoint, 'marks' | 'verdicts'> {
  const { verified: _, ...marks } = joinMarks(copies.flatMap((one) => one.marks ?? []))
  const verdicts = copies.map((one) => one.marks?.verified)
  if (verdicts.every((verdict) => verdict === undefined)) return { marks }
  const verified = verdictOfCopies(verdicts)
  return { marks: { ...marks, ...(verified !== undefined && { verified }) }, verdicts }
}

/**
 * Whose word there is for a point: of hosts that have it in their stores, or have told of it before, and of this computer. A host
 * that has another point of this id has not told of this one.
 */
export function tellersOf(
  told: ToldPoints,
  { manifest, places, rivals = [] }: KnownPoint<PointInShort>,
  ownStore: string
): Told {
  const labels = places.map((place) => placeLabel(place, ownStore))
  const tellers = told.of(manifest, labels)
  if (rivals.length === 0) return tellers
  const [having, denying] = [hostsOf(places), hostsOf(rivals)]
  const isTeller = (host: string): boolean => having.includes(host) || !denying.includes(host)
  return {
    hosts: tellers.hosts.filter(isTeller),
    atFirstHand: tellers.atFirstHand.filter(isTeller),
    isOurs: tellers.isOurs && places.some(({ kind }) => kind === 'local')
  }
}

const hostOf = (place: Place): string | undefined => (place.kind === 'host' ? place.host : undefined)

const hostsOf = (places: readonly Place[]): string[] => places.flatMap((place) => hostOf(place) ?? [])

/** The host that it says it was taken on, if that is known here and has never told of it. */
export function disownedBy(
  tellers: Told,
  { manifest }: Pick<KnownPoint<PointInShort>, 'manifest'>,
  hosts: readonly string[]
): string | undefined {
  const { name } = manifest.host
  return tellers.isOurs || tellers.hosts.includes(name) || !hosts.includes(name) ? undefined : name
}

/** RAM and its guide go from older points, here and not there: what is left is the same point. */
const GOES_WITH_MEMORY = /^(memory\.(save|xml)|RESTORE(\.next)?\.md)$/

/** Labels of the places whose copy a check has found damaged, where that is not all of them. */
export const damagedIn = ({ places, marks, verdicts = [] }: KnownPoint): string[] =>
  marks.verified?.good === false
    ? []
    : places.flatMap((place, n) => (verdicts[n]?.good === false ? [placeLabel(place, DEFAULT_STORE)] : []))

const contents = new WeakMap<Manifest, string>()

/** Of all that a point says of itself, but its RAM, the hash: it is short, however long that is, and worked out once. */
export function contentOf(manifest: Manifest): string {
  const known = contents.get(manifest)
  if (known !== undefined) return known
  const { memory: _, files, ...rest } = manifest
  const kept = files.filter(({ path }) => !GOES_WITH_MEMORY.test(path))
  const text = JSON.stringify(sorted({ ...rest, files: kept.toSorted((a, b) => compare(a.path, b.path)) }))
  const content = createHash('sha256').update(text).digest('base64')
  contents.set(manifest, content)
  return content
}

const sorted = (value: object): object =>
  Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => compare(a, b)))

/** The same everywhere, and quick: hosts have tens of thousands. */
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/**
 * A point is what the host says of it that it was taken on, or else this computer's copy. RAM that only others say to have, or have
 * sent there, is had by naming the place: nothing else shows that it is the VM's.
 */
function mostTrustedFirst<M extends PointInShort>(
  found: readonly PlacedPoint<M>[],
  memoryOf: Identity<M>['memoryOf']
): readonly PlacedPoint<M>[] {
  if (found.length === 1) return found
  const rank = ({ manifest, place, isSecondHand }: PlacedPoint<M>): number => {
    const distance = isSecondHand === true ? OTHERS : distanceOf(place, manifest)
    return distance < OTHERS ? distance : distance + Number(memoryOf(manifest) !== undefined)
  }
  return found.toSorted((a, b) => rank(a) - rank(b))
}

const OTHERS = 2
/** A store of the host that it was taken on, this computer, any other host. */
const distanceOf = (place: Place, { host }: PointInShort): number =>
  place.kind === 'local' ? 1 : place.host === host.name ? 0 : OTHERS

/** Whether what the one says of a point counts before what the other says: that is how it is listed where they differ. */
export function speaksBefore(
  one: Place,
  other: Place,
  { manifest, secondHand = [] }: Pick<KnownPoint<PointInShort>, 'manifest' | 'secondHand'>
): boolean {
  const [before, behind] = [one, other].map((place) =>
    secondHand.some((each) => samePlace(each, place)) ? OTHERS : distanceOf(place, manifest)
  )
  return (before ?? OTHERS) < (behind ?? OTHERS)
}

/**
 * Its places in the order in which it is fetched from them: those that answer, copies that are not known to be damaged, and are
 * as it is named; of these this computer's own, which is half the way, then its own host's, then any other's.
 */
export function nearestFirst<M extends PointInShort>(
  point: KnownPoint<M>,
  isReachable: (place: Place) => boolean
): KnownPoint<M> {
  const { manifest, places, otherwise, verdicts } = point
  const copies = places.map((place, n) => {
    const faults = [!isReachable(place), verdicts?.[n]?.good === false, otherwise?.places.includes(place) === true]
    const distance = place.kind === 'local' ? 0 : 1 + distanceOf(place, manifest)
    return { place, verdict: verdicts?.[n], rank: [...faults.map(Number), distance].join('') }
  })
  copies.sort((a, b) => compare(a.rank, b.rank))
  return {
    ...point,
    places: copies.map(({ place }) => place),
    ...(verdicts && { verdicts: copies.map(({ verdict }) => verdict) })
  }
}

/** As this place has it. */
export function asIn<M extends PointInShort>(point: KnownPoint<M>, place: Place): KnownPoint<M> {
  const { manifest, places, otherwise } = point
  if (!otherwise?.places.some((each) => samePlace(each, place))) return point
  const others = places.filter((each) => !otherwise.places.includes(each))
  return { ...point, manifest: otherwise.manifest, otherwise: { manifest, places: others } }
}

/** Two that hold RAM hold the same, or they are two points; one without RAM is the first of them. */
function byMemory<M extends PointInShort>(
  found: readonly PlacedPoint<M>[],
  memoryOf: Identity<M>['memoryOf']
): PlacedPoint<M>[][] {
  const variants = new Set(found.flatMap(({ manifest }) => memoryOf(manifest) ?? []))
  const [first] = variants
  return [...Map.groupBy(found, ({ manifest }) => memoryOf(manifest) ?? first).values()]
}

const RAM = /^memory\.(save|xml)$/

/** Of all that is its RAM the hash: two of which only one part is the same are two. Undefined where it has none. */
export function memoryOf({ memory, files }: Manifest): string | undefined {
  const isRam = ({ path }: { path: string }): boolean => RAM.test(path) || path === memory?.file
  const hashes = files.filter(isRam).map(({ path, sha256 }) => `${path} ${sha256}`)
  if (memory === undefined && hashes.length === 0) return undefined
  return createHash('sha256')
    .update(JSON.stringify([memory && [memory.file, memory.ramBytes], hashes.sort()]))
    .digest('base64')
}

/** Whether a manifest is that of this point, as far as it is the same everywhere. */
export const isSamePoint = (a: Manifest, b: Manifest): boolean => contentOf(a) === contentOf(b)

/** What this place lists of it. */
export const listedIn = <M extends PointInShort>({ manifest, otherwise }: KnownPoint<M>, place: Place): M =>
  otherwise?.places.some((each) => samePlace(each, place)) === true ? otherwise.manifest : manifest

/** Whether that RAM is the same that the point's own host says to have. */
export const isRamOfHome = (memory: string | undefined, point: KnownPoint): boolean =>
  memory !== undefined &&
  point.places.some(
    (place) =>
      distanceOf(place, point.manifest) === 0 &&
      point.secondHand?.some((each) => samePlace(each, place)) !== true &&
      memoryOf(listedIn(point, place)) === memory
  )

/** Whether what a place sends is what it has listed: the same point, with that RAM, or with none since. */
export const isAsListed = (sent: Manifest, point: KnownPoint, place: Place): boolean =>
  isSamePoint(sent, point.manifest) && [undefined, memoryOf(listedIn(point, place))].includes(memoryOf(sent))

/** The id, or `PLACE/ID` where that is not enough. */
function nameOf({ manifest: { id, host }, places, rivals = [] }: KnownPoint<PointInShort>, ownStore: string): string {
  const label = (place: Place): string => placeLabel(place, ownStore)
  const named = places.map((place) => ({ label: label(place), host: hostOf(place) }))
  return pointName({ id, host: host.name, places: named, rivals: rivals.map(label) })
}

/**
 * The only one of them. Of two points of one id nobody can say which was taken: the one that most places have is named first.
 * @throws `ambiguous`
 */
export function onlyOneOf<P extends KnownPoint<PointInShort>>(
  found: readonly P[],
  name: string,
  ownStore: string
): P | undefined {
  if (found.length <= 1) return found[0]
  const candidates = found.toSorted((a, b) => b.places.length - a.places.length).map((point) => nameOf(point, ownStore))
  return fail({ kind: 'ambiguous', what: 'point', name, candidates })
}

/** @throws `point-unsafe` where the place has another point of this id: no other comes to lie beside it */
export function refuseRivalIn({ manifest, places, rivals = [] }: KnownPoint, to: Place, ownStore: string): void {
  if (!rivals.some((place) => samePlace(place, to))) return
  const label = placeLabel(to, ownStore)
  const away =
    to.kind === 'host' ? `, or take out a host that you do not trust (stillpoint host remove ${to.host})` : ''
  fail({
    kind: 'point-unsafe',
    point: manifest.id,
    file: 'manifest.json',
    detail: `${label} has another point of this id than ${places.map((place) => placeLabel(place, ownStore)).join(', ')}. Delete it there if this is the one you mean (${forShell(['stillpoint', 'delete', manifest.id, '--in', label])}), choose another place${away}`
  })
}
