import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import * as z from 'zod'
import { HostFailureData } from '../../shared/failure-data.ts'
import type { Failure } from '../../shared/failure.ts'
import { RUN_DIR } from '../../shared/host-paths.ts'

/**
 * What the last pass over a job that could not be put right ran into. It lies in the host's memory: each boot tries anew,
 * and it can be written while disks are full.
 */
const Trouble = z.object({ passes: z.number(), failure: HostFailureData })
export type Trouble = z.infer<typeof Trouble>

const troublePath = (id: string): string => `${RUN_DIR}/trouble-${id}.json`

export function readTrouble(id: string): Trouble | undefined {
  try {
    return Trouble.safeParse(JSON.parse(readFileSync(troublePath(id), 'utf8'))).data
  } catch {
    return undefined
  }
}

/** Notes that one more pass did not get through, and why. */
export function noteTrouble(id: string, failure: Failure): void {
  mkdirSync(RUN_DIR, { recursive: true, mode: 0o700 })
  const passes = (readTrouble(id)?.passes ?? 0) + 1
  writeFileSync(`${troublePath(id)}.new`, JSON.stringify({ passes, failure } satisfies Trouble), { mode: 0o600 })
  renameSync(`${troublePath(id)}.new`, troublePath(id))
}

/** Of a job that has ended: nobody reads it any more, where it cannot be removed either. */
export function forgetTrouble(id: string): void {
  try {
    rmSync(troublePath(id), { force: true })
  } catch {
    // It goes at the next boot.
  }
}
