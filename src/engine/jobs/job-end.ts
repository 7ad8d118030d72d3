import type { Failure } from '../../shared/failure.ts'
import { pauseMsOf } from '../../shared/model/pause.ts'
import type { JobReport, JobState } from '../../shared/model/job.ts'
import { readJournal, type Journal } from '../journal/journal.ts'
import { cancelWasAsked, journalPath, readSpec } from './job-directory.ts'
import { reportOf } from '../../shared/job-report.ts'

/** What recovery found: everything put back, or the job's purpose already reached. */
export type Undone = 'undone' | 'was-finished'

/** How a job ends that did not get through all of its steps, once its traces are gone. */
export function endReport(id: string, undone: Undone, failure: Failure): JobReport {
  if (undone === 'was-finished') return finalReport(id, 'done-with-warnings')
  if (failure.kind !== 'cancelled') return finalReport(id, 'failed-clean', failure)
  if (cancelWasAsked(id)) return finalReport(id, 'cancelled', failure)
  return finalReport(id, 'failed-clean', {
    kind: 'interrupted',
    job: readSpec(id)?.kind ?? 'backup',
    step: failure.what
  })
}

/** The journal's report, closed with this state. */
export function finalReport(id: string, state: JobState, failure?: Failure): JobReport {
  const report = reportOf(readJournal(journalPath(id)))
  if (report === undefined) throw new Error(`job ${id} has no beginning`)
  return {
    ...report,
    pauseMs: pauseMsOf(report.pauses),
    state,
    endedAt: new Date().toISOString(),
    ...(failure && { failure })
  }
}

export function endJob(journal: Journal, report: JobReport): void {
  journal.append({ type: 'end', report })
}
