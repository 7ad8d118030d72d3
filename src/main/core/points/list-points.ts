import { fail, failureOf } from '../../../shared/failure.ts'
import { DEFAULT_STORE } from '../../../shared/host-paths.ts'
import type { Manifest } from '../../../shared/model/point.ts'
import type { PointListing } from '../../../shared/engine-protocol.ts'
import { listPoints as listLocal } from '../../../store/point-store.ts'
import type { Core } from '../core.ts'
import { partsOf } from '../../../shared/point-name.ts'
import { allPlaces, placeNamed } from '../hosts/host-book.ts'
import type { Unreachable } from '../jobs/jobs.ts'
import { samePlace, type Place } from '../settings/settings-schema.ts'
import { lastListing, rememberListing } from './last-listing.ts'
import {
  asIn,
  joinPlaces,
  nearestFirst,
  onlyOneOf,
  placeLabel,
  pointsIn,
  withSources,
  type KnownPoint,
  type PlacedPoint,
  type PointInShort
} from './point-places.ts'

export interface PointList {
  readonly points: readonly KnownPoint[]
  readonly broken: readonly { readonly where: string; readonly path: string; readonly reason: string }[]
  /** Stores that did not answer; what they had when they last did is in `points`. */
  readonly unreachable: readonly (Unreachable & { readonly asOf: string | undefined })[]
}

/** One store, as it answered or as it last did. */
interface Looked {
  readonly place: Place
  readonly listing: PointListing
  readonly unreachable?: PointList['unreachable'][number]
}

/** Every point in every store that is known. A store that does not answer is named and hides nothing else. */
export async function listPoints(core: Core): Promise<PointList> {
  const looked = await Promise.all(allPlaces(core.settings.read()).map((place) => lookInto(core, place)))
  return {
    points: joinPlaces(
      await sourced(
        core,
        looked.flatMap(({ place, listing }) => pointsIn(place, listing))
      )
    ),
    broken: looked.flatMap(({ place, listing }) =>
      listing.broken.map((each) => ({ where: placeLabel(place, DEFAULT_STORE), ...each }))
    ),
    unreachable: looked.flatMap(({ unreachable }) => unreachable ?? [])
  }
}

/** What a store has now. Remembered. @throws what asking fails with */
export async function askStore(core: Core, place: Place): Promise<PointListing> {
  const listing = await listingOf(core, place)
  await rememberListing(core.folder, place, listing)
  return listing
}

/** By all that is in the history: also of what stores had when they last answered. */
async function sourced({ history, settings }: Core, placed: readonly PlacedPoint[]): Promise<PlacedPoint[]> {
  if (placed.length === 0) return []
  await history.ready()
  return withSources(placed, settings.read().hosts, history.told)
}

async function lookInto(core: Core, place: Place): Promise<Looked> {
  try {
    return { place, listing: await askStore(core, place) }
  } catch (error) {
    const last = await lastListing(core.folder, place)
    const host = placeLabel(place, DEFAULT_STORE)
    const unreachable = { host, failure: failureOf(error), asOf: last?.at }
    return { place, listing: last?.listing ?? { points: [], broken: [], marks: {} }, unreachable }
  }
}

/** One point in one place, without asking any other. Undefined if it is not there. */
export async function placedPoint(core: Core, place: Place, id: string): Promise<KnownPoint | undefined> {
  return joinPlaces(pointsIn(place, await listingOf(core, place))).find(({ manifest }) => manifest.id === id)
}

/** `vm`: only the points of that VM, where the store need not be read as a whole. */
async function listingOf(core: Core, place: Place, vm?: string): Promise<PointListing> {
  if (place.kind === 'local') return listLocal(place.dir)
  const engine = await core.connections.engine(place.host)
  return engine.call('points', { stores: [place.dir], ...(vm !== undefined && { vm }) })
}

/**
 * All that a point says of itself, from the first of its places that has it still; of one that does not answer, as it last did.
 * Undefined: none has, or what they have now is another one. @throws the first place's failure if none is known to have it
 */
export async function manifestOf(
  core: Core,
  places: readonly Place[],
  { id, vm }: PointInShort,
  isIt: (manifest: Manifest) => boolean
): Promise<Manifest | undefined> {
  const failures: unknown[] = []
  for (const place of places) {
    const listing = await listingOf(core, place, vm.uuid).catch(async (error: unknown) => {
      failures.push(error)
      return (await lastListing(core.folder, place))?.listing
    })
    const found = listing?.points.find((point) => point.id === id && isIt(point))
    if (found !== undefined) return found
  }
  if (failures.length > 0) throw failures[0]
  return undefined
}

/** As `findListed`. */
export const findPoint = async (core: Core, name: string, ...places: readonly Place[]): Promise<KnownPoint> =>
  (await findListed(core, name, ...places)).point

/**
 * By id, by the beginning of one, or as `PLACE/ID`, where `places` are those that are meant besides. And the list it is found in.
 * @throws `not-found`, `ambiguous`
 */
export async function findListed(
  core: Core,
  name: string,
  ...places: readonly Place[]
): Promise<{ readonly point: KnownPoint; readonly list: PointList }> {
  const { place, id: prefix } = partsOf(name)
  const meant = place === undefined ? places : [...places, placeNamed(core.settings.read(), place)]
  const list = await listPoints(core)
  return { point: pointIn(list, name, prefix, meant), list }
}

function pointIn(list: PointList, name: string, prefix: string, meant: readonly Place[]): KnownPoint {
  const { points, broken, unreachable } = list
  const found = points.filter(
    (point) =>
      point.manifest.id.startsWith(prefix) &&
      meant.every((each) => point.places.some((having) => samePlace(having, each)))
  )
  const exact = found.filter(({ manifest }) => manifest.id === prefix)
  const only = onlyOneOf(exact.length > 0 ? exact : found, name, DEFAULT_STORE)
  const [first] = meant
  if (only !== undefined) return withReachable(first === undefined ? only : asIn(only, first), unreachable)
  if (first !== undefined)
    return fail({ kind: 'not-found', what: 'point', name: prefix, where: placeLabel(first, DEFAULT_STORE) })
  const damaged = prefix === '' ? undefined : broken.find(({ path }) => path.split('/').at(-1)?.startsWith(prefix))
  if (damaged !== undefined)
    fail({ kind: 'point-format', point: prefix, detail: `${damaged.reason} (${damaged.where}: ${damaged.path})` })
  const where =
    unreachable.length === 0
      ? undefined
      : `any store that answers (silent: ${unreachable.map(({ host }) => host).join(', ')})`
  return fail({ kind: 'not-found', what: 'point', name: prefix, ...(where !== undefined && { where }) })
}

/** Places that answer, in front. A point that only a silent host has cannot be had. */
function withReachable(point: KnownPoint, unreachable: PointList['unreachable']): KnownPoint {
  const isSilent = (place: Place): boolean => unreachable.some(({ host }) => host === placeLabel(place, DEFAULT_STORE))
  const ordered = nearestFirst(point, (place) => !isSilent(place))
  const places = ordered.places.filter((place) => !isSilent(place))
  const verdicts = ordered.verdicts?.slice(0, places.length)
  if (places.length > 0) return { ...ordered, places, ...(verdicts && { verdicts }) }
  const first = unreachable.find(({ host }) => point.places.some((place) => placeLabel(place, DEFAULT_STORE) === host))
  return fail(first?.failure ?? { kind: 'not-found', what: 'point', name: point.manifest.id })
}
