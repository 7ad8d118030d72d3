import { createHash } from 'node:crypto'
import { readdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import * as z from 'zod'
import { LONGEST_LINE_BYTES } from '../../../shared/engine-limits.ts'
import { PointListing } from '../../../shared/engine-protocol.ts'
import { fail } from '../../../shared/failure.ts'
import { resultLines } from '../../../shared/result-lines.ts'
import { GrowingResult, type ResultLine } from '../engine-on-host/growing-result.ts'
import { LineCutter } from '../engine-on-host/json-lines.ts'
import { CharactersInTurns } from '../engine-on-host/turns.ts'
import type { Place } from '../settings/settings-schema.ts'
import { replaceFileByLines, streamOfSmallFile } from '../settings/small-file.ts'

/** Of all stores of a host together: 10,000 points are some 20 MB. */
const BYTES_OF_HOST = 32 << 20

/** The first line. The others are those in which an engine answers, so that neither writing nor reading holds anybody up. */
const Head = z.object({ at: z.iso.datetime() })

interface LastListing {
  readonly at: string
  readonly listing: PointListing
}

/** What a store held when it last answered: shown, as of then, while it does not. */
export async function lastListing(folder: string, place: Place): Promise<LastListing | undefined> {
  try {
    return await readListing(streamOfSmallFile(fileFor(folder, place), BYTES_OF_HOST))
  } catch {
    return undefined
  }
}

async function readListing(chunks: AsyncIterable<Uint8Array>): Promise<LastListing | undefined> {
  const lines = new LineCutter('what was listed', LONGEST_LINE_BYTES)
  const refuse = (detail: string): never => fail({ kind: 'bad-output', what: 'what was listed', detail })
  const growing = new GrowingResult(PointListing, (schema, value) => schema.parse(value), refuse)
  const turns = new CharactersInTurns()
  let at: string | undefined
  for await (const chunk of chunks)
    for (const line of lines.push(chunk)) {
      const value: unknown = JSON.parse(line)
      if (at === undefined) ({ at } = Head.parse(value))
      else {
        const whole = await growing.take(value as ResultLine, line.length)
        if (whole !== undefined) return { at, listing: whole.value as PointListing }
      }
      await turns.taken(line.length)
    }
  return undefined
}

/** Best effort: settings that cannot be written must not keep points from being listed. */
export async function rememberListing(folder: string, place: Place, listing: PointListing): Promise<void> {
  try {
    const path = fileFor(folder, place)
    if (await replaceFileByLines(path, linesOf(listing), BYTES_OF_HOST)) makeRoom(path)
    else rmSync(path, { force: true })
  } catch {
    // shown without it the next time
  }
}

function* linesOf(listing: PointListing): Generator<string> {
  yield `${JSON.stringify({ at: new Date().toISOString() })}\n`
  yield* resultLines('points', listing)
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
