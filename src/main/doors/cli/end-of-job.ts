import { formatBytes, formatDuration, formatPause } from '../../../shared/format.ts'
import { describeFailure } from '../../../shared/failure-words.ts'
import { headline, stateWords } from '../../../shared/job-words.ts'
import type { JobReport } from '../../../shared/model/job.ts'
import { oneLine } from '../../../shared/safe-text.ts'
import { EXIT, exitOfJob, type ExitCode } from './exit-codes.ts'
import type { Output } from './output.ts'
import type { Session } from './session.ts'
import { fields } from './table.ts'
import type { WatchedJob } from './watch-job.ts'

/** The last words on a job, for people and for machines. */
export function endOfJob(
  { out }: Session,
  job: WatchedJob,
  report: JobReport | undefined,
  more: Readonly<Record<string, unknown>>
): ExitCode {
  if (report === undefined) return leftRunning(out, job)
  if (report.state === 'cancelled') {
    out.failed({ kind: 'cancelled', what: `The ${report.kind} of ${report.vm.name}` }, { job: report })
  } else if (report.failure !== undefined || exitOfJob(report.state) === EXIT.failed) {
    out.failed(report.failure ?? { kind: 'interrupted', job: report.kind, step: 'unknown' }, { job: report })
    if (!out.json) out.note(stateText(report))
  } else {
    out.line(reportText(report))
    out.result({ ...more, job: report })
  }
  return exitOfJob(report.state)
}

function leftRunning(out: Output, job: WatchedJob): ExitCode {
  const words = {
    title: `The ${job.kind} goes on on ${job.host}`,
    explanation: 'Only watching it has ended here.',
    nextStep: `See how it went: stillpoint job follow ${job.id}`
  }
  const failure = { kind: 'cancelled', what: `Watching the ${job.kind}` } as const
  if (out.json) out.failed(failure, { words, leftRunning: true, jobId: job.id, host: job.host })
  else out.note(`${words.title}. ${words.nextStep}`)
  return EXIT.cancelled
}

const stateText = (report: JobReport): string => `Job ${report.id} on ${report.host}: ${stateWords(report.state)}.`

/** A report in full, below its headline. */
export function reportText(report: JobReport): string[] {
  const { startedAt, endedAt, phases, pauses, clock } = report
  const failure =
    report.failure === undefined || report.state === 'cancelled' ? undefined : describeFailure(report.failure)
  const details = fields([
    ['state', stateWords(report.state)],
    ['failure', failure === undefined ? undefined : oneLine(`${failure.title}. ${failure.explanation}`)],
    ['copy of', report.copyOf && `${report.copyOf.name} (${report.copyOf.uuid}), which stays as it was`],
    ['point', report.point],
    ['method', withReason(report.method, report.methodReason)],
    ['mode', withReason(report.mode, report.modeReason)],
    ['size', report.sizeBytes === undefined ? undefined : formatBytes(report.sizeBytes)],
    ['pauses', pauses.map(({ phase, ms }) => `${phase} ${formatPause(ms)}`).join(', ')],
    ['phases', phases.map(({ phase, ms }) => `${phase} ${formatDuration(ms)}`).join(', ')],
    [
      'clock',
      clock === undefined
        ? undefined
        : `was ${formatDuration(clock.lateMs)} late, ${clock.corrected ? 'set' : 'not set: the guest agent did not answer'}`
    ],
    ['kept aside', report.keptAside?.join(', ')],
    ['took', endedAt === undefined ? undefined : formatDuration(Date.parse(endedAt) - Date.parse(startedAt))],
    ['warnings', report.warnings.join('; ')]
  ])
  const went = failure === undefined && report.state !== 'cancelled'
  return [went ? headline(report) : stateText(report), ...details]
}

const withReason = (what: string | undefined, why: string | undefined): string | undefined =>
  what === undefined || why === undefined ? what : `${what} (${why})`
