import { describe, expect, it } from 'vitest'
import { isJobHeard, jobNotification } from '../../../src/main/desktop/job-endings.ts'
import { Interruptions, newsOf, NoticeNews } from '../../../src/main/desktop/notice-news.ts'
import { barOf, percentOf, streamsHere } from '../../../src/main/desktop/progress.ts'
import type { JobView } from '../../../src/shared/views/job-view.ts'
import type { NoticeView } from '../../../src/shared/views/notice-view.ts'
import { ended, jobOf, liveOf } from './jobs.ts'

const BEFORE = '2026-11-25T10:01:59.000Z'
const ALL = { notifySuccess: true, notifyFailure: true }
const [one, two] = [jobOf(1), jobOf(2)]
const notificationsOf = (jobs: readonly JobView[], wanted: typeof ALL) =>
  jobs.filter((job) => isJobHeard(job, wanted)).map((job) => jobNotification(job))
const told = (...args: Parameters<typeof newsOf>) => newsOf(...args).map(({ notification }) => notification())

const noticeOf = (n: number, more: Partial<NoticeView> = {}): NoticeView => ({
  id: jobOf(n).id,
  at: BEFORE,
  severity: 'failure',
  title: `notice ${n}`,
  text: 'why',
  acknowledged: false,
  ...more
})

describe('notices that come', () => {
  it('are news once, oldest first, and what was there before the start is none', () => {
    const [before, first, second] = [noticeOf(1), noticeOf(2), noticeOf(3)]
    const news = new NoticeNews([before])
    expect(news.heard([before])).toEqual([])
    expect(news.heard([second, first, before])).toEqual([first, second])
    expect(news.heard([{ ...second, acknowledged: true }, first, before])).toEqual([])
  })

  it('of jobs are told as jobs, and the rest as it is where it is a failure', () => {
    const jobs = [ended(one, 'failed-clean')]
    const away = noticeOf(2, {
      id: 'away-1',
      title: 'While you were away: 2 backups failed',
      goTo: { screen: 'activity' }
    })
    const down = noticeOf(3, { id: 'down-alpha', severity: 'warning' })
    expect(told([noticeOf(1), away, down], { jobs }, ALL)).toMatchObject([
      { title: 'The backup of web1 on alpha failed', goTo: { screen: 'job' } },
      { title: 'While you were away: 2 backups failed', body: 'why', goTo: { screen: 'activity' } }
    ])
  })

  it('follow the choices', () => {
    const away = noticeOf(2, { id: 'away-1' })
    const good = noticeOf(3, { id: 'away-2', severity: 'good' })
    const titles = (notifySuccess: boolean, notifyFailure: boolean): string[] =>
      told([away, good], { jobs: [] }, { notifySuccess, notifyFailure }).map(({ title }) => title)
    expect([titles(false, true), titles(true, false), titles(false, false)]).toEqual([['notice 2'], ['notice 3'], []])
  })
})

describe('interruptions', () => {
  /** Notified so far, and what ends the minutes that have begun. */
  function made() {
    const titles: string[] = []
    const minutes: (() => void)[] = []
    const interruptions = new Interruptions(
      ({ title }) => titles.push(title),
      (work) => minutes.push(work)
    )
    const hear = (notices: readonly NoticeView[], jobs: readonly JobView[] = []): void =>
      newsOf(notices, { jobs }, ALL).forEach((each) => interruptions.with(each))
    return { hear, told: () => titles.splice(0), minutePasses: () => minutes.splice(0).forEach((end) => end()) }
  }
  const noticesOf = (host: string, count: number): NoticeView[] =>
    Array.from({ length: count }, (_, n) => noticeOf(n, { id: `x-${n}`, host }))

  it.each([1, 5, 17])(
    'of one host are three a minute, with the count of all others in one word: %i at a time',
    (size) => {
      const { hear, told: titles, minutePasses } = made()
      const all = noticesOf('evil', 17)
      for (let n = 0; n < all.length; n += size) hear(all.slice(n, n + size))
      expect(titles()).toEqual(['notice 0', 'notice 1', 'notice 2'])
      hear(noticesOf('good', 1))
      expect(titles()).toEqual(['notice 0'])
      minutePasses()
      expect(titles()).toEqual(['14 more on evil'])
      minutePasses()
      hear(noticesOf('evil', 2))
      expect(titles()).toEqual(['notice 0', 'notice 1'])
      minutePasses()
      expect(titles()).toEqual([])
    }
  )

  it.each([true, false])(
    'count jobs like everything else, whether the list of jobs has them (%s) or not',
    (isListed) => {
      const { hear, told: titles, minutePasses } = made()
      const jobs = Array.from({ length: 30 }, (_, n) => ended(jobOf(n, { id: `j${n}` }), 'failed-clean'))
      for (const { id, host } of jobs) hear([noticeOf(0, { id, host })], isListed ? jobs : [])
      hear(noticesOf('alpha', 1))
      expect(titles()).toHaveLength(3)
      minutePasses()
      expect(titles()).toEqual(['28 more on alpha'])
    }
  )
})

describe('what is notified', () => {
  const failed = { ...ended(one, 'failed-clean'), failure: { kind: 'missing-tool', tool: 'qemu-img' } as const }

  it('follows the choices: failures without successes, successes without failures, neither', () => {
    const jobs = [failed, ended(two, 'done')]
    const titles = (notifySuccess: boolean, notifyFailure: boolean): string[] =>
      notificationsOf(jobs, { notifySuccess, notifyFailure }).map(({ title }) => title)
    expect(titles(false, true)).toEqual(['The backup of web1 on alpha failed'])
    expect(titles(true, false)).toEqual(['web2 on alpha'])
    expect(titles(true, true)).toHaveLength(2)
    expect(titles(false, false)).toEqual([])
  })

  it('tells how it went, and leads to the job', () => {
    expect(notificationsOf([ended(one, 'done')], ALL)).toEqual([
      { title: 'web1 on alpha', body: 'Backed up, stood still 48 ms.', goTo: { screen: 'job', job: one.id } }
    ])
    const warned = { ...ended(one, 'done-with-warnings'), warnings: ['x'] }
    expect(notificationsOf([warned], ALL)[0]?.body).toBe('Backed up, stood still 48 ms, 1 warning.')
  })

  it('tells why it failed, and what state things are in', () => {
    const [clean] = notificationsOf([failed], ALL)
    expect(clean?.body).toMatch(/qemu-img.*\. Everything is as it was before\.$/)
    expect(notificationsOf([{ ...failed, state: 'failed-needs-you' }], ALL)[0]?.body).toMatch(/It needs you\.$/)
    expect(notificationsOf([ended(two, 'failed-needs-you')], ALL)[0]?.body).toBe('It needs you.')
  })

  it('says nothing of what somebody cancelled', () => {
    expect(notificationsOf([ended(one, 'cancelled')], ALL)).toEqual([])
  })

  it('counts a verification that found damage as bad news', () => {
    const verify = { good: false, checkedBytes: 1, problems: [{ file: 'vda.qcow2', problem: 'differs' }] }
    const job = { ...ended(one, 'done'), kind: 'verify' as const, verify: verify as never }
    expect(notificationsOf([job], { notifySuccess: false, notifyFailure: true })).toMatchObject([
      { title: 'A point of web1 is damaged', body: 'One file is damaged.' }
    ])
  })

  it('shows names as harmless text', () => {
    const named = ended(jobOf(1, { vm: { uuid: one.vm.uuid, name: 'a\u202eb\n' + 'x'.repeat(300) } }), 'done')
    const title = notificationsOf([named], ALL)[0]?.title ?? ''
    expect(title).toMatch(/^a\\u\{202e\}b\\u\{a\}x+…/)
    expect(title.length).toBeLessThan(80)
  })
})

describe('progress', () => {
  it('is a percentage of the phase, where its size is known', () => {
    expect(percentOf({ phase: 'x', doneBytes: 1, totalBytes: 3 })).toBe(33)
    expect(percentOf({ phase: 'x', doneBytes: 9, totalBytes: 3 })).toBe(100)
    expect([percentOf({ phase: 'x', doneBytes: 0, totalBytes: 0 }), percentOf(undefined)]).toEqual([
      undefined,
      undefined
    ])
  })

  it('in the taskbar is none, that something goes on, or how much of everything is done', () => {
    expect(barOf([])).toBe(-1)
    expect(barOf([liveOf(one, 'planning')])).toBe(2)
    expect(barOf([liveOf(one, 'x', 30, 100), liveOf(two, 'x', 0, 200), liveOf(jobOf(3), 'planning')])).toBe(0.15)
  })

  it('keeps the computer awake only while bytes go through it', () => {
    const restore = jobOf(3, { kind: 'restore' })
    const copy = jobOf(4, { kind: 'copy', isHere: true })
    expect(streamsHere([one, restore])).toBe(false)
    expect(streamsHere([{ ...restore, isHere: true }])).toBe(true)
    expect(streamsHere([copy])).toBe(true)
    expect(streamsHere([jobOf(5, { kind: 'verify', isHere: true })])).toBe(false)
    expect(streamsHere([ended(copy, 'done')])).toBe(false)
  })
})
