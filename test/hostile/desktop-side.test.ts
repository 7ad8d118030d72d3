import { describe, expect, it } from 'vitest'
import { LiveValue } from '../../src/main/core/live/live-value.ts'
import { jobNotice } from '../../src/main/core/live/job-notice.ts'
import { viewOfReport } from '../../src/main/core/live/job-record.ts'
import type { DesktopCore } from '../../src/main/desktop/desktop-core.ts'
import type { Seen } from '../../src/main/desktop/mirror.ts'
import { NoticeNews } from '../../src/main/desktop/notice-news.ts'
import { Notifier } from '../../src/main/desktop/notifier.ts'
import { failureFrom } from '../../src/shared/failure-data.ts'
import type { VmView } from '../../src/shared/views/host-view.ts'
import type { JobView } from '../../src/shared/views/job-view.ts'
import type { NoticeView, Subject } from '../../src/shared/views/notice-view.ts'
import type { PointView } from '../../src/shared/views/point-view.ts'
import { DEFAULT_CHOICES } from '../../src/shared/views/settings-view.ts'
import { fakeData } from '../e2e/fake-data.ts'
import { liveOf, seenOf } from '../unit/desktop/jobs.ts'
import { policyOf } from '../unit/made-policies.ts'
import { longestPieceMs } from './cpu-time.ts'
import { followOnPaper, paperTray } from './paper-desktop.ts'
import { AT, idOf, jobReport, runReport } from './reports.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('the desktop beside a hostile host')

const MOST_MS = 50
const now = new Date('2026-11-25T10:00:00.000Z')
const many = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n))
const good = fakeData({ hosts: 1, vms: 100, pointsPerVm: 5, now, troubles: false })
const [goodHost = expect.fail('there is no host')] = good.hosts
const aVm = goodHost.vms[0] ?? expect.fail('it has no VM')
const aPoint = good.points.points[0] ?? expect.fail('it has no point')

const uuidOf = (n: number): string => `4dea22b3-1d52-4d8f-8516-${n.toString(16).padStart(12, '0')}`
/** Three hundred characters, of which some in the midst tell them apart. */
const namedBy = (character: string, n: number): string => {
  const [before, number] = [
    character.repeat(Math.floor(50 / character.length)),
    String((n * 7919) % 10_007).padStart(5, '0')
  ]
  return `${before}${number}${character.repeat(Math.floor(245 / character.length))}`
}
const vms = (count: number, character = 'a'): VmView[] =>
  many(count, (n) => ({ ...aVm, uuid: uuidOf(n), name: namedBy(character, n), state: 'running' }))

/** What comes of it that a host has so many VMs, in so many words. */
function beside(changes: Partial<Seen>, ofBad: readonly VmView[] = vms(1000)): Seen {
  const bad = { ...goodHost, name: 'bad', vms: ofBad }
  const { points, jobs } = good
  return seenOf({ hosts: [goodHost, bad], points, jobs, choices: DEFAULT_CHOICES, ...changes })
}

const jobs = (count: number, changes: (n: number) => Partial<JobView> = () => ({})): JobView[] =>
  many(count, (n) =>
    viewOfReport(jobReport(n, { host: 'bad', vm: { uuid: uuidOf(n), name: namedBy('a', n) }, ...changes(n) } as never))
  )
const failing = { state: 'failed-clean', endedAt: '2026-11-25T09:00:00.000Z' } as const
const notice = (n: number, changes: Partial<NoticeView> = {}): NoticeView => ({
  id: `n${n}`,
  at: AT,
  host: 'bad',
  severity: 'failure',
  title: `${n}`,
  text: '',
  acknowledged: false,
  ...changes
})
const notices = (about: (n: number) => Subject): NoticeView[] =>
  many(200, (n) => notice(n, { about: many(50, (k) => about(n * 50 + k)) }))

const points = (count: number, vmOf: (n: number) => number): PointView[] =>
  many(count, (n) => ({
    ...aPoint,
    id: idOf(n),
    // In no order.
    takenAt: new Date(now.getTime() - ((n * 7919) % 10_007) * 60_000).toISOString(),
    vm: { uuid: uuidOf(vmOf(n)), name: namedBy('a', vmOf(n)) },
    host: 'bad',
    places: [{ kind: 'host' as const, host: 'bad', label: 'bad', dir: '/srv', reachable: true }],
    toldBy: ['bad']
  }))
const pointsView = (all: readonly PointView[]): Seen['points'] => ({ points: all, broken: [], known: true })

const policies = (state: (n: number) => object): Seen['policies'] => ({
  hosts: [
    {
      ...{ host: 'bad', asOf: AT, reachable: true, broken: [], timeZone: 'UTC', parallel: 1, channels: {} },
      outbox: many(2000, (n) => ({ id: `m${n}`, channel: 'mail', subject: 's', at: AT, tries: 1, lastError: 'no' })),
      policies: many(100, (n) => ({ policy: policyOf({ id: n.toString(16).padStart(12, '0') }), ...state(n) }))
    }
  ],
  known: true
})

const ofJob = (n: number): Subject => ({
  ...{ what: 'job', host: 'bad', job: idOf(50_000 + n), kind: 'backup', vm: uuidOf(n % 1000) },
  endedAt: '2026-11-25T09:30:00.000Z'
})
const policyIdOf = (n: number): string => (n % 100).toString(16).padStart(12, '0')
/** Whether it failed is said at its very end. */
const longRun = runReport(1, {
  vms: many(4000, (n) => ({ vm: { uuid: uuidOf(n), name: '' }, outcome: n === 3999 ? 'failed' : 'done' }))
})

/** What a host can bring about that is dear to draw. */
const DEAR: Readonly<Record<string, () => Seen>> = {
  'a thousand VMs of long names': () => beside({}),
  'names of letters with an accent each': () => beside({}, vms(1000, 'e\u0301')),
  'names of digits': () => beside({}, vms(1000, '1')),
  'names that nobody can see': () => beside({}, vms(1000, '\u202e')),
  'names of emoji': () => beside({}, vms(1000, '👩🏽‍🚀')),
  'names in Thai': () => beside({}, vms(1000, 'เ')),
  'a thousand jobs that failed': () => beside({ jobs: jobs(1000, () => failing) }),
  'a hundred jobs that run': () =>
    beside({
      jobs: jobs(100, () => ({ state: 'running', endedAt: undefined })),
      live: jobs(100).map((job) => liveOf(job, 'p'.repeat(300), 1, 2))
    }),
  'notices about fifty jobs each': () => beside({ jobs: jobs(1000, () => failing), notices: notices(ofJob) }),
  'notices about fifty jobs each that are over': () =>
    beside({
      jobs: jobs(1000, () => ({ endedAt: '2026-11-25T09:45:00.000Z' })),
      notices: notices(ofJob)
    }),
  'notices about fifty runs each': () =>
    beside({
      notices: notices((n) => ({ what: 'run', host: 'bad', policy: policyIdOf(n), run: idOf(0) })),
      policies: policies(() => ({ lastRun: longRun }))
    }),
  'notices about fifty messages each': () =>
    beside({
      notices: notices((n) => ({ what: 'message', host: 'bad', message: `m${n % 2000}` })),
      policies: policies(() => ({}))
    }),
  'notices about fifty problems each': () =>
    beside({
      notices: notices((n) => ({ what: 'problem', host: 'bad', policy: policyIdOf(n), problem: 'p'.repeat(8000) })),
      policies: policies(() => ({ problem: 'p'.repeat(8000) }))
    }),
  'notices that lead to jobs': () =>
    beside({
      jobs: jobs(1000, () => failing),
      notices: many(200, (n) => notice(n, { goTo: { screen: 'job', job: idOf(n + 700) } }))
    }),
  'notices that are as long as they may be': () =>
    beside({ notices: many(200, (n) => notice(n, { title: '\u202e'.repeat(500), text: '\u202e'.repeat(2000) })) }),
  'ten thousand points of one VM': () => beside({ points: pointsView(points(10_000, () => 0)) }),
  'ten thousand points of a thousand VMs': () => beside({ points: pointsView(points(10_000, (n) => n % 1000)) }),
  'ten thousand points of a thousand VMs that are gone': () =>
    beside({ points: pointsView(points(10_000, (n) => 1000 + (n % 1000))) })
}

describe('the tray', () => {
  it.each(Object.keys(DEAR))('is drawn before anybody waits for it: %s', async (what) => {
    await tally.tried(async () => {
      const seen = DEAR[what]?.() ?? expect.fail('no such case')
      const ms = await longestPieceMs(() => {
        const tray = paperTray()
        return () => tray.draw(seen, now)
      })
      expect(ms).toBeLessThan(MOST_MS)
    })
  })
})

/** A core that says what it is told to. */
class SayingCore {
  private readonly values: { readonly [K in keyof Seen]-?: LiveValue<NonNullable<Seen[K]>> } = {
    hosts: new LiveValue(),
    points: new LiveValue(),
    jobs: new LiveValue(),
    live: new LiveValue(),
    notices: new LiveValue(),
    choices: new LiveValue(),
    policies: new LiveValue()
  }

  get desktop(): DesktopCore {
    const listening = Object.entries(this.values).map(([name, value]) => [name, value.listen.bind(value)])
    return Object.fromEntries(listening) as DesktopCore
  }

  say(seen: Partial<Seen>): void {
    for (const [name, value] of Object.entries(seen))
      if (value !== undefined) (this.values[name as keyof Seen] as LiveValue<unknown>).set(value)
  }
}

const odd = '\u202e'
const fat = failureFrom({
  kind: 'preflight',
  problems: many(100, () => ({ text: odd.repeat(300), fix: odd.repeat(300) }))
})
const fatJobs = jobs(200, () => ({ ...failing, failure: fat }))

/** What comes at once, and what was there. */
const PUSHES: Readonly<Record<string, () => readonly [before: Seen, Partial<Seen>]>> = {
  'two hundred notices of jobs that failed with long failures': () => [
    beside({ jobs: fatJobs }),
    { notices: fatJobs.map((job) => ({ ...jobNotice(job, DEFAULT_CHOICES)[0], acknowledged: false })) }
  ],
  'two hundred notices that are as long as they may be': () => [
    beside({}),
    { notices: many(200, (n) => notice(n, { title: odd.repeat(500), text: odd.repeat(2000) })) }
  ],
  'a thousand jobs': () => [beside({}), { jobs: jobs(1000, () => failing) }],
  'a hundred jobs that go on': () => [beside({}), { live: jobs(100).map((job) => liveOf(job, 'p'.repeat(300), 1, 2)) }],
  'a thousand VMs': () => [beside({}), { hosts: beside({}, vms(1000, 'b')).hosts ?? [] }],
  'ten thousand points': () => [beside({}), { points: pointsView(points(10_000, () => 0)) }],
  'a hundred schedules': () => [beside({}), { policies: policies(() => ({ lastRun: longRun })) }]
}

describe('what the desktop follows', () => {
  it.each(Object.keys(PUSHES))('is taken before anybody waits for it: %s', async (what) => {
    await tally.tried(async () => {
      const [before, push] = PUSHES[what]?.() ?? expect.fail('no such case')
      let notified = 0
      const ms = await longestPieceMs(() => {
        const core = new SayingCore()
        core.say(before)
        followOnPaper(core.desktop, { notification: () => (notified += 1) })
        return () => core.say(push)
      })
      expect(ms).toBeLessThan(MOST_MS)
      expect(notified > 0).toBe(what.includes('notices'))
    })
  })
})

/** As much as it would be written down. */
const heldIn = (value: object): number => writtenDown(value).length
const writtenDown = (value: object): string =>
  JSON.stringify(value, (_key, each: unknown) =>
    each instanceof Map
      ? [...(each as Map<unknown, unknown>)]
      : each instanceof Set
        ? [...(each as Set<unknown>)]
        : each
  )

describe('a host that makes up one name after the other', () => {
  it('makes the desktop hold no more notices than there are, and hears none of them twice', async () => {
    await tally.tried(() => {
      const news = new NoticeNews([])
      const step = 100
      const named = (n: number): NoticeView => notice(n, { id: `${'x'.repeat(200)}${n}` })
      for (let n = 0; n < 100_000; n += step) {
        const there = many(2 * step, (k) => named(n + k)).toReversed()
        expect(news.heard(there)).toHaveLength(n === 0 ? 2 * step : step)
      }
      expect(heldIn(news)).toBeLessThan(1 << 20)
      // What made room comes again once there is room.
      const again = many(200, (k) => named(99_000 + k))
      expect(news.heard(again)).toEqual([])
    })
  })

  it('pushes out nothing that the desktop has heard of another host', async () => {
    await tally.tried(() => {
      const ofGood = many(50, (n) => notice(n, { id: `good-${n}`, host: 'good' }))
      const news = new NoticeNews(ofGood)
      for (let n = 0; n < 20_000; n += 200) news.heard(many(200, (k) => notice(n + k)))
      expect(news.heard(ofGood)).toEqual([])
    })
  })

  it('makes the desktop hold no notification for ever that nobody closes', async () => {
    await tally.tried(() => {
      const clicked: (() => void)[] = []
      class Maker {
        static isSupported = (): boolean => true
        readonly show = (): void => undefined
        readonly on = (event: string, listener: () => void): void => {
          if (event === 'click') clicked.push(listener)
        }
      }
      const went: string[] = []
      const notifier = new Notifier(Maker as never, (to) => went.push(to.screen))
      for (let n = 0; n < 100_000; n += 1) notifier.notify({ title: `${n}`, body: '', goTo: { screen: 'overview' } })
      expect(heldIn(notifier)).toBeLessThan(10_000)
      clicked.at(-1)?.()
      expect(went).toEqual(['overview'])
    })
  })

  it('pushes out no notification of another host, on which a click is to work', async () => {
    await tally.tried(() => {
      class Maker {
        static isSupported = (): boolean => true
        readonly show = (): void => undefined
        readonly on = (): void => undefined
        readonly options: object
        constructor(options: object) {
          this.options = options
        }
      }
      const notifier = new Notifier(Maker as never, () => undefined)
      const told = { body: '', goTo: { screen: 'overview' } } as const
      notifier.notify({ ...told, title: 'of the good one', host: 'good' })
      for (let n = 0; n < 1000; n += 1) notifier.notify({ ...told, title: `${n}`, host: 'bad' })
      expect(writtenDown(notifier)).toContain('of the good one')
      expect(heldIn(notifier)).toBeLessThan(10_000)
    })
  })
})
