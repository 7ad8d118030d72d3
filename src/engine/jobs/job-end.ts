import type { Failure } from '../../shared/failure.ts'
import { pauseMsOf } from '../../shared/model/pause.ts'
import { vmOf, type JobReport, type JobState } from '../../shared/model/job.ts'
import type { Kept } from '../evidence/verdict.ts'
import { readJournal, type Journal } from '../journal/journal.ts'
import { cancelWasAsked, journalPath, readSpec } from './job-directory.ts'
import { reportOf } from '../../shared/job-report.ts'
import { forgetTrouble } from './trouble.ts'

/** What an undo came to: everything put back, or the job's purpose already reached; and what had to stay as it is. */
export interface Undone {
  readonly end: 'undone' | 'was-finished'
  readonly kept: readonly Kept[]
}

/** How a job ends that did not get through all of its steps, once its traces are gone. */
export function endReport(id: string, { end, kept }: Undone, failure: Failure): JobReport {
  const after = end === 'undone' ? failure : undefined
  if (kept.length > 0) return finalReport(id, 'failed-needs-you', leftBehind(id, kept, after))
  if (end === 'was-finished') return finalReport(id, 'done-with-warnings')
  if (failure.kind !== 'cancelled') return finalReport(id, 'failed-clean', failure)
  if (cancelWasAsked(id)) return finalReport(id, 'cancelled', failure)
  return finalReport(id, 'failed-clean', {
    kind: 'interrupted',
    job: readSpec(id)?.kind ?? 'backup',
    step: failure.what
  })
}

/** A job that reached its purpose, though something may have had to stay as it is. */
export function doneReport(id: string, kept: readonly Kept[], warned: boolean): JobReport {
  if (kept.length > 0) return finalReport(id, 'failed-needs-you', leftBehind(id, kept, undefined))
  return finalReport(id, warned ? 'done-with-warnings' : 'done')
}

function leftBehind(id: string, kept: readonly Kept[], after: Failure | undefined): Failure {
  const spec = readSpec(id)
  return {
    kind: 'left-behind',
    vm: spec === undefined ? id : vmOf(spec).name,
    ...(after && { after }),
    left: kept.map(({ path, because, mend }) => ({ path, because, mend }))
  }
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

/** @throws what the file system says: then the job has no end yet */
export function endJob(journal: Journal, report: JobReport): void {
  journal.end({ type: 'end', report })
  forgetTrouble(report.id)
}
