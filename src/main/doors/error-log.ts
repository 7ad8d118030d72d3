import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { safeLines } from '../../shared/safe-text.ts'
import type { BugReport } from './answer.ts'

/** Writes bugs to `errors.log` in the settings folder, under the reference that the operator sees. */
export function errorLog(folder: string, now: () => Date = () => new Date()): BugReport {
  return ({ reference, message }) => {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      appendFileSync(join(folder, 'errors.log'), `${now().toISOString()} ${reference} ${entryOf(message)}\n`, {
        mode: 0o600
      })
    } catch {
      // Writing down a bug must never be the cause of another.
    }
  }
}

/** Its further lines are set in: none of them begins an entry. */
const entryOf = (message: string): string => safeLines(message).replaceAll('\n', '\n  ')
