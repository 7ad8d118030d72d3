import type { Command } from 'commander'
import { pastOf, type Past } from '../../../core/jobs/past.ts'
import { formatTime } from '../../../../shared/format.ts'
import { outcomeWords, stateWords } from '../../../../shared/job-words.ts'
import { missedWords, runHeadline, runStateWords } from '../../../../shared/run-words.ts'
import { unreachableJson } from '../json-views.ts'
import { leaf } from '../leaf.ts'
import { exitOfListing, noteUnreachable } from '../listing.ts'
import type { ActionOptions, Perform } from '../run-program.ts'
import { table } from '../table.ts'
import { timeText } from '../time-text.ts'

interface HistoryOptions extends ActionOptions {
  readonly host?: string
  readonly policy?: string
  readonly since?: string
}

export const historyCommand = (perform: Perform): Command =>
  leaf(
    'history [VM]',
    'Jobs and runs of schedules that have ended, newest first; also those that ran while nobody watched',
    ['history', 'history web1 --since 2026-11-01', 'history --host alpha --policy nightly --json']
  )
    .option('--host <HOST>', 'only on this host')
    .option('--policy <POLICY>', 'only of this schedule, by its name or id')
    .option('--since <DATE>', 'only what began then or later', timeText)
    .action((vm: string | undefined, options: HistoryOptions) =>
      perform(options, async ({ core, out }) => {
        const { host, policy, since } = options
        const past = await pastOf(core, { vm, host, policy, since })
        out.line(past.jobs.length + past.runs.length === 0 ? 'Nothing of that has ended yet.' : pastTable(past))
        noteUnreachable(out, past.unreachable)
        out.result({ jobs: past.jobs, runs: past.runs, unreachable: unreachableJson(past.unreachable) })
        return exitOfListing(past.unreachable, host !== undefined)
      })
    )

function pastTable({ jobs, runs }: Past): string[] {
  const ofJobs = jobs.map((job) => ({
    at: job.startedAt,
    cells: [job.kind, `${job.host}/${job.vm.name}`, job.policy?.name ?? '', stateWords(job.state), outcomeWords(job)]
  }))
  const ofRuns = runs.map((run) => ({
    at: run.startedAt,
    cells: [
      'run',
      run.host,
      run.policy.name,
      runStateWords(run.state),
      [runHeadline(run), ...(run.missedCount > 0 ? [missedWords(run)] : [])].join('; ')
    ]
  }))
  const rows = [...ofJobs, ...ofRuns].sort((a, b) => b.at.localeCompare(a.at))
  return table(
    ['STARTED', 'WHAT', 'WHERE', 'SCHEDULE', 'STATE', 'OUTCOME'],
    rows.map(({ at, cells }) => [formatTime(at), ...cells])
  )
}
