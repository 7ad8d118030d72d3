import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createGunzip, gunzipSync, gzip } from 'node:zlib'
import { LONGEST_LINE_BYTES } from '../../../shared/engine-limits.ts'
import { CharactersInTurns } from '../../../shared/turns.ts'
import { LineCutter } from '../engine-on-host/json-lines.ts'
import { isReadable, replaceFile } from './small-file.ts'

/** How much of it is kept: as it lies on the disk, and as it is read. */
export interface KeptLimits {
  readonly packedBytes: number
  readonly plainBytes: number
}

/** What is packed at once. */
const PORTION_BYTES = 256 << 10
/** For the last line, which says how many there are not. */
const LAST_BYTES = 200
/** A host that says something else each time wears out no disk. */
const WRITTEN_EVERY_MS = 60_000

interface Said {
  readonly lines: () => Iterable<string>
  /** By the time it is written. */
  readonly limits: () => KeptLimits
  readonly written: () => void
}

/** By path. */
const files = new Map<string, KeptFile>()

/**
 * Writes down what a host has said, in lines of JSON, the most important first: packed, and no more of them than there is room
 * for. When it was said is the time of the file: where it is the same as before, only that is new. What changes again within a
 * minute waits for the end of it, or for whoever wants to read it.
 *
 * @param limits asked, and `written` called, whenever it comes to be written
 * @throws what writing fails with
 */
export async function keepLines(
  path: string,
  lines: () => Iterable<string>,
  limits: () => KeptLimits,
  { everyMs = WRITTEN_EVERY_MS, written = () => undefined }: { everyMs?: number; written?: () => void } = {}
): Promise<void> {
  const file = files.get(path) ?? new KeptFile(path)
  files.set(path, file)
  await file.keep({ lines, limits, written }, everyMs)
}

/** Also what was still to be written. */
export function forgetLines(path: string): void {
  files.get(path)?.forget()
  files.delete(path)
  rmSync(path, { force: true })
}

/** Of all below a folder, also of what has no file yet. */
export function forgetBelow(folder: string): void {
  for (const path of pathsBelow(folder)) forgetLines(path)
}

const pathsBelow = (folder: string): string[] => [...files.keys()].filter((path) => path.startsWith(join(folder, '/')))

/** What waits to be written below a folder is written now, as far as it can be. */
export async function writeWaiting(folder: string): Promise<void> {
  const below = pathsBelow(folder).flatMap((path) => files.get(path) ?? [])
  await Promise.all(below.map((file) => file.writeWaiting().catch(() => undefined)))
}

/** A file, and what is still to be written into it: one thing after the other. */
class KeptFile {
  private readonly path: string
  private digest: string | undefined
  private writtenAtMs = -Infinity
  private waiting: (Said & { readonly digest: string; readonly timer: NodeJS.Timeout }) | undefined
  private last: Promise<unknown> = Promise.resolve()
  private isForgotten = false

  constructor(path: string) {
    this.path = path
  }

  keep(said: Said, everyMs: number): Promise<void> {
    return this.next(() => this.take(said, everyMs))
  }

  writeWaiting(): Promise<void> {
    return this.next(async () => {
      const { waiting } = this
      if (waiting !== undefined) await this.write(waiting, waiting.digest)
    })
  }

  forget(): void {
    this.isForgotten = true
    this.waitNoLonger()
  }

  private next(work: () => Promise<void>): Promise<void> {
    const mine = this.last.then(work)
    this.last = mine.catch(() => undefined)
    return mine
  }

  private async take(said: Said, everyMs: number): Promise<void> {
    const digest = await digestOf(said.lines())
    this.waitNoLonger()
    if (this.isForgotten) return
    const isThere = existsSync(this.path)
    if (this.digest === digest && isThere) {
      const now = new Date()
      utimesSync(this.path, now, now)
      return
    }
    const waitMs = isThere ? this.writtenAtMs + everyMs - performance.now() : 0
    if (waitMs <= 0) await this.write(said, digest)
    else {
      const timer = setTimeout(() => void this.writeWaiting().catch(() => undefined), waitMs).unref()
      this.waiting = { ...said, digest, timer }
    }
  }

  private async write({ lines, limits, written }: Said, digest: string): Promise<void> {
    this.waitNoLonger()
    this.writtenAtMs = performance.now()
    const bytes = await packed(lines(), limits())
    if (this.isForgotten) return
    replaceFile(this.path, bytes)
    this.digest = digest
    written()
  }

  private waitNoLonger(): void {
    clearTimeout(this.waiting?.timer)
    this.waiting = undefined
  }
}

async function digestOf(lines: Iterable<string>): Promise<string> {
  const hash = createHash('sha256')
  const turns = new CharactersInTurns()
  for (const line of lines) {
    hash.update(line).update('\n')
    await turns.taken(line.length)
  }
  return hash.digest('hex')
}

async function packed(lines: Iterable<string>, limits: KeptLimits): Promise<Buffer> {
  const packing = new Packing(limits)
  const turns = new CharactersInTurns()
  for (const line of lines) {
    await packing.add(line)
    await turns.taken(line.length)
  }
  return packing.end()
}

class Packing {
  private readonly limits: KeptLimits
  private readonly members: Buffer[] = []
  private packedBytes = LAST_BYTES
  private plainBytes = 0
  private leftOut = 0
  private isFull = false
  private portion: string[] = []
  private portionBytes = 0

  constructor(limits: KeptLimits) {
    this.limits = limits
  }

  async add(line: string): Promise<void> {
    const bytes = Buffer.byteLength(line) + 1
    if (this.isFull || bytes > LONGEST_LINE_BYTES || this.plainBytes + bytes > this.limits.plainBytes) {
      this.leftOut += 1
      return
    }
    this.portion.push(`${line}\n`)
    this.portionBytes += bytes
    this.plainBytes += bytes
    // Near the limit in small portions: little of what has room is left out.
    const room = (this.limits.packedBytes - this.packedBytes) / 2
    if (this.portionBytes >= Math.min(PORTION_BYTES, Math.max(4096, room))) await this.pack()
  }

  async end(): Promise<Buffer> {
    await this.pack()
    return Buffer.concat([...this.members, await gzipped(`${JSON.stringify({ leftOut: this.leftOut })}\n`)])
  }

  private async pack(): Promise<void> {
    const member = await gzipped(this.portion.join(''))
    this.isFull = this.packedBytes + member.length > this.limits.packedBytes
    if (this.isFull) this.leftOut += this.portion.length
    else {
      this.members.push(member)
      this.packedBytes += member.length
    }
    this.portion = []
    this.portionBytes = 0
  }
}

const gzipped = promisify<string, Buffer>(gzip)

/** What was kept, line by line. */
export interface Kept {
  /** ISO time. */
  readonly at: string
  /** How many lines there was no room for. */
  readonly leftOut: number
}

/** As it was said last, line by line, whenever others had their turn. Undefined: there is none, or not the whole of it. @throws what reading or `take` fails with */
export async function readKept(
  path: string,
  { packedBytes, plainBytes }: KeptLimits,
  take: (value: unknown) => void
): Promise<Kept | undefined> {
  // What cannot be written now is as it was.
  await files
    .get(path)
    ?.writeWaiting()
    .catch(() => undefined)
  if (!isReadable(path, packedBytes)) return undefined
  const { mtime } = statSync(path)
  const reading = new Reading(path, plainBytes, take)
  const turns = new CharactersInTurns()
  const file = createReadStream(path)
  const plain = createGunzip()
  file.on('error', (error) => plain.destroy(error)).pipe(plain)
  try {
    for await (const chunk of plain as AsyncIterable<Uint8Array>)
      for (const line of reading.cut(chunk)) {
        reading.take(line)
        await turns.taken(line.length)
      }
  } finally {
    file.destroy()
  }
  return reading.end(mtime)
}

/** The same at once, of what is short. */
export function readKeptNow(
  path: string,
  { packedBytes, plainBytes }: KeptLimits,
  take: (value: unknown) => void
): Kept | undefined {
  if (!isReadable(path, packedBytes)) return undefined
  const reading = new Reading(path, plainBytes, take)
  for (const line of reading.cut(gunzipSync(readFileSync(path), { maxOutputLength: plainBytes + LAST_BYTES })))
    reading.take(line)
  return reading.end(statSync(path).mtime)
}

class Reading {
  private readonly lines: LineCutter
  private readonly visit: (value: unknown) => void
  private leftBytes: number
  private leftOut: number | undefined

  constructor(path: string, plainBytes: number, take: (value: unknown) => void) {
    this.lines = new LineCutter(path, LONGEST_LINE_BYTES)
    this.leftBytes = plainBytes + LAST_BYTES
    this.visit = take
  }

  cut(chunk: Uint8Array): string[] {
    this.leftBytes -= chunk.byteLength
    if (this.leftBytes < 0) throw new Error('it is far larger than it should be')
    return this.lines.push(chunk)
  }

  take(line: string): void {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null && 'leftOut' in value && Object.keys(value).length === 1)
      this.leftOut = Number(value.leftOut)
    else this.visit(value)
  }

  end(at: Date): Kept | undefined {
    return this.leftOut === undefined ? undefined : { at: at.toISOString(), leftOut: this.leftOut }
  }
}
