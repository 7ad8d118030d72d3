import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Core } from '../../src/main/core/core.ts'
import { awayNotices } from '../../src/main/core/live/away-notice.ts'
import { adoptionNotice } from '../../src/main/core/live/adoption-notice.ts'
import { jobNotice } from '../../src/main/core/live/job-notice.ts'
import { LiveHosts } from '../../src/main/core/live/live-hosts.ts'
import { Notices, type Said } from '../../src/main/core/live/notices.ts'
import { policyNotices, runNotices, untoldNotice } from '../../src/main/core/live/policy-notices.ts'
import { openNotices } from '../../src/main/desktop/open-notices.ts'
import { StillpointError } from '../../src/shared/failure.ts'
import type { RunReport } from '../../src/shared/model/policy.ts'
import type { JobView } from '../../src/shared/views/job-view.ts'
import type { NoticeView } from '../../src/shared/views/notice-view.ts'
import { DEFAULT_CHOICES } from '../../src/shared/views/settings-view.ts'
import { eventually } from '../patience.ts'
import { ended, jobOf } from '../unit/desktop/jobs.ts'
import { policyOf, runOf } from '../unit/made-policies.ts'
import { idOf } from './reports.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('notices')

let folder = ''
let path = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stillpoint-noise-'))
  path = join(folder, 'notices.json')
})
afterEach(() => rmSync(folder, { recursive: true }))

const AT = '2026-11-25T10:00:00.000Z'
const NOW = new Date('2026-11-26T10:00:00.000Z')
const failed = (n: number, host: string): JobView => ended(jobOf(n, { host, id: idOf(n) }), 'failed-clean')
const listing = { broken: [], timeZone: 'UTC', parallel: 1, channels: {}, asOf: AT, reachable: true }
const problem = (n: number): string => `${n} ${'p'.repeat(7900)}`
const runs = (n: number): RunReport =>
  runOf({ host: 'bad', id: idOf(n), state: 'failed', reason: `${n} ${'r'.repeat(7900)}`, missedCount: 2 })
const onlyNotices = (all: readonly [Said, boolean][]): readonly Said[] => all.map(([notice]) => notice)

/** Every way in which a host makes a notice, again and again another one. */
const NOISE: Readonly<Record<string, (n: number) => readonly Said[]>> = {
  'jobs that failed': (n) => [jobNotice(failed(n, 'bad'), DEFAULT_CHOICES)[0]],
  'jobs that failed while nobody watched': (n) =>
    onlyNotices(
      awayNotices(
        { jobs: Array.from({ length: 500 }, (_, k) => failed(n * 500 + k, 'bad')), runs: [] },
        DEFAULT_CHOICES
      )
    ),
  'runs that failed while nobody watched': (n) =>
    onlyNotices(awayNotices({ jobs: [], runs: [runs(n)] }, DEFAULT_CHOICES)),
  'jobs that went well while nobody watched': (n) =>
    onlyNotices(
      awayNotices({ jobs: [ended(jobOf(n, { host: 'bad', id: idOf(n) }), 'done')], runs: [] }, DEFAULT_CHOICES)
    ),
  'runs that failed': (n) => runNotices(runs(n)),
  'policies with a problem': (n) =>
    policyNotices(
      { ...listing, host: 'bad', outbox: [], policies: [{ policy: policyOf(), problem: problem(n) }] },
      NOW
    ),
  'messages that wait': (n) =>
    policyNotices(
      {
        ...listing,
        host: 'bad',
        policies: [],
        outbox: [{ id: `m${n}`, at: AT, channel: 'mail', subject: problem(n), tries: 1, lastError: problem(n) }]
      },
      NOW
    ),
  'policies that cannot be read': (n) => [
    untoldNotice('bad', { kind: 'bad-output', what: 'x', detail: problem(n) }, NOW)
  ],
  'what it brought': (n) => [{ ...adoptionNotice('bad', { schedules: 1, points: 1, jobs: 1 }), id: `a${n}` } as Said]
}

describe('a host that gives rise to notices without end', () => {
  it.each(Object.keys(NOISE))(
    'pushes out none of another, and the file stays small enough to be read: %s',
    async (what) => {
      await tally.tried(() => {
        const notices = new Notices(path)
        const kept = [jobNotice(failed(1_000_000, 'good'), DEFAULT_CHOICES)[0], ...quiet('good'), ...quiet('')]
        kept.forEach((notice) => notices.add(notice))
        for (let n = 1; n <= 250; n += 1) NOISE[what]?.(n).forEach((notice) => notices.add(notice))
        notices.close()
        const again = new Notices(path).all.value ?? []
        expect(again.map(({ id }) => id)).toEqual(expect.arrayContaining(kept.map(({ id }) => id)))
        expect(again.filter(({ host }) => host === 'bad').length).toBeGreaterThan(20)
        expect(again.length).toBeLessThanOrEqual(200)
        expect(statSync(path).size).toBeLessThan(4 << 20)
      })
    }
  )

  it.each(Object.keys(NOISE))('is named in each: %s', async (what) => {
    await tally.tried(() => {
      const said = NOISE[what]?.(1) ?? []
      expect(said.length).toBeGreaterThan(0)
      expect(new Set(said.map(({ host }) => host))).toEqual(new Set(['bad']))
      for (const { about = [] } of said) expect(about.length).toBeLessThanOrEqual(50)
    })
  })

  it('is named where it does not answer', async () => {
    await tally.tried(async () => {
      const connections = { connection: () => Promise.reject(gone()), drop: () => Promise.resolve() }
      const notices = new Notices(path)
      const nothing = (): Promise<void> => Promise.resolve()
      const listener = {
        left: () => undefined,
        contact: nothing,
        moved: nothing,
        down: () => undefined,
        listed: () => undefined
      }
      const hosts = new LiveHosts({ connections } as unknown as Core, notices, listener)
      hosts.follow([{ name: 'bad', address: 'bad', addedAt: AT }])
      await eventually(() => {
        hosts.refresh(undefined)
        expect(notices.all.value).toMatchObject([{ host: 'bad' }])
      })
      hosts.stop()
    })
  })

  it('leaves room for another in what is said at once, whoever comes first', async () => {
    for (const order of ['first', 'last'])
      await tally.tried(() => {
        const notices = new Notices(join(folder, `${order}.json`))
        const noise = Array.from({ length: 300 }, (_, n) => runNotices(runs(n))).flat()
        notices.addAll(order === 'first' ? [...quiet('good'), ...noise] : [...noise, ...quiet('good')])
        const hosts = (notices.all.value ?? []).map(({ host }) => host)
        expect(hosts.filter((host) => host === 'good')).toHaveLength(1)
        expect(hosts.length).toBeGreaterThan(100)
      })
  })

  it('keeps nothing of another from being written at once', async () => {
    await tally.tried(() => {
      const notices = new Notices(path)
      for (let n = 0; n < 3; n += 1) notices.addAll(runNotices(runs(n)))
      notices.addAll(quiet('good'))
      expect((new Notices(path).all.value ?? []).map(({ host }) => host)).toContain('good')
      notices.close()
    })
  })

  it('reads notices of an earlier Stillpoint that were far too many', async () => {
    await tally.tried(() => {
      const about = { what: 'policies', host: 'bad' } as const
      const first = new Notices(path)
      for (let n = 0; n < 150; n += 1)
        first.add({ ...quiet('bad')[0], id: `n${n}`, text: 't'.repeat(20_000), about: [about] } as Said)
      first.close()
      const again = new Notices(path).all.value ?? []
      expect(again.length).toBeGreaterThan(50)
      expect(again[0]?.id).toBe('n149')
    })
  })
})

const gone = (): Error => new StillpointError({ kind: 'host-unreachable', host: 'bad', reason: 'no route' })

const quiet = (host: string): readonly Said[] => [
  { id: `quiet-${host}`, host, at: AT, severity: 'warning', title: 'quiet', text: '', about: [] }
]

describe('what was read', () => {
  const problemOfGood = (): readonly Said[] =>
    policyNotices(
      { ...listing, host: 'good', outbox: [], policies: [{ policy: policyOf(), problem: 'no timer' }] },
      NOW
    )
  const unreadOf = (notices: Notices, host: string): readonly string[] =>
    (notices.all.value ?? []).filter((each) => each.host === host && !each.acknowledged).map(({ id }) => id)
  const flood = (notices: Notices, what: string, from = 1): void => {
    for (let n = from; n < from + 250; n += 50)
      notices.addAll(Array.from({ length: 50 }, (_, k) => NOISE[what]?.(n + k) ?? []).flat())
  }
  afterEach(() => void vi.useRealTimers())

  it.each(Object.keys(NOISE))(
    'of a host stays read, whatever another one does, and after a restart: %s',
    async (what) => {
      await tally.tried(() => {
        const notices = new Notices(path)
        notices.addAll(problemOfGood())
        notices.acknowledge(problemOfGood()[0]?.id)
        flood(notices, what)
        notices.addAll(problemOfGood())
        expect(unreadOf(notices, 'good')).toEqual([])
        notices.close()
        const again = new Notices(path)
        flood(again, what, 1000)
        again.addAll(problemOfGood())
        expect(unreadOf(again, 'good')).toEqual([])
      })
    }
  )

  it('stays read where its own host has much good news', async () => {
    await tally.tried(() => {
      const notices = new Notices(path)
      notices.addAll(problemOfGood())
      notices.acknowledge(undefined)
      for (let n = 0; n < 6000; n += 200) {
        const news = Array.from({ length: 200 }, (_, k) => ended(jobOf(n, { host: 'good', id: idOf(n + k) }), 'done'))
        notices.addAll(
          news.map((job) => jobNotice(job, DEFAULT_CHOICES)[0]),
          true
        )
        notices.addAll(problemOfGood())
        expect(unreadOf(notices, 'good')).toEqual([])
      }
    })
  })

  it('in one Stillpoint stays read in another, which had it unread', async () => {
    await tally.tried(() => {
      const [one, other] = [new Notices(path), new Notices(path)]
      one.addAll(problemOfGood())
      other.addAll(NOISE['runs that failed']?.(1) ?? [])
      expect(unreadOf(other, 'good')).toHaveLength(1)
      one.acknowledge(problemOfGood()[0]?.id)
      flood(one, 'runs that failed')
      one.close()
      other.addAll(NOISE['runs that failed']?.(2000) ?? [])
      other.addAll(problemOfGood())
      expect(unreadOf(other, 'good')).toEqual([])
    })
  })

  it('is said again when it was over for more than a week', async () => {
    await tally.tried(() => {
      vi.useFakeTimers({ now: NOW, toFake: ['Date'] })
      const notices = new Notices(path)
      notices.addAll(problemOfGood())
      notices.acknowledge(undefined)
      flood(notices, 'runs that failed')
      for (let day = 0; day < 6; day += 1) {
        vi.setSystemTime(NOW.getTime() + day * 86_400_000)
        notices.addAll(problemOfGood())
        expect(unreadOf(notices, 'good')).toEqual([])
      }
      vi.setSystemTime(NOW.getTime() + 20 * 86_400_000)
      notices.addAll(problemOfGood())
      expect(unreadOf(notices, 'good')).toEqual(problemOfGood().map(({ id }) => id))
    })
  })

  it('of a host hides nothing that another host says under the same name', async () => {
    await tally.tried(() => {
      const notices = new Notices(path)
      const said = (host: string): Said => ({ ...quiet(host)[0], id: 'same', host }) as Said
      notices.add(said('bad'))
      notices.acknowledge(undefined)
      flood(notices, 'runs that failed')
      expect((notices.all.value ?? []).map(({ id }) => id)).not.toContain('same')
      notices.add(said('good'))
      expect(unreadOf(notices, 'good')).toEqual(['same'])
    })
  })
})

describe('a host on which more is wrong than there is room for', () => {
  const look = (host: string, count: number): readonly Said[] =>
    policyNotices(
      {
        ...listing,
        host,
        policies: [],
        outbox: Array.from({ length: count }, (_, n) => ({
          id: `m${n}`,
          at: AT,
          channel: 'mail' as const,
          subject: 's',
          tries: 1,
          lastError: 'refused'
        }))
      },
      NOW
    )
  const idsOf = (notices: Notices): readonly string[] => (notices.all.value ?? []).map(({ id }) => id)

  it.each([201, 450, 2000])('comes to rest: nothing is written or told for the same %i again', async (count) => {
    await tally.tried(() => {
      const notices = new Notices(path)
      for (let n = 0; n < 15; n += 1) for (const host of ['bad', 'worse']) notices.addAll(look(host, count))
      notices.close()
      const before = [idsOf(notices), statSync(path).ino]
      let told = 0
      notices.all.listen(() => (told += 1))
      for (let n = 0; n < 5; n += 1) for (const host of ['bad', 'worse']) notices.addAll(look(host, count))
      expect([idsOf(notices), statSync(path).ino]).toEqual(before)
      expect(told).toBe(1)
    })
  })

  it('says the rest when what was there has been read, each once', async () => {
    await tally.tried(() => {
      const notices = new Notices(path)
      const read = new Set<string>()
      for (let n = 0; n < 5; n += 1) {
        for (let k = 0; k < 5; k += 1) notices.addAll(look('bad', 450))
        const unread = (notices.all.value ?? []).filter(({ acknowledged }) => !acknowledged).map(({ id }) => id)
        for (const id of unread) expect(read.has(id)).toBe(false)
        unread.forEach((id) => read.add(id))
        notices.acknowledge(undefined)
      }
      expect(read.size).toBe(450)
    })
  })
})

describe('a host that claims that what failed on another went well since', () => {
  const later = (host: string): JobView => ended(jobOf(2, { host, endedAt: '2026-11-27T10:00:00.000Z' }), 'done')
  const open = (notice: Said, jobs: readonly JobView[]): readonly NoticeView[] =>
    openNotices({ notices: [{ ...notice, acknowledged: false }], jobs, hosts: [], choices: DEFAULT_CHOICES } as never)
  const told: Readonly<Record<string, Said>> = {
    'a job': jobNotice(failed(1, 'good'), DEFAULT_CHOICES)[0],
    'what failed while nobody watched': onlyNotices(
      awayNotices({ jobs: [failed(1, 'good')], runs: [] }, DEFAULT_CHOICES)
    )[0] as Said,
    'a VM': { ...quiet('good')[0], goTo: { screen: 'vm', host: 'good', vm: jobOf(1).vm.uuid } } as Said
  }

  it.each(Object.keys(told))('silences nothing: %s', async (what) => {
    await tally.tried(() => {
      const notice = told[what] as Said
      const vm = jobOf(1).vm
      const claimed = { ...later('bad'), vm, endedAt: '2026-11-27T10:00:00.000Z' }
      const honest = { ...later('good'), vm, endedAt: '2026-11-27T10:00:00.000Z' }
      expect(open(notice, [failed(1, 'good'), claimed])).toHaveLength(1)
      expect(open(notice, [failed(1, 'good'), honest])).toHaveLength(0)
    })
  })
})
