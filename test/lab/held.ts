import { LAB_HELD_DIR } from '../../src/shared/host-paths.ts'
import type { JobReport } from '../../src/shared/model/job.ts'
import type { LabHost } from './host.ts'
import { endOf } from './journals.ts'
import { LabError, waitFor } from './run.ts'

/** Of one job: an engine that is killed while it is held leaves its file. */
const fileOf = (point: string, job: string): string => `${LAB_HELD_DIR}/${job}/${point}`

/** Waits until the engine stands at a fault point with action `hold`. Answers the report of a job that ends before. */
export const heldOrEnded = (host: LabHost, point: string, job: string): Promise<JobReport | 'held'> =>
  waitFor(`the engine to stand at ${point}`, async () =>
    (await host.run(`ls ${fileOf(point, job)}`)).exitCode === 0 ? 'held' : endOf(host, job)
  )

/** Waits until the engine stands at a fault point with action `hold`. @throws with its report if the job ends before */
export async function heldAt(host: LabHost, point: string, job: string): Promise<void> {
  const report = await heldOrEnded(host, point, job)
  if (report !== 'held') throw new LabError(`it ended before it stood at ${point}: ${JSON.stringify(report)}`)
}

/** Lets it go on. */
export const letGo = (host: LabHost, point: string, job: string): Promise<string> =>
  host.must(`rm -- ${fileOf(point, job)}`)
