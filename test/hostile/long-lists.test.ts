import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Core } from '../../src/main/core/core.ts'
import { LiveJobs } from '../../src/main/core/live/live-jobs.ts'
import { LivePolicies } from '../../src/main/core/live/live-policies.ts'
import { History } from '../../src/main/core/settings/history.ts'
import { openSettings } from '../../src/main/core/settings/settings-file.ts'
import { engineCall } from '../../src/main/core/engine-on-host/engine-call.ts'
import { resultLines } from '../../src/shared/result-lines.ts'
import { fakeShell } from '../../src/shell/fake.ts'
import { PolicyListing } from '../../src/shared/views/policy-view.ts'
import { policyOf } from '../unit/made-policies.ts'
import type { JobReport } from '../../src/shared/model/job.ts'
import type { RunReport } from '../../src/shared/model/policy.ts'
import { longestPieceMs } from './cpu-time.ts'
import { idOf, jobReport, runReport } from './reports.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('long lists of reports')

let folder = ''
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'stillpoint-lists-'))))
afterEach(() => rmSync(folder, { recursive: true }))

const many = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n))
let histories = 0
const coreOf = (): Core =>
  ({
    folder,
    history: new History(join(folder, `history-${histories++}.jsonl`)),
    settings: openSettings(folder),
    connections: {}
  }) as unknown as Core

const JOBS: Readonly<Record<string, Partial<JobReport>>> = {
  'small ones': {},
  'of two long texts': { warnings: ['w'.repeat(7900), 'w'.repeat(4000)] },
  'of hundreds of short texts': { warnings: many(500, () => 'é'.repeat(20)) }
}
const jobsOf = (count: number, changes: Partial<JobReport> = {}): JobReport[] =>
  many(count, (n) => jobReport(n, { host: 'bad', ...changes }))
const VM = { uuid: jobReport(0).vm.uuid, name: '' }
const runs = many(64, (n) => runReport(n, { host: 'bad', vms: many(4500, () => ({ vm: VM, outcome: 'failed' })) }))

/** As many schedules as are taken of a host, each with a last run of more VMs than anybody has. */
const listing = PolicyListing.parse({
  policies: many(100, (n) => ({
    policy: policyOf({ id: n.toString(16).padStart(12, '0') }),
    lastRun: runReport(n, { vms: many(1500, () => ({ vm: VM, outcome: 'failed' })) })
  })),
  broken: many(2000, (n) => ({ path: `/p/${n}`, reason: 'r'.repeat(500) })),
  ...{ timeZone: 'UTC', parallel: 1, channels: {}, outbox: [] }
})

/** That whoever waits has had since they are counted. */
class Turns {
  count = 0
  private isOver = false

  begin(): void {
    if (this.isOver) return
    this.count += 1
    setImmediate(() => this.begin())
  }

  end(): void {
    this.isOver = true
  }
}

/** The turns behind the last line, with which all has come. */
async function* whileCounting(turns: Turns, lines: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const line of lines.slice(0, -1)) yield await Promise.resolve(Buffer.from(line))
  turns.begin()
  yield Buffer.from(lines.at(-1) ?? '')
}

async function opened(): Promise<{ readonly jobs: LiveJobs; readonly core: Core }> {
  const core = coreOf()
  const jobs = new LiveJobs(core, () => undefined)
  await jobs.remembered
  return { jobs, core }
}

describe('a host that reports thousands at once', () => {
  it.each(Object.keys(JOBS))('holds nobody up while its jobs are heard and written down: %s', async (what) => {
    await tally.tried(async () => {
      const reports = jobsOf(5000, JOBS[what])
      const tries = await Promise.all(many(5, opened))
      const piece = await longestPieceMs(() => {
        const { jobs, core } = tries.pop() ?? expect.fail('no more tries')
        return async () => {
          expect(await jobs.heard('bad', reports)).toHaveLength(5000)
          await core.history.settled()
        }
      })
      expect(piece).toBeLessThan(50)
    })
  })

  it('holds nobody up while its runs are heard', async () => {
    await tally.tried(async () => {
      const piece = await longestPieceMs(() => {
        const core = coreOf()
        const policies = new LivePolicies(core)
        return async () => {
          await policies.remembered
          expect(await policies.heardRuns(runs)).toHaveLength(64)
          await core.history.settled()
        }
      })
      expect(piece).toBeLessThan(50)
    })
  })

  it('holds nobody up while its schedules are held', async () => {
    await tally.tried(async () => {
      const engine = { call: () => Promise.resolve(listing) }
      const piece = await longestPieceMs(() => {
        const core = { ...coreOf(), connections: { engine: () => Promise.resolve(engine) } } as unknown as Core
        const policies = new LivePolicies(core)
        policies.follow(['bad'])
        return async () => {
          await policies.remembered
          expect((await policies.refresh('bad')).policies).toHaveLength(100)
        }
      })
      expect(piece).toBeLessThan(50)
    })
  })

  it('and goes away while its schedules are held, is known to be away', async () => {
    await tally.tried(async () => {
      const said = Promise.resolve(listing)
      const engine = { call: () => said }
      const core = { ...coreOf(), connections: { engine: () => Promise.resolve(engine) } } as unknown as Core
      const policies = new LivePolicies(core)
      policies.follow(['bad'])
      await policies.refresh('bad')
      expect(policies.of('bad')?.reachable).toBe(true)
      const again = policies.refresh('bad')
      await said
      policies.down('bad')
      await again
      expect(policies.of('bad')?.reachable).toBe(false)
    })
  })

  it('holds nobody up while what it says of its schedules is called as it is here', async () => {
    await tally.tried(async () => {
      const turns = new Turns()
      const shell = fakeShell(() => ({ stdout: whileCounting(turns, [...resultLines('policies', listing)]) }))
      const said = await engineCall({ shell, host: 'bad', node: '/n', engine: '/e' }, 'policies', {})
      turns.end()
      expect(said.policies.map(({ lastRun }) => lastRun?.host)).toEqual(many(100, () => 'bad'))
      expect({ ...said, policies: [] }).toEqual({ ...listing, policies: [] })
      expect(turns.count).toBeGreaterThanOrEqual(100 - 1)
    })
  })

  it('that answers twice at once has each heard once, as it was said last', async () => {
    for (const [first, second] of [
      [3000, 3000],
      [3000, 100],
      [100, 3000]
    ] as const)
      await tally.tried(async () => {
        const { jobs, core } = await opened()
        const heard = await Promise.all([
          jobs.heard('bad', jobsOf(first)),
          jobs.heard('bad', jobsOf(second)),
          jobs.heard('good', [jobReport(1, { host: 'good' })])
        ])
        const ids = heard.flat().map(({ host, id }) => `${host} ${id}`)
        expect(ids.length).toBe(3001)
        expect(new Set(ids).size).toBe(3001)
        await core.history.settled()
        expect(await core.history.jobs()).toHaveLength(3001)
      })
  })

  it('that says of a job first that it needs its operator, and then that it is put right, is believed in that order', async () => {
    await tally.tried(async () => {
      const { jobs } = await opened()
      const { endedAt: _, ...open } = jobReport(5000, { host: 'bad', state: 'failed-needs-you' })
      const first = jobs.heard('bad', [...jobsOf(3000), open])
      const then = jobs.heard('bad', [{ ...open, state: 'failed-clean' }])
      await Promise.all([first, then])
      expect(jobs.find(idOf(5000))?.state).toBe('failed-clean')
    })
  })

  it('that answers twice at once with runs has each told once', async () => {
    await tally.tried(async () => {
      const policies = new LivePolicies(coreOf())
      await policies.remembered
      const said: readonly RunReport[] = many(1000, (n) => runReport(n, { host: 'bad' }))
      const told = await Promise.all([policies.heardRuns(said), policies.heardRuns(said)])
      expect(told.flat()).toHaveLength(1000)
    })
  })
})
