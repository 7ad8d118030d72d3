import { describeFailure } from '../../shared/failure-words.ts'
import { deedWords, outcomeWords } from '../../shared/job-words.ts'
import type { JobView } from '../../shared/views/job-view.ts'
import type { GoTo } from '../../shared/views/notice-view.ts'
import type { Choices } from '../../shared/views/settings-view.ts'
import { shown, words } from './words.ts'

/** What a notification says, and where a click on it leads. */
export interface Notification {
  readonly title: string
  readonly body: string
  readonly goTo: GoTo
  /** Whose it is: none where it is Stillpoint's own. */
  readonly host?: string
}

const { ended } = words

/** Whether it is notified that it ended, by the operator's choice. Who cancelled knows. */
export const isJobHeard = (job: JobView, choices: Pick<Choices, 'notifySuccess' | 'notifyFailure'>): boolean =>
  isBad(job) ? choices.notifyFailure : job.state !== 'cancelled' && choices.notifySuccess

/** A verification that did its work, and found damage, is no success. */
const isDamaged = ({ verify }: JobView): boolean => verify?.good === false
const isBad = (job: JobView): boolean => job.state.startsWith('failed') || isDamaged(job)

/** How it ended. */
export function jobNotification(job: JobView): Notification {
  const goTo: GoTo = { screen: 'job', job: job.id }
  if (isDamaged(job)) return { title: ended.damaged(job), body: sentence(outcomeWords(job)), goTo }
  if (isBad(job)) return { title: ended.failed(job), body: whatNow(job), goTo }
  const warnings = job.warnings.length === 0 ? '' : `, ${ended.warnings(job.warnings.length)}`
  return { title: ended.went(job), body: sentence(`${deedWords(job)}${warnings}`), goTo }
}

function whatNow({ failure, state, kind }: JobView): string {
  const why = failure === undefined ? '' : sentence(describeFailure(failure).title)
  const then =
    state === 'failed-needs-you' ? ended.needsYou : kind === 'copy' || kind === 'verify' ? '' : ended.asBefore
  return `${why} ${then}`.trim()
}

const sentence = (text: string): string => `${shown(text.charAt(0).toUpperCase() + text.slice(1))}.`
