import { rmSync } from 'node:fs'
import { isEnded } from '../../shared/model/job.ts'
import { jobDirectory, jobIds, readReport } from '../jobs/job-directory.ts'
import { readRun, removeRun, runIds } from './run-files.ts'

/**
 * So many stay on the host, the youngest, so that a laptop that was away for a week still finds all of them: 5 policies
 * every hour, of 25 VMs in all.
 */
const KEPT_RUNS = 1000
const KEPT_JOBS = 5000
/** To read them all is worth it for many at once only. */
const SLACK = 50

/** Removes old runs and jobs of this host, but none that has not ended. */
export function forgetOld(): void {
  if (runIds().length > KEPT_RUNS + SLACK) forgetOldRuns()
  if (jobIds().length > KEPT_JOBS + SLACK) forgetOldJobs()
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
  for (const { id } of inTurn.slice(0, Math.max(0, ended.length - KEPT_RUNS))) removeRun(id)
}

function forgetOldJobs(): void {
  for (const id of jobIds().slice(0, -KEPT_JOBS)) {
    const report = readReport(id)
    if (report !== undefined && isEnded(report.state)) rmSync(jobDirectory(id), { recursive: true, force: true })
  }
}
