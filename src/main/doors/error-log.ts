import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { BugReport } from './answer.ts'

/** Writes bugs to `errors.log` in the settings folder, under the reference that the operator sees. */
export function errorLog(folder: string, now: () => Date = () => new Date()): BugReport {
  return ({ reference, message }) => {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      appendFileSync(join(folder, 'errors.log'), `${now().toISOString()} ${reference} ${message}\n`, { mode: 0o600 })
    } catch {
      // Writing down a bug must never be the cause of another.
    }
  }
}
