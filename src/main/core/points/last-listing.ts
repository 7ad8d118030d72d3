import { createHash } from 'node:crypto'
import { readdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import * as z from 'zod'
import { PointListing } from '../../../shared/engine-protocol.ts'
import type { Place } from '../settings/settings-schema.ts'
import { readSmallFile, replaceFile } from '../settings/small-file.ts'

/** Of all stores of a host together: 10,000 points are some 20 MB. */
const BYTES_OF_HOST = 32 << 20

const LastListing = z.object({ at: z.iso.datetime(), listing: PointListing })
type LastListing = z.infer<typeof LastListing>

/** What a store held when it last answered: shown, as of then, while it does not. */
export function lastListing(folder: string, place: Place): LastListing | undefined {
  try {
    return LastListing.parse(JSON.parse(readSmallFile(fileFor(folder, place), BYTES_OF_HOST) ?? ''))
  } catch {
    return undefined
  }
}

/** Best effort: settings that cannot be written must not keep points from being listed. */
export function rememberListing(folder: string, place: Place, listing: PointListing): void {
  try {
    const path = fileFor(folder, place)
    const text = textOf(listing)
    if (text === undefined) rmSync(path, { force: true })
    else {
      replaceFile(path, text)
      makeRoom(path)
    }
  } catch {
    // shown without it the next time
  }
}

/** Undefined: it is longer than what is kept of a host. Points are most of it, and no more of them are put into words than that. */
function textOf({ points, ...rest }: PointListing): string | undefined {
  const texts: string[] = []
  let bytes = 0
  for (const point of points) {
    const text = JSON.stringify(point)
    bytes += Buffer.byteLength(text)
    if (bytes > BYTES_OF_HOST) return undefined
    texts.push(text)
  }
  const others = JSON.stringify({ at: new Date().toISOString(), listing: rest })
  const whole = `${others.slice(0, -2)},"points":[${texts.join(',')}]}}`
  return Buffer.byteLength(whole) > BYTES_OF_HOST ? undefined : whole
}

/** For the one that was just written: those that were asked longest ago go. */
function makeRoom(written: string): void {
  const folder = dirname(written)
  const files = readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((path) => path !== written)
    .map((path) => ({ path, found: statSync(path) }))
    .sort((a, b) => b.found.mtimeMs - a.found.mtimeMs)
  let bytes = statSync(written).size
  for (const { path, found } of files) {
    bytes += found.size
    if (bytes > BYTES_OF_HOST) rmSync(path, { force: true })
  }
}

/** Each host has a folder of its own, whatever it calls its stores. */
function fileFor(folder: string, place: Place): string {
  const host = place.kind === 'local' ? 'local' : `host\0${place.host}`
  return join(folder, 'known-points', hashOf(host), `${hashOf(place.dir)}.json`)
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 24)
