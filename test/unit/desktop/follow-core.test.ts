import { describe, expect, it, vi } from 'vitest'
import { jobNotice } from '../../../src/main/core/live/job-notice.ts'
import { LiveValue } from '../../../src/main/core/live/live-value.ts'
import type { DesktopCore } from '../../../src/main/desktop/desktop-core.ts'
import { followCore } from '../../../src/main/desktop/follow-core.ts'
import type { Notification } from '../../../src/main/desktop/job-endings.ts'
import { Mirror } from '../../../src/main/desktop/mirror.ts'
import type { JobView } from '../../../src/shared/views/job-view.ts'
import type { NoticeView } from '../../../src/shared/views/notice-view.ts'
import { DEFAULT_CHOICES, type Choices } from '../../../src/shared/views/settings-view.ts'
import { ended, jobOf } from './jobs.ts'

/** What is notified by a core whose list of jobs stays as it is first told: it comes later than notices do. */
function followed(chosen: Partial<Choices> = {}) {
  const choices = { ...DEFAULT_CHOICES, ...chosen }
  const jobs = new LiveValue<readonly JobView[]>()
  const notices = new LiveValue<readonly NoticeView[]>(0, [])
  const nothing = (): (() => void) => () => undefined
  const core: Pick<DesktopCore, 'hosts' | 'points' | 'jobs' | 'live' | 'notices' | 'choices' | 'policies'> = {
    hosts: nothing,
    points: nothing,
    live: nothing,
    policies: nothing,
    jobs: (listener) => jobs.listen(listener),
    notices: (listener) => notices.listen(listener),
    choices: (listener) => new LiveValue<Choices>(0, choices).listen(listener)
  }
  const notified: Notification[] = []
  const none = (): void => undefined
  followCore(new Mirror(core as DesktopCore), {
    draw: none,
    notify: (notification) => notified.push(notification),
    stayAwake: none,
    progress: none,
    startAtLogin: none
  })
  const end = (job: JobView): void => {
    const [notice, acknowledged] = jobNotice(job, choices)
    notices.set([{ ...notice, acknowledged }, ...(notices.value ?? [])])
  }
  return { jobs, end, titles: () => notified.map(({ title }) => title), notified }
}

describe('a job that ends before the list of jobs says so', () => {
  const [one, two, three] = [jobOf(1), jobOf(2), jobOf(3)]

  it('is notified where it failed, each of several', () => {
    const { jobs, end, notified, titles } = followed()
    jobs.set([one, two, three])
    for (const job of [one, two, three]) end(ended(job, 'failed-clean'))
    expect(titles()).toEqual(['The backup of web1 failed', 'The backup of web2 failed', 'The backup of web3 failed'])
    expect(notified.map(({ goTo }) => goTo)).toEqual([one, two, three].map(({ id }) => ({ screen: 'job', job: id })))
  })

  it('is no success before it is one', () => {
    const { jobs, end, titles } = followed({ notifySuccess: true, notifyFailure: false })
    jobs.set([one, two])
    end(ended(one, 'failed-clean'))
    end(ended(two, 'cancelled'))
    expect(titles()).toEqual([])
  })

  it('is told as a success where that is wanted, also with warnings', () => {
    const { jobs, end, titles } = followed({ notifySuccess: true })
    jobs.set([one, two])
    end(ended(one, 'done'))
    end({ ...ended(two, 'done-with-warnings'), warnings: ['x'] })
    expect(titles()).toEqual(['The backup of web1 is done', 'The backup of web2 is done'])
  })
})

describe('jobs of one host that fail one by one', () => {
  it('are notified three times, and the others in one word when the minute is over', () => {
    vi.useFakeTimers()
    try {
      const { jobs, end, titles } = followed()
      const all = Array.from({ length: 30 }, (_, n) => jobOf(n))
      jobs.set(all)
      for (const job of all) end(ended(job, 'failed-clean'))
      expect(titles()).toHaveLength(3)
      vi.advanceTimersByTime(60_000)
      expect(titles().slice(3)).toEqual(['27 more on alpha'])
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('a job that the list of jobs says has ended', () => {
  it('is told in the words for jobs', () => {
    const { jobs, end, titles } = followed()
    jobs.set([ended(jobOf(1), 'failed-clean')])
    end(ended(jobOf(1), 'failed-clean'))
    expect(titles()).toEqual(['The backup of web1 on alpha failed'])
  })
})
