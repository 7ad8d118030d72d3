import { appendFileSync, closeSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { safeLines, safeText, shorten } from '../../shared/safe-text.ts'
import { failureOf } from '../../shared/failure.ts'
import { putAside, putAsideUnlessFile, TO_ADD } from '../core/settings/small-file.ts'
import type { BugReport } from './answer.ts'

/** Then it becomes `errors.1.log`, in place of the one before. A host that meets a bug each time it speaks fills no more than both. */
const LARGEST_BYTES = 256 << 10
/** Neither of the two is ever so large, whatever is added to it: others have written there. */
const FAR_TOO_LARGE_BYTES = 16 << 20
const LONGEST_MESSAGE = 16_384
/** Different bugs of one Stillpoint whose repetitions are counted. */
const MOST_COUNTED = 200

/**
 * Writes bugs to `errors.log` in the settings folder, under the reference that the operator sees. One that comes again and
 * again is written whole once, its next nine times by their references, and from then on only counted, at 100 times, 1,000
 * and so on. What is no file in the place of the log makes way, and so does a log that is far larger than Stillpoint writes
 * one. Either is told, each once, and so is that it cannot be written, or not be put by. The one before it is only looked at then.
 */
export function errorLog(
  folder: string,
  now: () => Date = () => new Date(),
  tell: (text: string) => void = () => undefined
): BugReport {
  const told = new Set<Trouble>()
  const tellOnce: TellOnce = (trouble, text) => {
    if (!told.has(trouble)) tell(text)
    told.add(trouble)
  }
  const times = new Map<string, { readonly first: string; count: number }>()
  return ({ reference, message }) => {
    try {
      const text = textFor(times, reference, message)
      if (text === undefined) return
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      const path = join(folder, 'errors.log')
      putAsideUnlessLog(path, tellOnce)
      if (putByIfLarge(path, tellOnce)) times.clear()
      addTo(path, `${now().toISOString()} ${reference} ${text}\n`)
    } catch (error) {
      // Writing down a bug must never be the cause of another.
      tellOnce('unwritten', unwritten(folder, error))
    }
  }
}

type Trouble = 'no file' | 'far too large' | 'not put by' | 'unwritten'
type TellOnce = (trouble: Trouble, text: string) => void

function putAsideUnlessLog(path: string, tellOnce: TellOnce): void {
  const aside = putAsideUnlessFile(path)
  if (aside !== undefined) tellOnce('no file', madeWay(path, 'no file', aside))
  if (sizeOf(path) > FAR_TOO_LARGE_BYTES)
    tellOnce('far too large', madeWay(path, 'far larger than Stillpoint writes it', putAside(path)))
}

/** Its further lines are set in: none of them begins an entry. */
const entryOf = (message: string): string => safeLines(message).replaceAll('\n', '\n  ')

function textFor(
  times: Map<string, { readonly first: string; count: number }>,
  reference: string,
  message: string
): string | undefined {
  const key = shorten(message, LONGEST_MESSAGE)
  const known = times.get(key)
  if (known === undefined) {
    if (times.size >= MOST_COUNTED) times.clear()
    times.set(key, { first: reference, count: 1 })
    return entryOf(key)
  }
  known.count += 1
  const isWorthALine = known.count <= 10 || /^10+$/.test(String(known.count))
  return isWorthALine ? `the same as ${known.first}, ${known.count} times so far` : undefined
}

function addTo(path: string, text: string): void {
  const file = openSync(path, TO_ADD, 0o600)
  try {
    appendFileSync(file, text)
  } finally {
    closeSync(file)
  }
}

/** What lies in the place of the one before keeps nothing from being written: this one grows on then, until it is far too large. */
function putByIfLarge(path: string, tellOnce: TellOnce): boolean {
  if (sizeOf(path) <= LARGEST_BYTES) return false
  try {
    putAsideUnlessLog(before(path), tellOnce)
    renameSync(path, before(path))
    return true
  } catch (error) {
    tellOnce('not put by', notPutBy(path, error))
    return false
  }
}

const before = (path: string): string => path.replace(/\.log$/, '.1.log')
const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

const madeWay = (path: string, was: string, aside: string): string =>
  `${safeText(path)} was ${was}. It is ${safeText(aside)} now, and the log of errors goes on without it: delete it if you do not need it.`

const notPutBy = (path: string, error: unknown): string =>
  `${safeText(path)} is full and cannot become ${safeText(before(path))} (${reasonOf(error)}). It is written on: move what lies there, or it grows to ${FAR_TOO_LARGE_BYTES >> 20} MiB.`

const unwritten = (folder: string, error: unknown): string =>
  `What goes wrong within Stillpoint cannot be written to ${safeText(join(folder, 'errors.log'))} (${reasonOf(error)}): a reference that it shows leads nowhere until that is put right.`

function reasonOf(error: unknown): string {
  const failure = failureOf(error)
  return failure.kind === 'io' ? failure.code : failure.kind
}
