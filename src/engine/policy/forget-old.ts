import { rmSync } from 'node:fs'
import { isEnded } from '../../shared/model/job.ts'
import { jobDirectory, jobIds, readReport } from '../jobs/job-directory.ts'
import { readRun, removeRun, runIds } from './run-files.ts'

/** So many of each stay on the host, the youngest; the laptop has long read the others. */
const KEPT = 1000
/** To read them all is worth it for many at once only. */
const SLACK = 50

/** Removes old runs and jobs of this host, but none that has not ended. */
export function forgetOld(): void {
  if (runIds().length > KEPT + SLACK) forgetOldRuns()
  if (jobIds().length > KEPT + SLACK) forgetOldJobs()
}

/** Skipped ones first: a policy that is paused for long must not push out what happened before. */
function forgetOldRuns(): void {
  const ended = runIds()
    .flatMap((id) => readRun(id) ?? [])
    .filter(({ endedAt }) => endedAt !== undefined)
  const inTurn = [
    ...ended.filter(({ state }) => state === 'skipped'),
    ...ended.filter(({ state }) => state !== 'skipped')
  ]
  for (const { id } of inTurn.slice(0, ended.length - KEPT)) removeRun(id)
}

function forgetOldJobs(): void {
  for (const id of jobIds().slice(0, -KEPT)) {
    const report = readReport(id)
    if (report !== undefined && isEnded(report.state)) rmSync(jobDirectory(id), { recursive: true, force: true })
  }
}
