import { GoneNotices } from '../core/live/gone-notices.ts'
import { isEnded } from '../../shared/model/job.ts'
import type { NoticeView } from '../../shared/views/notice-view.ts'
import type { Choices } from '../../shared/views/settings-view.ts'
import { isJobHeard, jobNotification, type Notification } from './job-endings.ts'
import type { Seen } from './mirror.ts'
import { shown, words } from './words.ts'

/** Finds the notices that come while Stillpoint runs. What was there before is nobody's news. */
export class NoticeNews {
  private there: ReadonlyMap<string, NoticeView>
  /** One that made room comes again when there is room, and was heard before. */
  private readonly gone = new GoneNotices()

  constructor(there: readonly NoticeView[]) {
    this.there = byId(there)
  }

  /** Oldest first. */
  heard(notices: readonly NoticeView[]): readonly NoticeView[] {
    const before = this.there
    this.there = byId(notices)
    const fresh = [...this.there.values()].filter(
      (notice) => !before.has(notice.id) && this.gone.said(ofHost(notice)) === undefined
    )
    this.gone.add([...before.values()].filter(({ id }) => !this.there.has(id)).map(ofHost))
    return fresh.toReversed()
  }
}

const byId = (notices: readonly NoticeView[]): ReadonlyMap<string, NoticeView> =>
  new Map(notices.map((notice) => [notice.id, notice]))
const ofHost = (notice: NoticeView): NoticeView & { readonly host: string } => ({ ...notice, host: notice.host ?? '' })

const MOST_A_MINUTE = 3
const MINUTE_MS = 60_000

type Later = (work: () => void) => void

/**
 * What each host may interrupt with: so many notifications a minute, of whatever they are, and at the end of that minute one
 * word on how many more there were. They all stand in the window.
 */
export class Interruptions {
  /** How many there were of each host since its minute began. */
  private readonly counts = new Map<string, number>()
  private readonly notify: (notification: Notification) => void
  private readonly inAMinute: Later

  constructor(notify: (notification: Notification) => void, inAMinute: Later = afterAMinute) {
    this.notify = notify
    this.inAMinute = inAMinute
  }

  with({ host, notification }: News): void {
    const count = this.counts.get(host) ?? 0
    this.counts.set(host, count + 1)
    if (count === 0) this.inAMinute(() => this.end(host))
    if (count < MOST_A_MINUTE) this.notify({ ...notification(), host })
  }

  private end(host: string): void {
    const more = (this.counts.get(host) ?? 0) - MOST_A_MINUTE
    this.counts.delete(host)
    if (more > 0) this.notify({ ...moreOf(host, more), host })
  }
}

const afterAMinute: Later = (work) => void setTimeout(work, MINUTE_MS).unref()

const moreOf = (host: string, count: number): Notification => ({
  title: words.ended.more(count, shown(host)),
  body: words.ended.moreText,
  goTo: { screen: 'overview' }
})

type Wanted = Pick<Choices, 'notifySuccess' | 'notifyFailure'>

/** What is notified, and whose noise it would be if there were too much of it. */
export interface News {
  readonly host: string
  /** Made of it only where it is notified: a failure may have much to say. */
  readonly notification: () => Notification
}

/**
 * What is notified of them: jobs in the words for jobs, of the rest what failed; all by the operator's choice. A notice comes
 * before the list of jobs says how its job ended: until then it is told as it is.
 */
export const newsOf = (
  notices: readonly NoticeView[],
  { jobs = [] }: Pick<Seen, 'jobs'>,
  wanted: Wanted
): readonly News[] =>
  notices.flatMap((notice) => {
    const job = jobs.find(({ id, state }) => id === notice.id && isEnded(state))
    const isTold = job === undefined ? isHeard(notice, wanted) : isJobHeard(job, wanted)
    if (!isTold) return []
    const notification = (): Notification => (job ? jobNotification(job) : notificationOf(notice))
    return [{ host: notice.host ?? job?.host ?? '', notification }]
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
