import type { NoticeView } from '../../shared/views/notice-view.ts'
import type { Choices } from '../../shared/views/settings-view.ts'
import { notificationsOf, type Notification } from './job-endings.ts'
import type { Seen } from './mirror.ts'
import { shown } from './words.ts'

/** Finds the notices that come while Stillpoint runs. What was there before is nobody's news. */
export class NoticeNews {
  private readonly known: Set<string>

  constructor(there: readonly NoticeView[]) {
    this.known = new Set(there.map(({ id }) => id))
  }

  /** Oldest first. */
  heard(notices: readonly NoticeView[]): readonly NoticeView[] {
    const fresh = notices.filter(({ id }) => !this.known.has(id))
    fresh.forEach(({ id }) => this.known.add(id))
    return fresh.toReversed()
  }
}

type Wanted = Pick<Choices, 'notifySuccess' | 'notifyFailure'>

/** What is notified of them: jobs in the words for jobs, of the rest what failed; all by the operator's choice. */
export function newsOf(
  notices: readonly NoticeView[],
  { jobs = [] }: Pick<Seen, 'jobs'>,
  wanted: Wanted
): readonly Notification[] {
  const ended = notices.flatMap(({ id }) => jobs.find((job) => job.id === id) ?? [])
  const others = notices.filter(({ id }) => !ended.some((job) => job.id === id))
  return [...notificationsOf(ended, wanted), ...others.filter((notice) => isHeard(notice, wanted)).map(notificationOf)]
}

/** Warnings and the like are seen in the tray and in the window: a host out of reach is no reason to interrupt. */
function isHeard({ severity, acknowledged }: NoticeView, { notifySuccess, notifyFailure }: Wanted): boolean {
  if (acknowledged) return false
  return severity === 'failure' ? notifyFailure : severity === 'good' && notifySuccess
}

const notificationOf = ({ title, text, goTo }: NoticeView): Notification => ({
  title: shown(title),
  body: shown(text),
  goTo: goTo ?? { screen: 'overview' }
})
