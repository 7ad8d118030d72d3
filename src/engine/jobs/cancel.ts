import { jobUnit } from '../../shared/host-paths.ts'
import { isEnded, type JobReport } from '../../shared/model/job.ts'
import type { Shell } from '../../shared/shell.ts'
import { fail } from '../../shared/failure.ts'
import { endOfJob } from './follow.ts'
import { askForCancel, readReport } from './job-directory.ts'

/** Stops the job and waits for its end: only then it is cancelled. A job that has ended stays as it ended. */
export async function cancelJob(shell: Shell, id: string): Promise<JobReport> {
  const report = readReport(id)
  if (report === undefined) return fail({ kind: 'not-found', what: 'job', name: id })
  if (isEnded(report.state)) return report
  askForCancel(id)
  await shell.run(['systemctl', 'stop', '--no-block', jobUnit(id)])
  return endOfJob(shell, id)
}
