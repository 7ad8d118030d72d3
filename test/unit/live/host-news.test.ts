import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Core } from '../../../src/main/core/core.ts'
import { Away, type Meanwhile } from '../../../src/main/core/live/away.ts'
import { awayNotices } from '../../../src/main/core/live/away-notice.ts'
import { HostNews } from '../../../src/main/core/live/host-news.ts'
import { LiveJobs } from '../../../src/main/core/live/live-jobs.ts'
import { LivePoints } from '../../../src/main/core/live/live-points.ts'
import { LivePolicies } from '../../../src/main/core/live/live-policies.ts'
import { Notices } from '../../../src/main/core/live/notices.ts'
import { History, HISTORY_LIMITS } from '../../../src/main/core/settings/history.ts'
import { HistoryFiles } from '../../../src/main/core/settings/history-files.ts'
import { writeWaiting } from '../../../src/main/core/settings/kept-lines.ts'
import { openSettings } from '../../../src/main/core/settings/settings-file.ts'
import { StillpointError } from '../../../src/shared/failure.ts'
import { timeOfId } from '../../../src/shared/model/ids.ts'
import type { JobReport } from '../../../src/shared/model/job.ts'
import type { RunReport } from '../../../src/shared/model/policy.ts'
import { firstPolicies, PolicyListing } from '../../../src/shared/views/policy-view.ts'
import type { JobView } from '../../../src/shared/views/job-view.ts'
import { ended, jobOf } from '../desktop/jobs.ts'
import { policyOf, runOf } from '../made-policies.ts'
import { eventually } from '../../patience.ts'

let folder = ''
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'stillpoint-news-'))))
/** What was started on it still writes; a history that a test brings may stand still. */
const begun: { readonly history: History; readonly notices: Notices }[] = []
afterEach(async () => {
  for (const { history, notices } of begun.splice(0)) {
    await history.settled()
    notices.close()
  }
  await writeWaiting(folder)
  rmSync(folder, { recursive: true })
})

const policy = policyOf({ hostName: 'as-called-there', store: '/srv/points' })
const run = (n: number, more: Partial<RunReport> = {}): RunReport =>
  runOf({ id: `20261125T1200${String(n).padStart(2, '0')}Z-0000aa`, host: 'kvm-1', ...more })
const { retryable: _, ...running } = jobOf(1)
const hourly = (n: number): string =>
  `${new Date(Date.UTC(2026, 10, 1, n)).toISOString().replaceAll(/[-:]|\.\d+/g, '')}-0000aa`
const report = (n: number, more: Partial<JobReport> = {}): JobReport =>
  ({ ...running, ...ended(jobOf(n, { host: 'kvm-1', id: hourly(n) }), 'done'), ...more }) as JobReport

/** A host on paper: what its engine would say. */
class FakeHost {
  listing: PolicyListing = {
    policies: [{ policy, nextRunAt: '2026-11-26T02:00:00.000Z' }],
    broken: [],
    timeZone: 'Europe/Rome',
    parallel: 1,
    channels: {},
    outbox: []
  }
  jobs: JobReport[] = []
  runs: RunReport[] = []
  failure: StillpointError | undefined
  /** How a job that is followed ended. */
  followed: JobReport | undefined
  /** Fails as often as it is asked this. */
  readonly failing = new Set<string>()
  readonly asked: { readonly verb: string; readonly question: { readonly after?: string; readonly limit?: number } }[] =
    []

  readonly call = (verb: string, question: { readonly after?: string }): Promise<unknown> => {
    this.asked.push({ verb, question })
    if (this.failing.has(verb))
      return Promise.reject(new StillpointError({ kind: 'connection-lost', host: 'kvm-1', during: verb }))
    const after = <T extends { readonly id: string }>(all: readonly T[]): T[] =>
      all.filter(({ id }) => id > (question.after ?? ''))
    if (verb === 'policies')
      return this.failure === undefined ? Promise.resolve(this.listing) : Promise.reject(this.failure)
    if (verb === 'jobs') return Promise.resolve(after(this.jobs))
    if (verb === 'runs') return Promise.resolve(after(this.runs))
    if (verb === 'follow' && this.followed !== undefined) return Promise.resolve(this.followed)
    if (verb === 'points') return Promise.resolve({ points: [], broken: [], marks: {} })
    return Promise.reject(new StillpointError({ kind: 'connection-lost', host: 'kvm-1', during: verb }))
  }
}

/** A Stillpoint that starts on the settings folder, as far as news from hosts go. */
function started(host: FakeHost, own?: History) {
  const history = own ?? new History(join(folder, 'history.jsonl'))
  const settings = openSettings(folder)
  if (settings.read().hosts.length === 0)
    settings.update((before) => ({
      ...before,
      hosts: [{ name: 'kvm-1', address: 'kvm-1.example.org', addedAt: '2026-01-01T00:00:00.000Z' }]
    }))
  const connections = { engine: () => Promise.resolve({ call: host.call }) }
  const core = { folder, settings, history, connections } as unknown as Core
  const told: JobView[] = []
  const meanwhile: Meanwhile[] = []
  const away = new Away((each) => meanwhile.push(each), 0)
  const parts = {
    core,
    jobs: new LiveJobs(core, (job) => told.push(job)),
    policies: new LivePolicies(core),
    points: new LivePoints(core),
    notices: new Notices(join(folder, 'notices.json')),
    away,
    ended: (jobs: readonly JobView[]) => Promise.resolve(void told.push(...jobs))
  }
  parts.policies.follow(['kvm-1'])
  if (own === undefined) begun.push({ history, notices: parts.notices })
  return { ...parts, core, told, meanwhile, news: new HostNews(parts) }
}

const titles = ({ notices }: { readonly notices: Notices }): string[] =>
  (notices.all.value ?? []).map(({ title }) => title)

describe('a host that nothing was known of', () => {
  it('brings its schedules, stores and history, and that is said once', async () => {
    const host = new FakeHost()
    host.jobs = [report(2), report(3)]
    host.runs = [run(1)]
    const first = started(host)
    await first.news.contact('kvm-1')
    await eventually(() => expect(titles(first)).toEqual(['kvm-1 brought 1 schedule and 2 past jobs']))
    expect(first.core.settings.read().places).toEqual([{ kind: 'host', host: 'kvm-1', dir: '/srv/points' }])
    expect(first.jobs.all.value?.map((job) => job.host)).toEqual(['kvm-1', 'kvm-1'])
    expect(first.policies.runs.value?.map((each) => each.host)).toEqual(['kvm-1'])
    expect([first.told, first.meanwhile]).toEqual([[], []])
    first.jobs.stop()

    const again = started(host)
    await again.news.contact('kvm-1')
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(titles(again)).toHaveLength(1)
    expect([again.told, again.meanwhile]).toEqual([[], []])
    again.jobs.stop()
  })

  it('is asked for everything it remembers', async () => {
    const host = new FakeHost()
    await started(host).news.contact('kvm-1')
    expect(host.asked.find(({ verb }) => verb === 'jobs')?.question).toEqual({ limit: 1000 })
  })
})

describe('a host with thousands of runs that failed', () => {
  it('tells them as one story, and what one answer brings is told once', async () => {
    const host = new FakeHost()
    const core = started(host)
    await core.news.contact('kvm-1')
    await eventually(() => expect(titles(core)).toHaveLength(1))
    let told = 0
    core.notices.all.listen(() => void (told += 1))
    host.runs = Array.from({ length: 15 }, (_, n) => run(n, { state: 'failed', vms: [], reason: 'why' }))
    await core.news.moved('kvm-1', ['runs'])
    expect(titles(core)).toHaveLength(16)
    expect(told).toBeLessThan(3)
    host.runs = Array.from({ length: 2000 }, (_, n) => run(0, { id: hourly(n + 600), state: 'failed', vms: [] }))
    await core.news.moved('kvm-1', ['runs'])
    await eventually(() => expect(core.meanwhile).toHaveLength(1))
    expect(core.meanwhile[0]?.runs.length).toBeGreaterThan(20)
    expect(titles(core)).toHaveLength(16)
    core.jobs.stop()
  })
})

describe('a host of which many runs have ended at once', () => {
  it('has none of them told for a job that was told as it ended', async () => {
    const host = new FakeHost()
    const core = started(host)
    await core.news.contact('kvm-1')
    for (const from of [2, 13]) {
      host.jobs.push(...Array.from({ length: 11 }, (_, n) => report(n + from, { state: 'failed-clean' })))
      await core.news.moved('kvm-1', ['jobs'])
    }
    expect(core.told).toHaveLength(22)
    host.runs = host.jobs.map(({ id, vm }, n) =>
      run(0, { id: hourly(n + 600), state: 'failed', vms: [{ vm, outcome: 'failed', job: id }] })
    )
    await core.news.moved('kvm-1', ['runs'])
    await eventually(() => expect(core.meanwhile.flatMap(({ runs }) => runs)).toHaveLength(22))
    const wasTold = (name: string, id: string): boolean => core.jobs.wasTold({ host: name, id })
    const said = core.meanwhile.flatMap((each) => awayNotices(each, undefined, wasTold))
    expect(said).toEqual([])
    const others = core.meanwhile.flatMap((each) => awayNotices(each, undefined))
    expect(others.map(([{ title }]) => title)).toEqual(['At once on kvm-1: 22 runs failed'])
    core.jobs.stop()
  })
})

describe('a host that comes back', () => {
  it('tells what ended meanwhile exactly once, however often it is asked', async () => {
    const host = new FakeHost()
    host.jobs = [report(2)]
    const before = started(host)
    await before.news.contact('kvm-1')
    before.jobs.stop()

    host.jobs = Array.from({ length: 170 }, (_, n) => report(n + 2))
    host.runs = [run(1), run(2)]
    const after = started(host)
    await after.news.contact('kvm-1')
    await after.news.contact('kvm-1')
    await after.news.moved('kvm-1', ['jobs', 'runs'])
    await eventually(() => expect(after.meanwhile.flatMap(({ runs }) => runs)).toHaveLength(2))
    expect(after.meanwhile.flatMap((each) => each.jobs)).toHaveLength(169)
    expect(after.told).toEqual([])
    const jobs = await after.core.history.jobs()
    expect(jobs).toHaveLength(170)
    expect(await after.core.history.runs()).toHaveLength(2)
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(170)
    after.jobs.stop()
  })

  it('is heard after its clock was in 2040 for a while', async () => {
    const host = new FakeHost()
    host.jobs = [report(2), report(3, { id: '20400101T000000Z-0000aa' }), report(4, { id: '20269999T999999Z-0000aa' })]
    const live = started(host)
    await live.news.contact('kvm-1')
    const now = report(5, { id: `${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')}-0000bb` })
    host.jobs = [...host.jobs, now]
    await live.news.moved('kvm-1', ['jobs'])
    expect(live.told.map(({ id }) => id)).toEqual([now.id])
    live.jobs.stop()
  })

  it('does not lose a job that somebody with a slow clock began', async () => {
    const host = new FakeHost()
    host.jobs = [report(2, { id: '20261125T120000Z-000002' })]
    const live = started(host)
    await live.news.contact('kvm-1')
    const late = report(3, { id: '20261125T113000Z-000003' })
    host.jobs = [...host.jobs, late]
    await live.news.moved('kvm-1', ['jobs'])
    expect(live.told.map(({ id }) => id)).toEqual([late.id])
    live.jobs.stop()
  })

  it('shows what it last said as long as it does not answer', async () => {
    const host = new FakeHost()
    await started(host).news.contact('kvm-1')
    const { policies } = started(host)
    expect(policies.all.value).toMatchObject({
      known: true,
      hosts: [{ host: 'kvm-1', reachable: false, policies: [{ policy: { name: 'nightly' } }] }]
    })
  })
})

describe('a host that goes before it has said all', () => {
  it('has what it did say told: it is no news when it comes back', async () => {
    const host = new FakeHost()
    host.jobs = [report(2)]
    const before = started(host)
    await before.news.contact('kvm-1')
    before.jobs.stop()

    host.jobs = [report(2), report(3, { state: 'failed-clean' })]
    const live = started(host)
    host.failing.add('runs')
    await expect(live.news.contact('kvm-1')).rejects.toThrow()
    await expect(live.news.contact('kvm-1')).rejects.toThrow()
    host.failing.clear()
    await live.news.contact('kvm-1')
    await eventually(() => expect(live.meanwhile.flatMap(({ jobs }) => jobs.map(({ id }) => id))).toEqual([hourly(3)]))
    live.jobs.stop()
  })

  it.each(['jobs', 'runs'])(
    'and was new has not been away when it does, but for what ended since: without %s',
    async (verb) => {
      const host = new FakeHost()
      host.jobs = [report(2), report(3, { state: 'failed-clean' })]
      host.runs = [run(1, { state: 'failed', reason: 'the store was away' })]
      const live = started(host)
      host.failing.add(verb)
      await expect(live.news.contact('kvm-1')).rejects.toThrow()
      await expect(live.news.contact('kvm-1')).rejects.toThrow()
      host.failing.clear()
      if (verb === 'runs') host.jobs.push(report(4, { state: 'failed-clean' }))
      await live.news.contact('kvm-1')
      await eventually(() => expect(titles(live)).toEqual(['kvm-1 brought 1 schedule and 2 past jobs']))
      await new Promise((resolve) => setTimeout(resolve, 20))
      const ids = live.meanwhile.flatMap(({ jobs, runs }) => [...jobs, ...runs].map(({ id }) => id))
      expect(ids).toEqual(verb === 'runs' ? [hourly(4)] : [])
      host.jobs.push(report(5))
      await live.news.contact('kvm-1')
      await eventually(() => expect(live.meanwhile.at(-1)?.jobs.map(({ id }) => id)).toEqual([hourly(5)]))
      expect(titles(live)).toHaveLength(1)
      live.jobs.stop()
    }
  )
})

/** What is written to any history next waits until `goesOn`, and is lost. */
function stalledDisk(): { readonly goesOn: () => void } {
  const held = Promise.withResolvers<undefined>()
  const append = vi.spyOn(HistoryFiles.prototype, 'append').mockImplementationOnce(() => held.promise)
  onTestFinished(() => {
    held.resolve(undefined)
    append.mockRestore()
  })
  return { goesOn: () => held.resolve(undefined) }
}

describe('a host with news while what another one said is still being written', () => {
  const other = report(9, { host: 'other' })

  it('is heard at once, as long as it is no flood', async () => {
    const host = new FakeHost()
    host.jobs = [report(2)]
    const live = started(host)
    await live.news.contact('kvm-1')
    await live.core.history.settled()
    const { goesOn } = stalledDisk()
    void live.core.history.addJobs([other])
    host.jobs.push(report(3, { state: 'failed-clean' }))
    host.runs.push(run(1, { state: 'failed', reason: 'the store was away' }))
    await live.news.moved('kvm-1', ['jobs', 'runs'])
    expect(live.told.map(({ id }) => id)).toEqual([hourly(3)])
    expect(titles(live)).toContain('The run of nightly on kvm-1 failed')

    host.jobs.push(...Array.from({ length: 25 }, (_, n) => report(n + 4)))
    await live.news.moved('kvm-1', ['jobs'])
    const asked = (): number => host.asked.filter(({ verb }) => verb === 'jobs').length
    const before = asked()
    const next = live.news.moved('kvm-1', ['jobs'])
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(asked()).toBe(before)
    goesOn()
    await next
    expect(asked()).toBe(before + 1)
    expect(await live.core.history.jobs()).toHaveLength(27)
    live.jobs.stop()
  })

  it('is heard at once also where it is asked for what there was no room for before', async () => {
    const host = new FakeHost()
    host.jobs = Array.from({ length: 100 }, (_, n) => report(n))
    let today = '2026-12-01T12:00:00.000Z'
    const limits = { ...HISTORY_LIMITS, entriesOfHostAndDay: 70 }
    const live = started(host, new History(join(folder, 'history.jsonl'), limits, () => new Date(today)))
    await live.news.contact('kvm-1')
    await live.core.history.settled()
    today = '2026-12-02T12:00:00.000Z'
    const { goesOn } = stalledDisk()
    void live.core.history.addJobs([other])
    host.jobs.push(report(100, { state: 'failed-clean' }))
    await live.news.moved('kvm-1', ['jobs'])
    expect(live.told.map(({ id }) => id)).toEqual([hourly(100)])
    expect(host.asked.findLast(({ verb }) => verb === 'jobs')?.question.after).toMatch(/^20261031T235959Z/)
    goesOn()
    expect(await live.core.history.jobs()).toHaveLength(101)
    await live.core.history.settled()
    expect(live.core.history.oldestLeftOut('job', 'kvm-1')).toBeUndefined()
    live.jobs.stop()
  })

  it('has a job that is followed told as it ends', async () => {
    const host = new FakeHost()
    const live = started(host)
    await live.news.contact('kvm-1')
    await live.core.history.settled()
    const { goesOn } = stalledDisk()
    void live.core.history.addJobs([other])
    const end = report(3, { state: 'failed-clean' })
    host.followed = end
    live.jobs.began('kvm-1', jobOf(3, { host: 'kvm-1', id: end.id }))
    await eventually(() => expect(live.told.map(({ id }) => id)).toEqual([end.id]))
    goesOn()
    live.jobs.stop()
  })
})

describe('a host that said more than the history had room for', () => {
  const roomFor = (entriesOfHostAndDay: number, today: () => string): History =>
    new History(join(folder, 'history.jsonl'), { ...HISTORY_LIMITS, entriesOfHostAndDay }, () => new Date(today()))
  const jobsAsked = ({ asked }: FakeHost): (string | undefined)[] =>
    asked.flatMap(({ verb, question }) => (verb === 'jobs' ? [question.after] : []))

  it('is asked again for it on later days, by whoever has been watching it all the time, and it is no news', async () => {
    const host = new FakeHost()
    host.jobs = Array.from({ length: 100 }, (_, n) => report(n))
    let today = '2026-12-01T12:00:00.000Z'
    const live = started(
      host,
      roomFor(40, () => today)
    )
    const known = async (): Promise<number> => (await live.core.history.jobs()).length
    await live.news.contact('kvm-1')
    expect(await known()).toBe(40)
    for (const [day, count] of [
      ['02', 80],
      ['03', 100]
    ] as const) {
      today = `2026-12-${day}T12:00:00.000Z`
      await live.news.moved('kvm-1', ['jobs'])
      expect(await known()).toBe(count)
    }
    const before = jobsAsked(host).length
    for (const day of ['03', '04']) {
      today = `2026-12-${day}T13:00:00.000Z`
      await live.news.moved('kvm-1', ['jobs'])
    }
    expect(jobsAsked(host).slice(before)).toEqual(
      jobsAsked(host)
        .slice(before)
        .map(() => jobsAsked(host).at(-1))
    )
    expect(timeOfId(jobsAsked(host).at(-1) ?? '') > timeOfId(hourly(90))).toBe(true)
    expect([live.told, live.meanwhile]).toEqual([[], []])
    live.jobs.stop()
  })

  it('is asked again for it by whoever starts later, and it is no news', async () => {
    const host = new FakeHost()
    host.jobs = Array.from({ length: 100 }, (_, n) => report(n))
    const today = '2026-12-01T12:00:00.000Z'
    const first = started(
      host,
      roomFor(40, () => today)
    )
    await first.news.contact('kvm-1')
    first.jobs.stop()
    const again = started(
      host,
      roomFor(1000, () => '2026-12-02T12:00:00.000Z')
    )
    await again.news.contact('kvm-1')
    expect(await again.core.history.jobs()).toHaveLength(100)
    expect([again.told, again.meanwhile]).toEqual([[], []])
    again.jobs.stop()
  })

  it('is not asked again and again on a day that has no room', async () => {
    const host = new FakeHost()
    host.jobs = Array.from({ length: 100 }, (_, n) => report(n))
    const live = started(
      host,
      roomFor(40, () => '2026-12-01T12:00:00.000Z')
    )
    for (let n = 0; n < 5; n += 1) await live.news.contact('kvm-1')
    const all = jobsAsked(host).filter((after) => after === undefined || timeOfId(after) < timeOfId(hourly(1)))
    expect(all).toHaveLength(2)
    live.jobs.stop()
  })

  it('is asked again for its runs', async () => {
    const host = new FakeHost()
    host.runs = Array.from({ length: 30 }, (_, n) => run(1, { id: hourly(n) }))
    let today = '2026-12-01T12:00:00.000Z'
    const live = started(
      host,
      roomFor(20, () => today)
    )
    await live.news.contact('kvm-1')
    expect(await live.core.history.runs()).toHaveLength(20)
    today = '2026-12-02T12:00:00.000Z'
    await live.news.moved('kvm-1', ['runs'])
    expect(await live.core.history.runs()).toHaveLength(30)
    live.jobs.stop()
  })
})

describe('a host that is watched', () => {
  it('tells each job as it ends, and what a run says that no job does', async () => {
    const host = new FakeHost()
    const live = started(host)
    await live.news.contact('kvm-1')
    host.jobs = [report(2)]
    host.runs = [
      run(1, { missed: [{ at: '2026-11-25T11:00:00.000Z', reason: 'the host was off' }], missedCount: 1 }),
      run(2, {
        pruned: { trashed: [], removed: [], memoryDropped: [], freedBytes: 0, refused: ['the clock is in 1970'] }
      }),
      run(3, {
        pruned: { trashed: [], removed: [], memoryDropped: [], freedBytes: 0, refused: ['the clock is in 1970'] }
      })
    ]
    await live.news.moved('kvm-1', ['jobs', 'runs', 'policies'])
    expect(live.told.map(({ id }) => id)).toEqual([report(2).id])
    expect(titles(live).filter((title) => !title.includes('brought'))).toEqual([
      'nightly on kvm-1: old points were not pruned',
      'nightly on kvm-1: 1 run missed: the host was off'
    ])
    live.jobs.stop()
  })

  it('has a store that a schedule has just named looked at, before the first run', async () => {
    const host = new FakeHost()
    const live = started(host)
    await live.news.contact('kvm-1')
    const storesAsked = (): string =>
      JSON.stringify(host.asked.flatMap(({ verb, question }) => (verb === 'points' ? [question] : [])))
    await eventually(() => expect(storesAsked()).toContain('"/srv/points"'))
    host.listing = { ...host.listing, policies: [{ policy: { ...policy, store: '/srv/new' } }] }
    await live.news.moved('kvm-1', ['policies'])
    await eventually(() => expect(storesAsked()).toContain('"/srv/new"'))
    await eventually(() => expect(live.points.all.value?.known).toBe(true))
    live.jobs.stop()
  })

  it('has its problems told once', async () => {
    const host = new FakeHost()
    const item = { id: 'm1', channel: 'mail', subject: 'nightly failed', tries: 9, lastError: 'refused' } as const
    host.listing = {
      ...host.listing,
      policies: [{ policy, problem: 'its timer is not there' }],
      outbox: [
        { ...item, at: new Date().toISOString(), nextTryAt: new Date().toISOString() },
        { ...item, id: 'm2', at: '2026-01-01T00:00:00.000Z', nextTryAt: new Date().toISOString() },
        { ...item, id: 'm3', at: new Date().toISOString() }
      ]
    }
    const live = started(host)
    await live.news.contact('kvm-1')
    await live.news.moved('kvm-1', ['policies'])
    expect(
      titles(live)
        .filter((title) => !title.includes('brought'))
        .sort()
    ).toEqual([
      'The schedule nightly on kvm-1 does not run as it should',
      'kvm-1 could not send a mail: nightly failed',
      'kvm-1 could not send a mail: nightly failed'
    ])
    live.jobs.stop()
  })

  it('has it told once that it has more schedules than are shown, also while it is away', async () => {
    const host = new FakeHost()
    const states = Array.from({ length: 103 }, (_, n) => ({
      policy: { ...policy, id: n.toString(16).padStart(12, '0') }
    }))
    const { shown, ...more } = firstPolicies(states)
    host.listing = PolicyListing.parse({ ...host.listing, policies: shown, ...more })
    const live = started(host)
    for (const _ of [1, 2]) await live.news.contact('kvm-1')
    const { text } = live.notices.all.value?.find(({ id }) => id === 'kvm-1/policies-left-out') ?? {}
    expect(text).toBe(
      'kvm-1 has 3 more schedules than the 100 that are shown of a host: they run, but what they promise is not watched from here; put more VMs into fewer schedules.'
    )
    expect(titles(live).filter((title) => title.includes('more schedules'))).toHaveLength(1)
    expect(started(host).policies.all.value?.hosts[0]).toMatchObject({ leftOut: 3, reachable: false })
    live.jobs.stop()
  })

  it('has it told once which of its stores are too many to be asked for their points, also while it is away', async () => {
    const host = new FakeHost()
    const states = Array.from({ length: 22 }, (_, n) => ({
      policy: { ...policy, id: n.toString(16).padStart(12, '0'), store: `/srv/${n}` }
    }))
    host.listing = PolicyListing.parse({ ...host.listing, policies: states })
    const live = started(host)
    for (const _ of [1, 2]) await live.news.contact('kvm-1')
    expect(live.core.settings.read().places).toHaveLength(19)
    const { text } = live.notices.all.value?.find(({ id }) => id === 'kvm-1/stores-left-out') ?? {}
    expect(text).toContain('the points in /srv/19, /srv/20, /srv/21 are not shown, and count for no VM')
    expect(titles(live).filter((title) => title.includes('more stores'))).toHaveLength(1)
    const storesLeftOut = ['/srv/19', '/srv/20', '/srv/21']
    expect(started(host).policies.all.value?.hosts[0]).toMatchObject({ storesLeftOut, reachable: false })
    live.jobs.stop()
  })

  it('says nothing of stores while there are as many as are asked', async () => {
    const host = new FakeHost()
    const states = Array.from({ length: 19 }, (_, n) => ({
      policy: { ...policy, id: n.toString(16).padStart(12, '0'), store: `/srv/${n}` }
    }))
    host.listing = PolicyListing.parse({ ...host.listing, policies: states })
    const live = started(host)
    await live.news.contact('kvm-1')
    expect(titles(live).filter((title) => title.includes('stores'))).toEqual([])
    live.jobs.stop()
  })

  it('stays up where only its schedules cannot be read', async () => {
    const host = new FakeHost()
    host.failure = new StillpointError({ kind: 'missing-tool', tool: 'systemctl' })
    host.jobs = [report(2)]
    const live = started(host)
    await live.news.contact('kvm-1')
    expect(titles(live)).toContain('The schedules of kvm-1 could not be read')
    expect(live.jobs.all.value).toHaveLength(1)
    live.jobs.stop()
  })
})
