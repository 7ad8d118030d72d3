import { describeFailure } from '../../../shared/failure-words.ts'
import { formatDuration, formatPause } from '../../../shared/format.ts'
import { shorten } from '../../../shared/safe-text.ts'
import type { Manifest } from '../../../shared/model/point.ts'
import type { JobView, JobViewKind } from '../../../shared/views/job-view.ts'
import type { Choices } from '../../../shared/views/settings-view.ts'
import { noticeId, type Said, type SaidOrQuiet } from './notices.ts'

const CALLED: Readonly<Record<JobViewKind, string>> = {
  backup: 'backup',
  restore: 'restore',
  verify: 'check of a point',
  copy: 'copy of a point'
}

/** Lines to type that are longer together are not for a notice: half of them may do harm. The job has them all. */
const LONGEST_NEXT_STEP = 1000
/** So that these lines are whole behind it. */
const LONGEST_REASON = 500

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
    !isFailure && !isOtherCopy(job) && choices?.notifySuccess !== true
  ]
}

/** A copy that is not all that its point was: nothing else tells it, and whoever reckons with the copy has to know. */
export const isOtherCopy = ({ kind, warnings }: JobView): boolean => kind === 'copy' && warnings.length > 0

/** The same of a copy that was made for a restore, whose own report has nothing of it. */
export function fetchedNotice(to: string, { id, vm }: Pick<Manifest, 'id' | 'vm'>, warnings: readonly string[]): Said {
  const at = new Date().toISOString()
  return {
    id: noticeId(to, 'fetched', id, at),
    host: to,
    at,
    severity: 'warning',
    title: `The point for the restore of ${shorten(vm.name, LONGEST_NAME)} was copied to ${to}, with ${warningsIn(warnings)}`,
    text: sentences(warnings),
    goTo: { screen: 'restore' }
  }
}

const LONGEST_NAME = 100
const warningsIn = ({ length }: readonly string[]): string => (length === 1 ? 'a warning' : `${length} warnings`)
const sentences = (texts: readonly string[]): string => texts.map((text) => `${text}.`).join(' ')

function titleOf(job: JobView, isFailure: boolean): string {
  const what = `The ${CALLED[job.kind]} of ${job.vm.name}`
  if (job.verify?.good === false) return `A point of ${job.vm.name} is damaged`
  if (isFailure) return `${what} failed`
  if (job.state === 'cancelled') return `${what} was cancelled`
  return `${what} is done${isOtherCopy(job) ? `, with ${warningsIn(job.warnings)}` : ''}`
}

const STANDS_IN_JOB = 'What to do about it stands in the job.'

function textOf(job: JobView): string {
  if (job.failure !== undefined && job.state !== 'cancelled') {
    const { title, nextStep } = describeFailure(job.failure)
    const said = [shorten(title, LONGEST_REASON), nextStep.length > LONGEST_NEXT_STEP ? STANDS_IN_JOB : nextStep]
    return [...said, ...(isOtherCopy(job) ? [sentences(job.warnings)] : [])].filter((text) => text !== '').join('. ')
  }
  if (isOtherCopy(job)) return sentences(job.warnings)
  if (job.verify?.good === false) return job.verify.problems.map(({ file, detail }) => `${file}: ${detail}`).join('; ')
  if (job.kind === 'backup') return `It stood still ${formatPause(job.pauseMs)}.`
  if (job.runningMs !== undefined) return `It runs again after ${formatDuration(job.runningMs)}.`
  return ''
}
