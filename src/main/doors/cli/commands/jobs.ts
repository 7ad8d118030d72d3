import { Command } from 'commander'
import { cancelJob, findJob, listJobs } from '../../../core/jobs/jobs.ts'
import { formatDuration, formatTime } from '../../../../shared/format.ts'
import { outcomeWords, stateWords } from '../../../../shared/job-words.ts'
import { isEnded, type JobReport } from '../../../../shared/model/job.ts'
import { endOfJob, reportText } from '../end-of-job.ts'
import { EXIT, exitOfJob, type ExitCode } from '../exit-codes.ts'
import { unreachableJson } from '../json-views.ts'
import { leaf } from '../leaf.ts'
import { exitOfListing, noteUnreachable } from '../listing.ts'
import type { ActionOptions, Perform } from '../run-program.ts'
import type { Session } from '../session.ts'
import { table } from '../table.ts'
import { watchToEnd } from '../watch-job.ts'

export const jobsCommand = (perform: Perform): Command =>
  leaf('jobs [HOST]', 'Jobs that run and jobs that ended, newest first; also those begun by others', [
    'jobs',
    'jobs alpha --json'
  ]).action((host: string | undefined, options: ActionOptions) =>
    perform(options, async ({ core, out }) => {
      const { jobs, unreachable } = await listJobs(core, host)
      out.line(jobs.length === 0 ? 'No jobs yet.' : jobTable(jobs))
      noteUnreachable(out, unreachable)
      out.result({ jobs, unreachable: unreachableJson(unreachable) })
      return exitOfListing(unreachable, host !== undefined)
    })
  )

export function jobCommand(perform: Perform): Command {
  const job = new Command('job').description('One job: watch or cancel it')
  for (const command of [follow, cancel]) job.addCommand(command(perform))
  return job
}

const follow = (perform: Perform): Command =>
  leaf('follow <ID>', 'Watch a job to its end, or see how it ended', ['job follow 20261122T201744Z-51c0de']).action(
    (id: string, options: ActionOptions) =>
      perform(options, async (session) => {
        const known = await findJob(session.core, id)
        const job = { kind: known.kind, host: known.host, id: known.id, vm: known.vm.name }
        const report = isEnded(known.state) ? known : await watchToEnd(session, job)
        return endOfJob(session, job, report, {})
      })
  )

const cancel = (perform: Perform): Command =>
  leaf('cancel <ID>', 'Stop a job and wait until its host has put everything back as it was', [
    'job cancel 20261122T201744Z-51c0de'
  ]).action((id: string, options: ActionOptions) =>
    perform(options, async (session) => {
      const known = await findJob(session.core, id)
      const report = isEnded(known.state) ? known : await cancelJob(session.core, known.host, known.id)
      return endOfCancel(session, report)
    })
  )

/** Cancelled is what was asked for: that is success here. */
function endOfCancel({ out }: Session, report: JobReport): ExitCode {
  out.line(reportText(report))
  out.result({ job: report })
  return report.state === 'cancelled' ? EXIT.done : exitOfJob(report.state)
}

function jobTable(jobs: readonly JobReport[]): string[] {
  const rows = jobs.map((job) => [
    job.id,
    job.kind,
    `${job.host}/${job.vm.name}`,
    formatTime(job.startedAt),
    job.endedAt === undefined ? '' : formatDuration(Date.parse(job.endedAt) - Date.parse(job.startedAt)),
    stateWords(job.state),
    job.state === 'cancelled' ? '' : outcomeWords(job)
  ])
  return table(['JOB', 'WHAT', 'VM', 'STARTED', 'TOOK', 'STATE', 'OUTCOME'], rows)
}
