import { createHash } from 'node:crypto'
import { join } from 'node:path'
import * as z from 'zod'
import { PointListing } from '../../../shared/engine-protocol.ts'
import type { Place } from '../settings/settings-schema.ts'
import { readSmallFile, replaceFile } from '../settings/small-file.ts'

/** 10,000 points are some 20 MB. */
const LARGEST_BYTES = 64 << 20

const LastListing = z.object({ at: z.iso.datetime(), listing: PointListing })
type LastListing = z.infer<typeof LastListing>

/** What a store held when it last answered: shown, as of then, while it does not. */
export function lastListing(folder: string, place: Place): LastListing | undefined {
  try {
    return LastListing.parse(JSON.parse(readSmallFile(fileFor(folder, place), LARGEST_BYTES) ?? ''))
  } catch {
    return undefined
  }
}

/** Best effort: settings that cannot be written must not keep points from being listed. */
export function rememberListing(folder: string, place: Place, listing: PointListing): void {
  try {
    const text = JSON.stringify({ at: new Date().toISOString(), listing })
    if (text.length <= LARGEST_BYTES / 2) replaceFile(fileFor(folder, place), text)
  } catch {
    // shown without it the next time
  }
}

function fileFor(folder: string, place: Place): string {
  const name = createHash('sha256').update(
    place.kind === 'local' ? `local\0${place.dir}` : `host\0${place.host}\0${place.dir}`
  )
  return join(folder, 'known-points', `${name.digest('hex').slice(0, 24)}.json`)
}
