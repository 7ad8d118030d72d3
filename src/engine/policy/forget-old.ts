import { rmSync } from 'node:fs'
import { isEnded } from '../../shared/model/job.ts'
import { jobDirectory, jobIds, readReport } from '../jobs/job-directory.ts'
import { readRun, removeRun, runIds } from './run-files.ts'

/** So many of each stay on the host, the youngest; the laptop has long read the others. */
const KEPT = 1000

/** Removes old runs and jobs of this host, but none that has not ended. */
export function forgetOld(): void {
  for (const id of runIds().slice(0, -KEPT)) if (readRun(id)?.endedAt !== undefined) removeRun(id)
  for (const id of jobIds().slice(0, -KEPT)) {
    const report = readReport(id)
    if (report !== undefined && isEnded(report.state)) rmSync(jobDirectory(id), { recursive: true, force: true })
  }
}
