import { EventEmitter } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { WebSocket } from 'ws'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import * as z from 'zod'
import type { Core } from '../../src/main/core/core.ts'
import { JobRecord, viewOfReport } from '../../src/main/core/live/job-record.ts'
import { questionAfter } from '../../src/main/core/jobs/catch-up.ts'
import { LiveJobs } from '../../src/main/core/live/live-jobs.ts'
import { LivePolicies } from '../../src/main/core/live/live-policies.ts'
import { LiveValue } from '../../src/main/core/live/live-value.ts'
import type { History } from '../../src/main/core/settings/history.ts'
import { openSettings } from '../../src/main/core/settings/settings-file.ts'
import { openPushes } from '../../src/main/doors/pushes.ts'
import { talkTo } from '../../src/main/doors/serve/client.ts'
import { push } from '../../src/shared/contract-shape.ts'
import { ENGINE_LIMITS } from '../../src/shared/engine-limits.ts'
import type { Failure } from '../../src/shared/failure.ts'
import { JobReport, type BackupSpec, type JournalEntry, type JournalEvent } from '../../src/shared/model/job.ts'
import { RunReport } from '../../src/shared/model/policy.ts'
import { PolicyListing } from '../../src/shared/views/policy-view.ts'
import { policyOf } from '../unit/made-policies.ts'
import { JobView } from '../../src/shared/views/job-view.ts'
import { eventually } from '../patience.ts'
import { AT, idOf, jobReport, runReport } from './reports.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('fat reports')

const many = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n))
const long = (n: number): string => `${n} ${'w'.repeat(7900)}`
const pause = { phase: 'p'.repeat(290), startedAt: AT, endedAt: AT, ms: 1, source: 'clock' } as const
const left = many(300, (n) => ({ path: long(n), because: long(n), mend: many(20, long) }))
const leftBehind: Failure = { kind: 'left-behind', vm: 'web1', left }

/** Every place in a report of a job where there is room for more than a job has to say. */
const FAT_JOBS: Readonly<Record<string, Partial<JobReport>>> = {
  warnings: { warnings: many(ENGINE_LIMITS.ofJob, long) },
  'warnings of a character each': { warnings: many(ENGINE_LIMITS.ofJob, () => 'w') },
  'what is kept aside': { keptAside: many(ENGINE_LIMITS.findings, (n) => `/srv/${n}${'k'.repeat(4000)}`) },
  phases: { phases: many(ENGINE_LIMITS.ofJob, () => ({ phase: 'p'.repeat(290), startedAt: AT, ms: 1 })) },
  pauses: { pauses: many(ENGINE_LIMITS.ofJob, () => pause), pauseMs: 500 },
  'what is left behind': { state: 'failed-needs-you', failure: leftBehind },
  'why something is left behind': {
    state: 'failed-needs-you',
    failure: {
      kind: 'left-behind',
      vm: 'v',
      left: [],
      after: { kind: 'preflight', problems: many(1000, (n) => ({ text: long(n), fix: long(n) })) }
    }
  },
  'what could be deleted': {
    state: 'failed-clean',
    failure: {
      kind: 'no-room',
      path: '/srv',
      forWhat: long(1),
      neededBytes: 1,
      freeBytes: 0,
      deletable: many(1000, (n) => ({ point: long(n), vm: long(n), takenAt: AT, sizeBytes: 1 }))
    }
  },
  'what a program said': {
    state: 'failed-clean',
    failure: { kind: 'command-failed', command: 'c'.repeat(16_000), exitCode: 1, stderr: 's'.repeat(16_000) }
  },
  everything: {
    state: 'failed-needs-you',
    warnings: many(ENGINE_LIMITS.ofJob, long),
    keptAside: many(ENGINE_LIMITS.findings, long),
    phases: many(ENGINE_LIMITS.ofJob, () => ({ phase: 'p'.repeat(290), startedAt: AT, ms: 1 })),
    pauses: many(ENGINE_LIMITS.ofJob, () => pause),
    methodReason: long(1),
    modeReason: long(2),
    store: `/${long(3)}`,
    failure: leftBehind
  }
}

const run = (vms: number, reason: string): RunReport['vms'] =>
  many(vms, (n) => ({ vm: { uuid: jobReport(0).vm.uuid, name: `vm${n}` }, outcome: 'failed', reason }))
const FAT_RUNS: Readonly<Record<string, Partial<RunReport>>> = {
  VMs: { vms: run(10_000, 'no') },
  'reasons of VMs': { vms: run(1000, 'r'.repeat(7900)) },
  'failures of VMs': { vms: run(300, 'no').map((vm) => ({ ...vm, failure: leftBehind })) },
  warnings: { warnings: many(ENGINE_LIMITS.ofJob, long) },
  'what was missed': { missed: many(ENGINE_LIMITS.ofJob, (n) => ({ at: AT, reason: long(n) })), missedCount: 500 },
  'who was told': { told: many(ENGINE_LIMITS.ofJob, (n) => ({ channel: 'mail', ok: false, text: long(n) })) },
  'what was pruned': {
    pruned: {
      trashed: many(ENGINE_LIMITS.ofRun, idOf),
      removed: many(ENGINE_LIMITS.ofRun, idOf),
      memoryDropped: many(ENGINE_LIMITS.ofRun, idOf),
      freedBytes: 1,
      refused: many(ENGINE_LIMITS.ofJob, long)
    }
  }
}

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))
const OF_JOB = 64 << 10
const OF_RUN = 1 << 20
const OF_HOST = 16 << 20

let folder = ''
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'stillpoint-fat-'))))
afterEach(() => rmSync(folder, { recursive: true }))

/** A history that keeps nothing: this is about what is held and pushed. */
function quietCore(past: Partial<Record<'jobs' | 'runs', readonly unknown[]>> = {}): Core {
  const nothing = (): Promise<unknown[]> => Promise.resolve([])
  const history = {
    jobs: () => Promise.resolve(past.jobs ?? []),
    runs: () => Promise.resolve(past.runs ?? []),
    idsByHost: nothing,
    addJobs: nothing,
    addRuns: nothing
  } as unknown as History
  return { folder, history, settings: openSettings(folder), connections: {} } as unknown as Core
}

async function openedJobs(core = quietCore()): Promise<LiveJobs> {
  const jobs = new LiveJobs(core, () => undefined)
  await jobs.remembered
  return jobs
}

describe('a report of a job that says more than a job has to say', () => {
  it.each(Object.keys(FAT_JOBS))('is held in short, and reads as a report: %s', async (where) => {
    await tally.tried(async () => {
      const jobs = await openedJobs()
      const report = JobReport.parse(jobReport(1, { host: 'bad', ...FAT_JOBS[where] }))
      const [told] = await jobs.heard('bad', [report])
      for (const view of [told, jobs.find(idOf(1)), jobs.all.value?.[0]]) {
        expect(bytesOf(view)).toBeLessThan(OF_JOB)
        expect(JobView.parse(view)).toMatchObject({
          id: idOf(1),
          state: report.state,
          pauseMs: report.pauseMs,
          vm: report.vm
        })
      }
    })
  })

  it('says that there is more, and how many warnings', async () => {
    await tally.tried(async () => {
      const jobs = await openedJobs()
      const [told] = await jobs.heard('bad', [jobReport(1, { host: 'bad', ...FAT_JOBS['everything'] })])
      const kept = told?.warnings ?? []
      expect(kept.at(-1)).toContain(`${ENGINE_LIMITS.ofJob - kept.length + 1} of its warnings`)
    })
  })

  it('leaves a line to type whole, or out', async () => {
    await tally.tried(async () => {
      const jobs = await openedJobs()
      const mend = [['short one', 'short two'], [long(1), 'short'], many(2000, String)]
      const failure: Failure = {
        kind: 'left-behind',
        vm: 'v',
        left: mend.map((lines) => ({ path: '/x', because: long(1), mend: lines }))
      }
      const warnings = many(100, long)
      const [told] = await jobs.heard('bad', [
        jobReport(1, { host: 'bad', state: 'failed-needs-you', failure, warnings })
      ])
      const kept = told?.failure?.kind === 'left-behind' ? told.failure.left.map((each) => each.mend) : []
      expect(kept).toEqual([['short one', 'short two'], [], []])
    })
  })

  it.each(Object.keys(FAT_JOBS))('from the history too: %s', async (where) => {
    await tally.tried(async () => {
      const past = many(20, (n) => JobReport.parse(jobReport(n, { host: 'bad', ...FAT_JOBS[where] })))
      const jobs = await openedJobs(quietCore({ jobs: past }))
      expect(jobs.all.value).toHaveLength(20)
      for (const view of jobs.all.value ?? []) expect(bytesOf(view)).toBeLessThan(OF_JOB)
    })
  })

  it('is whole where it is as long as an honest one', async () => {
    const honest: readonly Partial<JobReport>[] = [
      {
        warnings: many(100, (n) => `disk ${n} is not quite as it was, which is no harm as long as nobody writes to it`)
      },
      { phases: many(250, (n) => ({ phase: `copy.vd${n}`, startedAt: AT, ms: n })) },
      {
        failure: { kind: 'command-failed', command: 'virsh', exitCode: 1, stderr: 's'.repeat(16_000) },
        state: 'failed-clean'
      }
    ]
    for (const changes of honest) {
      const jobs = await openedJobs()
      const report = jobReport(1, changes)
      expect(await jobs.heard('alpha', [report])).toEqual([viewOfReport(report)])
    }
  })
})

describe('a host whose reports are all as long as they may be', () => {
  it.each([100, 1000, 5000])('is held to a few of them, and hides none of another: %i', async (count) => {
    await tally.tried(async () => {
      const jobs = await openedJobs()
      await jobs.heard(
        'good',
        many(300, (n) => jobReport(n, { host: 'good' }))
      )
      const warnings = many(7, () => 'w'.repeat(4000))
      await jobs.heard(
        'bad',
        many(count, (n) => jobReport(10_000 + n, { host: 'bad', warnings }))
      )
      const listed = jobs.all.value ?? []
      expect(listed.filter(({ host }) => host === 'good')).toHaveLength(300)
      expect(listed.filter(({ host }) => host === 'bad').length).toBeGreaterThan(50)
      expect(listed[0]?.id).toBe(idOf(10_000 + count - 1))
      expect(bytesOf(listed)).toBeLessThan(OF_HOST)
      expect(bytesOf([...many(count, (n) => jobs.find(idOf(10_000 + n)) ?? 0)])).toBeLessThan(OF_HOST)
    })
  })

  it('is asked for what is new as before, and nothing is told twice', async () => {
    await tally.tried(async () => {
      const jobs = await openedJobs()
      const warnings = many(7, () => 'w'.repeat(4000))
      const reports = many(2000, (n) => jobReport(n, { host: 'bad', warnings }))
      expect(await jobs.heard('bad', reports)).toHaveLength(2000)
      expect(await jobs.heard('bad', reports)).toEqual([])
      expect(questionAfter(jobs.known('bad'), 0)).toMatchObject({
        after: expect.stringMatching(/^20261122T2017/) as unknown
      })
    })
  })
})

const spec: BackupSpec = {
  kind: 'backup',
  vm: '11111111-2222-4333-8444-555555555555',
  vmName: 'web1',
  hostName: 'bad',
  store: '/srv/points',
  budgetMs: 300,
  onBusy: 'pause'
}
const FAT_ENTRIES: Readonly<Record<string, (n: number) => JournalEvent>> = {
  warnings: (n) => ({ type: 'warning', text: long(n) }),
  facts: (n) => ({ type: 'fact', fact: { methodReason: long(n), keptAside: many(100, long) } }),
  steps: (n) => ({ type: 'step', step: `${n} ${'s'.repeat(500_000)}`, data: { held: 'd'.repeat(500_000) } }),
  'steps that end': (n) => ({
    type: n % 2 === 0 ? 'step-done' : 'step',
    step: `${n >> 1} ${'s'.repeat(500_000)}`,
    ms: 1
  }),
  pauses: () => ({ type: 'pause', pause }),
  'an end': (n) => ({ type: 'end', report: jobReport(n, { warnings: many(100, long) }) }),
  beginnings: (n) => ({
    type: 'begin',
    id: idOf(n),
    spec,
    bootId: 'b'.repeat(500_000),
    engine: 'e',
    vms: many(100, long)
  })
}

/** Everything that is held of a job that is followed, as it would be written down. */
function heldOf(
  event: (n: number) => JournalEvent,
  count: number
): { readonly record: JobRecord; readonly bytes: number } {
  const first = { type: 'begin', id: idOf(1), spec, bootId: 'b', engine: 'e', vms: many(100, long) } as const
  const record = new JobRecord(viewOfReport(jobReport(1, { state: 'running' })), new Date(AT))
  const take = (entry: JournalEntry): void => void record.watched({ type: 'entry', entry }, new Date(AT))
  take({ n: 0, at: AT, ...first })
  for (let n = 1; n <= count; n += 1) take({ n, at: AT, ...event(n) })
  const bytes = bytesOf(deepOf(record))
  return { record, bytes }
}
const deepOf = (record: JobRecord): unknown =>
  JSON.parse(JSON.stringify(record, (_key, value: unknown) => (value instanceof Map ? [...value] : value)))

describe('a journal whose entries are all as long as they may be', () => {
  it.each(Object.keys(FAT_ENTRIES))('is held in short while its job is followed: %s', async (what) => {
    await tally.tried(() => {
      const { record, bytes } = heldOf(FAT_ENTRIES[what] ?? (() => ({ type: 'note', text: '' })), 100)
      expect(bytesOf(record.view)).toBeLessThan(OF_JOB)
      expect(bytesOf(record.live)).toBeLessThan(OF_JOB)
      expect(JobView.safeParse(record.view).success).toBe(true)
      expect(bytes).toBeLessThan(1 << 20)
    })
  })
})

describe('a report of a run that says more than a run has to say', () => {
  it.each(Object.keys(FAT_RUNS))('is held in short, and reads as a report: %s', async (where) => {
    await tally.tried(async () => {
      const policies = new LivePolicies(quietCore())
      const report = RunReport.parse(runReport(1, { host: 'bad', ...FAT_RUNS[where] }))
      const [told] = await policies.heardRuns([report])
      for (const held of [told, policies.runs.value?.[0]]) {
        expect(bytesOf(held)).toBeLessThan(OF_RUN)
        expect(RunReport.parse(held)).toMatchObject({ id: idOf(1), state: 'done', missedCount: report.missedCount })
      }
    })
  })

  it('keeps every VM of a large host, whatever became of them', async () => {
    await tally.tried(async () => {
      const policies = new LivePolicies(quietCore())
      const [told] = await policies.heardRuns([runReport(1, { vms: run(1000, 'r'.repeat(7900)) })])
      expect(told?.vms).toHaveLength(1000)
      expect(told?.warnings.at(-1)).toContain('Only a part of this report')
    })
  })

  it('by the thousand hides none of another, and is held in short', async () => {
    await tally.tried(async () => {
      const policies = new LivePolicies(quietCore())
      await policies.heardRuns(many(100, (n) => runReport(n, { host: 'good' })))
      for (let round = 0; round < 10; round += 1)
        await policies.heardRuns(
          many(40, (n) => runReport(10_000 + round * 40 + n, { host: 'bad', vms: run(1000, 'r'.repeat(100)) }))
        )
      const runs = policies.runs.value ?? []
      expect(runs.filter(({ host }) => host === 'good')).toHaveLength(100)
      expect(bytesOf(runs)).toBeLessThan(OF_HOST)
    })
  })
})

const listingOf = (changes: Partial<PolicyListing>): PolicyListing => ({
  policies: [{ policy: policyOf() }],
  broken: [],
  timeZone: 'UTC',
  parallel: 1,
  channels: {},
  outbox: [],
  ...changes
})
const FAT_LISTINGS: Readonly<Record<string, Partial<PolicyListing>>> = {
  'last runs': {
    policies: many(40, (n) => ({
      policy: policyOf({ id: n.toString(16).padStart(12, '0'), name: `${n}` }),
      lastRun: runReport(1, { vms: run(40, 'r'.repeat(7900)) })
    }))
  },
  'files that are none': { broken: many(1000, (n) => ({ path: `/${n}${'p'.repeat(4000)}`, reason: long(n) })) },
  'messages that wait': {
    outbox: many(500, (n) => ({
      id: `message-${n}`,
      at: AT,
      channel: 'mail',
      subject: long(n),
      tries: 1,
      lastError: long(n)
    }))
  }
}

describe('what a host says of its policies', () => {
  it.each(Object.keys(FAT_LISTINGS))('is held in short, and its policies whole: %s', async (where) => {
    await tally.tried(async () => {
      const listing = PolicyListing.parse(listingOf(FAT_LISTINGS[where] ?? {}))
      const call = (): Promise<PolicyListing> => Promise.resolve(listing)
      const core = { ...quietCore(), connections: { engine: () => Promise.resolve({ call }) } } as unknown as Core
      const policies = new LivePolicies(core)
      policies.follow(['bad'])
      await policies.refresh('bad')
      const later = new LivePolicies(core)
      later.follow(['bad'])
      for (const held of [policies.of('bad'), later.of('bad')]) {
        expect(bytesOf(held)).toBeLessThan(5 << 20)
        expect(PolicyListing.parse(held).policies.map(({ policy }) => policy)).toEqual(
          listing.policies.map(({ policy }) => policy)
        )
      }
    })
  })
})

describe('a listener that fails', () => {
  const failing = (): never => {
    throw new RangeError('Invalid string length')
  }
  const uncaught: unknown[] = []
  const caught = (error: unknown): void => void uncaught.push(error)
  let others: NodeJS.UncaughtExceptionListener[] = []
  beforeEach(() => {
    uncaught.length = 0
    others = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException').on('uncaughtException', caught)
  })
  afterEach(() => {
    process.off('uncaughtException', caught)
    others.forEach((listener) => process.on('uncaughtException', listener))
  })

  it('is nothing to whoever changes a value, nor to other listeners, and is not lost', async () => {
    await tally.tried(async () => {
      const value = new LiveValue<number>()
      const before = vi.fn()
      const behind = vi.fn()
      value.listen(before)
      value.listen(failing)
      value.listen(behind)
      value.set(1)
      expect([before.mock.calls, behind.mock.calls]).toEqual([[[1]], [[1]]])
      await new Promise((resolve) => setImmediate(resolve))
      expect(uncaught).toEqual([new RangeError('Invalid string length')])
    })
  })

  it('to jobs keeps no host from being heard', async () => {
    await tally.tried(async () => {
      const jobs = await openedJobs()
      const stop = jobs.all.listen(() => jobs.all.value?.some(({ host }) => host === 'bad') === true && failing())
      expect(await jobs.heard('bad', [jobReport(1, { host: 'bad' })])).toHaveLength(1)
      expect(await jobs.heard('good', [jobReport(2, { host: 'good' })])).toHaveLength(1)
      await eventually(() => expect(jobs.all.value).toHaveLength(2))
      stop()
      await new Promise((resolve) => setImmediate(resolve))
    })
  })

  const shape = { bad: { changed: push(z.unknown()) }, good: { changed: push(z.string()) } }
  function opened(report = vi.fn()) {
    const values = { bad: new LiveValue<unknown>(), good: new LiveValue<string>() }
    const handlers = {
      bad: { changed: (listener: (value: unknown) => void) => values.bad.listen(listener) },
      good: { changed: (listener: (value: string) => void) => values.good.listen(listener) }
    }
    return { values, report, pushes: openPushes(shape, handlers, report) }
  }

  it('at one door keeps no other door from hearing, and is written down', async () => {
    await tally.tried(() => {
      const { values, report, pushes } = opened()
      const heard = vi.fn()
      pushes.listen(failing)
      pushes.listen(heard)
      values.good.set('news')
      expect(heard).toHaveBeenCalledWith('good.changed', '"news"')
      expect(report).toHaveBeenCalledOnce()
      pushes.stop()
    })
  })

  it('is not what a window is that is told what JSON cannot carry: it hears everything else', async () => {
    await tally.tried(() => {
      const { values, pushes } = opened()
      const sent: string[] = []
      const socket = Object.assign(new EventEmitter(), {
        bufferedAmount: 0,
        send: (frame: Buffer) => sent.push(String(frame))
      })
      values.bad.set(1n)
      talkTo(socket as unknown as WebSocket, () => Promise.reject(new Error('nothing is asked')), pushes)
      values.good.set('news')
      values.bad.set(2n)
      values.good.set('more news')
      expect(sent.map((text) => JSON.parse(text) as unknown)).toEqual([
        { push: 'good.changed', value: 'news' },
        { push: 'good.changed', value: 'more news' }
      ])
      socket.emit('close')
      pushes.stop()
    })
  })
})
