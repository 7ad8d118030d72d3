import { isEnded } from '../../shared/model/job.ts'
import type { NoticeView } from '../../shared/views/notice-view.ts'
import type { Choices } from '../../shared/views/settings-view.ts'
import { notificationsOf, type Notification } from './job-endings.ts'
import type { Seen } from './mirror.ts'
import { shown, words } from './words.ts'

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

const MOST_A_MINUTE = 3
const MINUTE_MS = 60_000

/** What one host may interrupt with: the rest is one word on how many more there are, and stands in the window. */
export class HostQuota {
  private readonly shown = new Map<string, { readonly since: number; count: number }>()
  private readonly now: () => number

  constructor(now: () => number = () => performance.now()) {
    this.now = now
  }

  /** `last`: one more is allowed, for the word on the others. */
  take(host: string): 'shown' | 'last' | 'none' {
    const before = this.shown.get(host)
    const minute =
      before !== undefined && this.now() - before.since < MINUTE_MS ? before : { since: this.now(), count: 0 }
    this.shown.set(host, minute)
    minute.count += 1
    if (minute.count <= MOST_A_MINUTE) return 'shown'
    return minute.count === MOST_A_MINUTE + 1 ? 'last' : 'none'
  }
}

type Wanted = Pick<Choices, 'notifySuccess' | 'notifyFailure'>

/**
 * What is notified of them: jobs in the words for jobs, of the rest what failed; all by the operator's choice. A notice comes
 * before the list of jobs says how its job ended: until then it is told as it is.
 */
export function newsOf(
  notices: readonly NoticeView[],
  { jobs = [] }: Pick<Seen, 'jobs'>,
  wanted: Wanted,
  quota: HostQuota = new HostQuota()
): readonly Notification[] {
  const ended = notices.flatMap(({ id }) => jobs.find((job) => job.id === id && isEnded(job.state)) ?? [])
  const ids = new Set(ended.map(({ id }) => id))
  const others = notices.filter(({ id }) => !ids.has(id))
  const heard = others.filter((notice) => isHeard(notice, wanted))
  return [...notificationsOf(ended, wanted), ...withinQuota(heard, quota)]
}

function withinQuota(notices: readonly NoticeView[], quota: HostQuota): readonly Notification[] {
  const told: Notification[] = []
  const more = new Map<string, { count: number; isTold: boolean }>()
  for (const notice of notices) {
    const host = notice.host ?? ''
    const allowed = quota.take(host)
    if (allowed === 'shown') told.push(notificationOf(notice))
    else {
      const rest = more.get(host) ?? { count: 0, isTold: false }
      more.set(host, { count: rest.count + 1, isTold: rest.isTold || allowed === 'last' })
    }
  }
  return [...told, ...[...more].flatMap(([host, { count, isTold }]) => (isTold ? [moreOf(host, count)] : []))]
}

const moreOf = (host: string, count: number): Notification => ({
  title: words.ended.more(count, shown(host)),
  body: words.ended.moreText,
  goTo: { screen: 'overview' }
})

/** Warnings and the like are seen in the tray and in the window: a host out of reach is no reason to interrupt. */
function isHeard(notice: NoticeView, { notifySuccess, notifyFailure }: Wanted): boolean {
  if (notice.acknowledged) return false
  return notice.severity === 'failure' ? notifyFailure : wentWell(notice) && notifySuccess
}

/** A job that went well with warnings is a success too. */
const wentWell = ({ severity, goTo, id }: NoticeView): boolean =>
  severity === 'good' || (severity === 'warning' && goTo?.screen === 'job' && goTo.job === id)

const notificationOf = ({ title, text, goTo }: NoticeView): Notification => ({
  title: shown(title),
  body: shown(text),
  goTo: goTo ?? { screen: 'overview' }
})
