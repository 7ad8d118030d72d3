import { existsSync } from 'node:fs'
import { heldPath } from '../../src/engine/journal/fault.ts'
import type { JobReport } from '../../src/shared/model/job.ts'
import type { LabHost } from './host.ts'
import { endOf } from './journals.ts'
import { LabError, PATIENCE_MS, waitFor } from './run.ts'

/**
 * Waits until the engine stands at a fault point with action `hold`. Answers the report of a job that ends before. Of one job: an
 * engine that is killed while it is held leaves its file.
 */
export function heldOrEnded(
  host: LabHost,
  point: string,
  job: string,
  timeoutMs = PATIENCE_MS
): Promise<JobReport | 'held'> {
  const path = `/proc/${host.machinePid}/root${heldPath(job, point)}`
  return waitFor(`job ${job} to be held at ${point}`, () => (existsSync(path) ? ('held' as const) : endOf(host, job)), {
    timeoutMs,
    everyMs: 30
  })
}

/** Waits until the engine stands at a fault point with action `hold`. @throws with its report if the job ends before */
export async function heldAt(host: LabHost, point: string, job: string): Promise<void> {
  const report = await heldOrEnded(host, point, job)
  if (report !== 'held') throw new LabError(`it ended before it stood at ${point}: ${JSON.stringify(report)}`)
}

/** Lets it go on. */
export const letGo = (host: LabHost, point: string, job: string): Promise<string> =>
  host.must(`rm -- ${heldPath(job, point)}`)
