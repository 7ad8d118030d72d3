import { withinYears } from '../../../shared/model/figures.ts'
import { sizeBytesOf, type Manifest } from '../../../shared/model/point.ts'
import type { PointListing } from '../../../shared/engine-protocol.ts'
import { CharactersInTurns } from '../../../shared/turns.ts'
import type { PointView } from '../../../shared/views/point-view.ts'
import { newestOfEachFirst } from '../points/newest-of-each.ts'
import { contentOf, memoryOf, pointsIn, type PlacedPoint, type PointInShort } from '../points/point-places.ts'
import type { Place } from '../settings/settings-schema.ts'
import { withinCharacters } from './held-in-short.ts'

/** Bytes that are held of the points of a host, in all of its stores, and told to windows: some ten thousand points. */
export const MOST_OF_HOST = 10 << 20
/** What a point costs beside its texts, and of one all that is more than a thousand times as much. */
const EACH = 500
const MOST_OF_POINT = 32 << 10
/** Of what a store has that cannot be read: those after them are counted. */
const MOST_BROKEN = 16 << 10

/** What lists show of a point; all that it says is asked for when somebody wants it. */
export interface HeldPoint extends PointInShort {
  readonly host: Manifest['host']
  /** Of all that it says but its RAM, and of that: two that have the same are the same point. */
  readonly content: string
  readonly memory: string | undefined
  readonly shown: Pick<PointView, Shown>
}

type Shown = 'method' | 'hasMemory' | 'disks' | 'sizeBytes' | 'pauseMs' | 'memoryBytes' | 'policy' | 'warnings'

/** What is held of a store. */
export interface HeldStore {
  readonly place: Place
  /** The newest of each VM first. */
  readonly points: readonly PlacedPoint<HeldPoint>[]
  readonly broken: PointListing['broken']
  /** How many more it has. */
  readonly leftOut: number
}

/** By which copies in several stores are known to be the same. */
export const HELD = {
  contentOf: ({ content }: HeldPoint) => content,
  memoryOf: ({ memory }: HeldPoint) => memory
} as const

/** Of what a store has said as much as there is room for, whenever others have had their turn. */
export async function heldOf(place: Place, listing: PointListing): Promise<HeldStore> {
  const all = pointsIn(place, { ...listing, points: [...newestOfEachFirst(listing.points)] }).reverse()
  const points: PlacedPoint<HeldPoint>[] = []
  const turns = new CharactersInTurns()
  let bytes = 0
  for (const placed of all) {
    const point = { ...placed, manifest: inShort(placed.manifest) }
    bytes += bytesOf(point)
    if (bytes > MOST_OF_HOST) break
    points.push(point)
    await turns.taken(EACH + placed.manifest.files.length * 100)
  }
  return { place, points, broken: brokenOf(place, listing), leftOut: listing.points.length - points.length }
}

function brokenOf({ dir }: Place, { broken }: PointListing): PointListing['broken'] {
  const held = withinCharacters(broken, MOST_BROKEN)
  const more = broken.length - held.length
  return more === 0 ? held : [...held, { path: dir, reason: `${more} more in this store cannot be read` }]
}

/** In how much less than its share each store of a host has, the others have more: of those with too much the oldest points go. */
export function withinHost(stores: readonly HeldStore[]): readonly HeldStore[] {
  const sizes = stores.map(({ points }) => points.reduce((sum, point) => sum + bytesOf(point), 0))
  if (sizes.reduce((sum, size) => sum + size, 0) <= MOST_OF_HOST) return stores
  let [left, others] = [MOST_OF_HOST, stores.length]
  const kept = new Map<HeldStore, HeldStore>()
  for (const { store, size } of stores
    .map((store, n) => ({ store, size: sizes[n] ?? 0 }))
    .toSorted((a, b) => a.size - b.size)) {
    const share = Math.floor(left / others)
    others -= 1
    left -= Math.min(size, share)
    kept.set(store, size <= share ? store : firstOf(store, share))
  }
  return stores.map((store) => kept.get(store) ?? store)
}

function firstOf(store: HeldStore, mostBytes: number): HeldStore {
  let bytes = 0
  const end = store.points.findIndex((point) => (bytes += bytesOf(point)) > mostBytes)
  return { ...store, points: store.points.slice(0, end), leftOut: store.leftOut + store.points.length - end }
}

/** The words for it stand where a store's broken points do. */
export const leftOutText = (count: number): string =>
  `its host has more points than are shown of one: ${count} older ${count === 1 ? 'one is' : 'ones are'} not shown here. "stillpoint points" in a terminal lists all of them`

const sizes = new WeakMap<object, number>()
function bytesOf(point: PlacedPoint<HeldPoint>): number {
  const known = sizes.get(point)
  if (known !== undefined) return known
  // Its place twice: as it is, and as it is called.
  const { place, ...rest } = point
  const bytes = EACH + Buffer.byteLength(JSON.stringify(rest)) + 2 * Buffer.byteLength(JSON.stringify(place))
  sizes.set(point, bytes)
  return bytes
}

/** Whether it is what is held of it. */
export const isAllOf =
  ({ content, memory }: HeldPoint) =>
  (manifest: Manifest): boolean =>
    contentOf(manifest) === content && memoryOf(manifest) === memory

function inShort(manifest: Manifest): HeldPoint {
  const { id, vm, takenAt, host, memory, policy } = manifest
  return {
    id,
    vm,
    takenAt: withinYears(takenAt),
    host,
    content: contentOf(manifest),
    memory: memoryOf(manifest),
    shown: withinCharacters(
      {
        method: manifest.method,
        hasMemory: memory !== undefined,
        disks: manifest.disks.map(({ target, originalSource: source }) => ({ target, source })),
        sizeBytes: sizeBytesOf(manifest),
        pauseMs: manifest.pauseMs,
        ...(memory && { memoryBytes: manifest.files.find(({ path }) => path === memory.file)?.sizeBytes ?? 0 }),
        ...(policy && { policy }),
        warnings: manifest.warnings
      },
      MOST_OF_POINT
    )
  }
}
