import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import * as z from 'zod'
import { PointListing } from '../../../shared/engine-protocol.ts'
import { PointId } from '../../../shared/model/ids.ts'
import { Manifest } from '../../../shared/model/point.ts'
import { PointMarks } from '../../../shared/views/point-view.ts'
import { forgetBelow, keepLines, readKept, type KeptLimits } from '../settings/kept-lines.ts'
import type { Place } from '../settings/settings-schema.ts'
import { newestOfEachFirst } from './newest-of-each.ts'

/** Of all stores of a host together: packed, a point takes some 200 bytes, most of them its hashes. */
const BYTES_OF_HOST = 2 << 20
/** Of one store, as it is read. */
const PLAIN_BYTES = 32 << 20

const Line = z.union([
  // Not strict: earlier Stillpoints noted here what now comes of the history.
  z.object({ point: Manifest, marks: PointMarks.optional() }),
  z.strictObject({ broken: PointListing.shape.broken }),
  z.strictObject({ marks: z.record(PointId, PointMarks) })
])

interface LastListing {
  readonly at: string
  readonly listing: PointListing
}

/** What a store held when it last answered: shown, as of then, while it does not. */
export async function lastListing(folder: string, place: Place): Promise<LastListing | undefined> {
  const listing: PointListing = { points: [], broken: [], marks: {} }
  try {
    const kept = await readKept(fileFor(folder, place), limitsOf(BYTES_OF_HOST), (value) => take(listing, value))
    if (kept === undefined) return undefined
    if (kept.leftOut > 0) listing.broken.unshift({ path: place.dir, reason: leftOutText(kept.leftOut) })
    return { at: kept.at, listing }
  } catch {
    return undefined
  }
}

function take(listing: PointListing, value: unknown): void {
  const line = Line.parse(value)
  if ('point' in line) {
    listing.points.push(line.point)
    if (line.marks !== undefined) listing.marks[line.point.id] = line.marks
  } else if ('broken' in line) listing.broken.push(...line.broken)
  else Object.assign(listing.marks, line.marks)
}

const leftOutText = (count: number): string =>
  `this store had more than is kept of it here, and does not answer now: ${count} older ${count === 1 ? 'entry is' : 'entries are'} not shown until it does`

/** Best effort: settings that cannot be written must not keep points from being listed. */
export async function rememberListing(folder: string, place: Place, listing: PointListing): Promise<void> {
  const path = fileFor(folder, place)
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    await keepLines(
      path,
      () => linesOf(listing),
      () => limitsOf(roomFor(path)),
      { written: () => makeRoom(path) }
    )
  } catch {
    // shown without it the next time
  }
}

/** Of a host that is removed, nothing of its stores is kept. */
export function forgetListings(folder: string, host: string): void {
  const listings = dirname(fileFor(folder, { kind: 'host', host, dir: '/' }))
  forgetBelow(listings)
  try {
    rmSync(listings, { recursive: true, force: true })
  } catch {
    // there is none
  }
}

const limitsOf = (packedBytes: number): KeptLimits => ({ packedBytes, plainBytes: PLAIN_BYTES })

function* linesOf({ points, broken, marks }: PointListing): Generator<string> {
  for (const point of newestOfEachFirst(points)) {
    const ofPoint = marks[point.id]
    yield JSON.stringify({ point, ...(ofPoint && { marks: ofPoint }) })
  }
  for (const each of broken) yield JSON.stringify({ broken: [each] })
}

/** What other stores of the host leave, and its share in any case. */
function roomFor(path: string): number {
  const others = pathsIn(dirname(path)).filter((each) => each !== path)
  const taken = others.reduce((sum, each) => sum + statSync(each).size, 0)
  return Math.max(BYTES_OF_HOST - taken, Math.floor(BYTES_OF_HOST / (others.length + 1)))
}

/** For the one that was just written: those that were asked longest ago go. */
function makeRoom(written: string): void {
  const files = pathsIn(dirname(written))
    .filter((path) => path !== written)
    .map((path) => ({ path, found: statSync(path) }))
    .sort((a, b) => b.found.mtimeMs - a.found.mtimeMs)
  let bytes = statSync(written).size
  for (const { path, found } of files) {
    bytes += found.size
    if (bytes > BYTES_OF_HOST || !path.endsWith(ENDING)) rmSync(path, { force: true })
  }
}

const pathsIn = (folder: string): string[] => readdirSync(folder).map((name) => join(folder, name))

const ENDING = '.jsonl.gz'

/** Each host has a folder of its own, whatever it calls its stores. */
function fileFor(folder: string, place: Place): string {
  const host = place.kind === 'local' ? 'local' : `host\0${place.host}`
  return join(folder, 'known-points', hashOf(host), `${hashOf(place.dir)}${ENDING}`)
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 24)
