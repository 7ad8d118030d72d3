import { describeFailure } from '../../../shared/failure-words.ts'
import { formatDuration, formatPause } from '../../../shared/format.ts'
import type { JobView, JobViewKind } from '../../../shared/views/job-view.ts'
import type { Choices } from '../../../shared/views/settings-view.ts'
import type { SaidOrQuiet } from './notices.ts'

const CALLED: Readonly<Record<JobViewKind, string>> = {
  backup: 'backup',
  restore: 'restore',
  verify: 'check of a point',
  copy: 'copy of a point'
}

/** Lines to type that are longer together are not for a notice: half of them may do harm. The job has them all. */
const LONGEST_NEXT_STEP = 1000

/** What is said of a job that has ended, and whether it need not be heard: success is quiet unless it is wanted. */
export function jobNotice(job: JobView, choices: Choices | undefined): SaidOrQuiet {
  const isGood = job.state === 'done' || job.state === 'done-with-warnings'
  const isFailure = job.state.startsWith('failed') || job.verify?.good === false
  return [
    {
      id: job.id,
      host: job.host,
      at: job.endedAt ?? new Date().toISOString(),
      severity: isFailure ? 'failure' : job.state === 'done-with-warnings' ? 'warning' : isGood ? 'good' : 'info',
      title: titleOf(job, isFailure),
      text: textOf(job),
      goTo: { screen: 'job', job: job.id }
    },
    !isFailure && choices?.notifySuccess !== true
  ]
}

function titleOf(job: JobView, isFailure: boolean): string {
  const what = `The ${CALLED[job.kind]} of ${job.vm.name}`
  if (job.verify?.good === false) return `A point of ${job.vm.name} is damaged`
  if (isFailure) return `${what} failed`
  return job.state === 'cancelled' ? `${what} was cancelled` : `${what} is done`
}

const STANDS_IN_JOB = 'What to do about it stands in the job.'

function textOf(job: JobView): string {
  if (job.failure !== undefined && job.state !== 'cancelled') {
    const { title, nextStep } = describeFailure(job.failure)
    return [title, nextStep.length > LONGEST_NEXT_STEP ? STANDS_IN_JOB : nextStep]
      .filter((text) => text !== '')
      .join('. ')
  }
  if (job.verify?.good === false) return job.verify.problems.map(({ file, detail }) => `${file}: ${detail}`).join('; ')
  if (job.kind === 'backup') return `It stood still ${formatPause(job.pauseMs)}.`
  if (job.runningMs !== undefined) return `It runs again after ${formatDuration(job.runningMs)}.`
  return ''
}
