import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Away, type Meanwhile } from '../../../src/main/core/live/away.ts'
import { awayNotices } from '../../../src/main/core/live/away-notice.ts'
import type { RunReport } from '../../../src/shared/model/policy.ts'
import type { JobView } from '../../../src/shared/views/job-view.ts'
import { DEFAULT_CHOICES } from '../../../src/shared/views/settings-view.ts'
import { ended, jobOf } from '../desktop/jobs.ts'
import { runOf as run } from '../made-policies.ts'

const done = (n: number): JobView => ended(jobOf(n), 'done')
const failed = (n: number, more: Partial<JobView> = {}): JobView => ended(jobOf(n, more), 'failed-clean')
const said = (jobs: readonly JobView[], runs: readonly RunReport[] = []) =>
  awayNotices({ jobs, runs }, DEFAULT_CHOICES)[0]?.[0]

describe('what ended while nobody watched, in one notice for each host', () => {
  it('counts, and leads to the one that failed', () => {
    expect(said([...Array.from({ length: 12 }, (_, n) => done(n + 10)), failed(1)])).toMatchObject({
      severity: 'failure',
      title: 'While you were away, on alpha: 12 backups done, 1 failed',
      text: 'the backup of web1 failed',
      goTo: { screen: 'job', job: jobOf(1).id }
    })
  })

  it('leads to all where several failed, and names restores apart', () => {
    expect(said([failed(1), failed(2), ended(jobOf(3, { kind: 'restore' }), 'done')])).toMatchObject({
      title: 'While you were away, on alpha: 2 backups failed, 1 restore done',
      goTo: { screen: 'activity' }
    })
  })

  it('need not be heard where all went well, unless that is wanted', () => {
    const meanwhile: Meanwhile = { jobs: [done(1)], runs: [run()] }
    expect(awayNotices(meanwhile, DEFAULT_CHOICES)).toMatchObject([[{ severity: 'good' }, true]])
    expect(awayNotices(meanwhile, { ...DEFAULT_CHOICES, notifySuccess: true })[0]?.[1]).toBe(false)
  })

  it('tells of runs only what no job tells', () => {
    expect(said([], [run(), run({ state: 'skipped', reason: 'paused until tomorrow' })])).toBeUndefined()
    const vm = { uuid: jobOf(1).vm.uuid, name: 'web1' }
    const withJob = run({ state: 'failed', vms: [{ vm, outcome: 'failed', job: jobOf(1).id }] })
    expect(said([failed(1)], [withJob])?.title).toBe('While you were away, on alpha: 1 backup failed')
    expect(said([], [run({ state: 'failed', reason: 'another store' })])).toMatchObject({
      severity: 'failure',
      title: 'While you were away, on alpha: 1 run failed',
      goTo: { screen: 'schedules' }
    })
    const missed = [{ at: '2026-11-25T10:00:00.000Z', reason: 'the host was off' }]
    expect(said([done(1)], [run({ missed, missedCount: 3 })])).toMatchObject({
      severity: 'warning',
      title: 'While you were away, on alpha: 1 backup done, 3 runs missed'
    })
  })

  it('tells of no run whose job was told before, as it ended', () => {
    const vm = { uuid: jobOf(1).vm.uuid, name: 'web1' }
    const withJob = run({ state: 'failed', vms: [{ vm, outcome: 'failed', job: jobOf(1).id }] })
    const told = (host: string, job: string): boolean => host === 'alpha' && job === jobOf(1).id
    expect(awayNotices({ jobs: [], runs: [withJob] }, DEFAULT_CHOICES, told)).toEqual([])
    expect(awayNotices({ jobs: [], runs: [{ ...withJob, host: 'beta' }] }, DEFAULT_CHOICES, told)).toHaveLength(1)
  })

  it('is the same notice when the same is said again', () => {
    expect(said([done(1), done(2)])?.id).toBe(said([done(2), done(1)])?.id)
  })
})

describe('what ended while nobody watched, by the thousand', () => {
  it('is counted as a whole, and is about the first of it: notices are kept', () => {
    const notice = said(Array.from({ length: 3000 }, (_, n) => failed(n)))
    expect(notice?.title).toBe('While you were away, on alpha: 3000 backups failed')
    expect(notice?.about).toHaveLength(25)
  })
})

describe('hosts that come back', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('and go on having news keep no story to themselves for longer than half a minute', () => {
    const told: Meanwhile[] = []
    const away = new Away((meanwhile) => told.push(meanwhile))
    for (let n = 0; n < 12; n++) {
      away.gather({ jobs: [done(n)], runs: [] })
      vi.advanceTimersByTime(3000)
    }
    expect(told.map(({ jobs }) => jobs.length)).toEqual([10])
  })

  it('have of each job held only what is told of it, while their story is not told yet', () => {
    const told: Meanwhile[] = []
    const away = new Away((meanwhile) => told.push(meanwhile))
    const failure = { kind: 'usage' as const, message: 'what it has to say '.repeat(100) }
    const job = failed(1, { warnings: Array.from({ length: 50 }, () => 'at great length '.repeat(50)), failure })
    away.gather({ jobs: [job], runs: [] })
    void away.stop()
    expect(awayNotices(told[0] ?? { jobs: [], runs: [] }, DEFAULT_CHOICES)[0]?.[0].text).toBe(
      'the backup of web1 failed'
    )
    expect(JSON.stringify(told).length).toBeLessThan(500)
  })

  it('and have very much to say are told of at once: it is not held', () => {
    const told: Meanwhile[] = []
    const away = new Away((meanwhile) => told.push(meanwhile))
    const long = (n: number) => run({ id: jobOf(n).id, warnings: Array.from({ length: 40 }, () => 'x'.repeat(8000)) })
    const runs = Array.from({ length: 30 }, (_, n) => long(n))
    runs.forEach((each) => away.gather({ jobs: [], runs: [each] }))
    expect(told.flatMap((each) => each.runs).length).toBeGreaterThan(0)
  })

  it('with more than a story can hold have it told at once: nothing is held for them', () => {
    const told: Meanwhile[] = []
    const away = new Away((meanwhile) => told.push(meanwhile))
    const jobs = Array.from({ length: 2500 }, (_, n) => done(n))
    for (let n = 0; n < 5; n++) away.gather({ jobs, runs: [] })
    expect(told.map((meanwhile) => meanwhile.jobs.length)).toEqual([5000, 5000])
  })

  it('within some seconds of each other are one story', () => {
    const told: Meanwhile[] = []
    const away = new Away((meanwhile) => told.push(meanwhile))
    away.gather({ jobs: [done(1)], runs: [] })
    vi.advanceTimersByTime(4000)
    away.gather({ jobs: [failed(2)], runs: [] })
    vi.advanceTimersByTime(4999)
    expect(told).toEqual([])
    vi.advanceTimersByTime(1)
    expect(told).toMatchObject([
      {
        jobs: [
          { id: done(1).id, state: 'done' },
          { id: failed(2).id, state: 'failed-clean' }
        ],
        runs: []
      }
    ])
  })

  it('are told apart from what ended under the eyes of somebody who was there', () => {
    const told: Meanwhile[] = []
    const away = new Away((meanwhile) => told.push(meanwhile))
    away.gather({ jobs: [failed(1)], runs: [run({ host: 'beta', state: 'failed' })] })
    away.back('alpha')
    away.back('beta')
    void away.stop()
    away.gather({ jobs: [failed(2)], runs: [run({ host: 'beta', state: 'failed' })] })
    away.left('beta')
    away.gather({ jobs: [], runs: [run({ host: 'beta', state: 'failed' })] })
    void away.stop()
    expect(told.map((each) => awayNotices(each, DEFAULT_CHOICES).map(([{ title }]) => title))).toEqual([
      ['While you were away, on alpha: 1 backup failed', 'While you were away, on beta: 1 run failed'],
      ['At once on alpha: 1 backup failed', 'While you were away, on beta: 2 runs failed']
    ])
  })

  it('with nothing to tell are not spoken of', () => {
    const tell = vi.fn()
    new Away(tell).gather({ jobs: [], runs: [] })
    vi.advanceTimersByTime(60_000)
    expect(tell).not.toHaveBeenCalled()
  })

  it('are not forgotten when Stillpoint ends just then', () => {
    const tell = vi.fn()
    const away = new Away(tell)
    away.gather({ jobs: [done(1)], runs: [] })
    void away.stop()
    void away.stop()
    expect(tell).toHaveBeenCalledOnce()
  })
})
