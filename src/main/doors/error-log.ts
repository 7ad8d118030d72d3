import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { safeLines, shorten } from '../../shared/safe-text.ts'
import type { BugReport } from './answer.ts'

/** Then it becomes `errors.1.log`, in place of the one before. */
const LARGEST_BYTES = 1 << 20
const LONGEST_MESSAGE = 16_384
/** Different bugs of one Stillpoint whose repetitions are counted. */
const MOST_COUNTED = 200

/**
 * Writes bugs to `errors.log` in the settings folder, under the reference that the operator sees. One that comes again and
 * again is written whole once, its next nine times by their references, and from then on only counted, at 100 times, 1,000
 * and so on.
 */
export function errorLog(folder: string, now: () => Date = () => new Date()): BugReport {
  const times = new Map<string, { readonly first: string; count: number }>()
  return ({ reference, message }) => {
    try {
      const text = textFor(times, reference, message)
      if (text === undefined) return
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      const path = join(folder, 'errors.log')
      if (putByIfLarge(path)) times.clear()
      if (isFile(path)) appendFileSync(path, `${now().toISOString()} ${reference} ${text}\n`, { mode: 0o600 })
    } catch {
      // Writing down a bug must never be the cause of another.
    }
  }
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

function putByIfLarge(path: string): boolean {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) <= LARGEST_BYTES) return false
  renameSync(path, path.replace(/\.log$/, '.1.log'))
  return true
}

/** Opening a pipe would wait for its other end. */
const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? true
