import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Core } from '../../src/main/core/core.ts'
import { Away } from '../../src/main/core/live/away.ts'
import { HostNews } from '../../src/main/core/live/host-news.ts'
import { JobRecord, viewOfReport } from '../../src/main/core/live/job-record.ts'
import { LiveCore } from '../../src/main/core/live/live-core.ts'
import { LiveJobs } from '../../src/main/core/live/live-jobs.ts'
import { LivePoints } from '../../src/main/core/live/live-points.ts'
import { LivePolicies } from '../../src/main/core/live/live-policies.ts'
import { Notices } from '../../src/main/core/live/notices.ts'
import { History } from '../../src/main/core/settings/history.ts'
import { openSettings } from '../../src/main/core/settings/settings-file.ts'
import { failureFrom } from '../../src/shared/failure-data.ts'
import type { Failure } from '../../src/shared/failure.ts'
import type { JobReport } from '../../src/shared/model/job.ts'
import type { RunReport } from '../../src/shared/model/policy.ts'
import type { JobView } from '../../src/shared/views/job-view.ts'
import { longestPieceMs } from './cpu-time.ts'
import { AT, jobReport, runReport } from './reports.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('jobs and runs that drip in')

let folder = ''
let cores: LiveCore[] = []
let histories: History[] = []
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'stillpoint-drip-'))))
afterEach(async () => {
  await Promise.all([...cores.map((live) => live.close()), ...histories.map((history) => history.settled())])
  cores = []
  histories = []
  rmSync(folder, { recursive: true })
})

const MOST_MS = 50
/** As many as are told one by one. */
const IN_ONE_ANSWER = 20
const many = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n))
const odd = '\u202e'

/** Failures with as much to say as they may. */
const FAT: Readonly<Record<string, unknown>> = {
  'things in the way': {
    kind: 'preflight',
    problems: many(100, () => ({ text: odd.repeat(300), fix: odd.repeat(300) }))
  },
  'lines to type': {
    kind: 'left-behind',
    vm: 'web1',
    left: many(3, (n) => ({ path: `/${n}`, because: 'b', mend: many(30, () => 'm'.repeat(250)) }))
  },
  'a program that says much': {
    kind: 'command-failed',
    command: 'c'.repeat(4000),
    stderr: `${odd.repeat(2000)}\n`.repeat(8)
  },
  'points to delete': {
    ...{ kind: 'no-room', path: odd.repeat(500), forWhat: odd.repeat(500), neededBytes: 2, freeBytes: 1 },
    deletable: many(100, () => ({ point: odd.repeat(100), vm: odd.repeat(100), takenAt: AT, sizeBytes: 1 }))
  }
}

/** As the live core holds and tells them. */
const failedJobs = (from: number, failure: Failure): JobView[] =>
  many(IN_ONE_ANSWER, (n) => {
    const report = jobReport(from + n, { host: 'bad', state: 'failed-clean', failure })
    return new JobRecord(viewOfReport(report), new Date()).view
  })

/** A core that watches nobody, for which `bad` is one that it sees. */
function opened(): LiveCore {
  const own = mkdtempSync(join(folder, 'core-'))
  const live = new LiveCore({ folder: own, cache: join(own, 'cache'), root: own })
  live.away.back('bad')
  cores.push(live)
  return live
}

/** As many notices as are kept, as long as they may be. */
const EARLIER = many(200, (n) => ({
  ...{ id: `earlier-${n}`, host: 'bad', at: AT, severity: 'failure' as const },
  ...{ title: odd.repeat(500), text: odd.repeat(8000) }
}))

const jobEndedOn = (host: string, n = 1): JobView => viewOfReport(jobReport(n, { host, state: 'failed-clean' }))

const fileOf = ({ core }: LiveCore): string => join(core.folder, 'notices.json')
const stampOf = (path: string): string => {
  const { ino, mtimeNs } = statSync(path, { bigint: true })
  return `${ino} ${mtimeNs}`
}
const idsIn = (path: string): string[] => (new Notices(path).all.value ?? []).map(({ id }) => id)

describe('a host of which twenty jobs fail in each answer', () => {
  it.each(Object.keys(FAT))('holds nobody up: %s', async (what) => {
    await tally.tried(async () => {
      const failure = failureFrom(FAT[what])
      expect(failure.kind).not.toBe('bad-output')
      const ready = many(5, opened)
      for (const { notices } of ready) notices.addAll(EARLIER)
      const ms = await longestPieceMs(() => {
        const live = ready.pop() ?? expect.fail('no more tries')
        const jobs = failedJobs(10_000, failure)
        return async () => {
          await live.ended(jobs, 'on its host')
          expect(live.notices.all.value?.slice(0, IN_ONE_ANSWER).map(({ id }) => id)).toEqual(
            jobs.map(({ id }) => id).toReversed()
          )
          live.notices.close()
        }
      })
      expect(ms).toBeLessThan(MOST_MS)
    })
  })

  it.each(Object.keys(FAT))('is told of in short: %s', async (what) => {
    await tally.tried(async () => {
      const live = opened()
      await live.ended(failedJobs(0, failureFrom(FAT[what])), 'on its host')
      for (const { title, text } of live.notices.all.value ?? []) {
        expect(title.length).toBeLessThanOrEqual(500)
        expect(text.length).toBeLessThanOrEqual(2000)
      }
    })
  })

  it('has each answer written at once, and once a second at most', async () => {
    await tally.tried(async () => {
      const [live, failure] = [opened(), failureFrom(FAT['lines to type'])]
      const stamps = new Set<string>()
      let told = 0
      const answers = 40
      live.notices.all.listen(() => (told += 1))
      const began = performance.now()
      for (let n = 0; n < answers; n += 1) {
        await live.ended(failedJobs(n * IN_ONE_ANSWER, failure), 'on its host')
        stamps.add(stampOf(fileOf(live)))
      }
      const seconds = (performance.now() - began) / 1000
      expect(told).toBe(1 + answers)
      expect(stamps.size).toBeLessThanOrEqual(1 + Math.ceil(seconds))
      live.notices.close()
      expect(idsIn(fileOf(live))).toEqual((live.notices.all.value ?? []).map(({ id }) => id))
    })
  })

  it('loses none of them when Stillpoint is quit while they are put into words', async () => {
    await tally.tried(async () => {
      const live = opened()
      void live.ended(
        many(5000, (n) => jobEndedOn('bad', n)),
        'on its host'
      )
      await live.close()
      expect(idsIn(fileOf(live))).toHaveLength(200)
    })
  })

  it('loses none of them when Stillpoint is quit, also where connections take their time', async () => {
    await tally.tried(async () => {
      const live = opened()
      for (let n = 0; n < 4; n += 1)
        await live.ended(failedJobs(n * IN_ONE_ANSWER, { kind: 'usage', message: 'no' }), 'on its host')
      void live.close()
      expect(idsIn(fileOf(live))).toHaveLength(4 * IN_ONE_ANSWER)
    })
  })

  it('has what waits written by the end of the second, and by then what others have written too', async () => {
    await tally.tried(async () => {
      const live = opened()
      const other = new Notices(fileOf(live))
      const said = { host: 'good', at: AT, severity: 'failure', title: 'of the other', text: '' } as const
      for (let n = 0; n < 2; n += 1)
        await live.ended(failedJobs(n * IN_ONE_ANSWER, { kind: 'usage', message: 'no' }), 'on its host')
      other.add({ ...said, id: 'other' })
      const wanted = 2 * IN_ONE_ANSWER + 1
      while (idsIn(fileOf(live)).length < wanted) await new Promise((resolve) => setTimeout(resolve, 20))
      expect(live.notices.all.value).toHaveLength(wanted)
    })
  })

  it('has what the operator has read written at once', async () => {
    await tally.tried(async () => {
      const live = opened()
      for (let n = 0; n < 2; n += 1)
        await live.ended(failedJobs(n * IN_ONE_ANSWER, { kind: 'usage', message: 'no' }), 'on its host')
      live.notices.acknowledge(undefined)
      const kept = new Notices(fileOf(live)).all.value ?? []
      expect(kept.map(({ acknowledged }) => acknowledged)).toEqual(many(2 * IN_ONE_ANSWER, () => true))
    })
  })
})

const refused = many(100, (n) => `${n} ${odd.repeat(5000)}`)
/** Runs of which each has as much as is held of one. */
const fatRuns = (count: number, from: number, texts: readonly string[] = refused): RunReport[] =>
  many(count, (n) =>
    runReport(from + n, {
      host: 'bad',
      state: 'failed',
      reason: odd.repeat(8000),
      pruned: { trashed: [], removed: [], memoryDropped: [], freedBytes: 0, refused: [`${from + n}`, ...texts] }
    })
  )

/** A core whose hosts all answer so. */
function coreWith(call: (verb: string) => Promise<unknown>): { readonly core: Core; readonly jobs: LiveJobs } {
  const own = mkdtempSync(join(folder, 'core-'))
  const connections = { engine: () => Promise.resolve({ call }) }
  const history = new History(join(own, 'history.jsonl'))
  histories.push(history)
  const core = { folder: own, history, settings: openSettings(own), connections } as unknown as Core
  return { core, jobs: new LiveJobs(core, () => undefined) }
}

/** The news of a host that says this of its runs. */
function newsWith(runs: readonly RunReport[]): { readonly news: HostNews; readonly notices: Notices } {
  const listing = { policies: [], broken: [], timeZone: 'UTC', parallel: 1, channels: {}, outbox: [] }
  const said: Readonly<Record<string, unknown>> = {
    runs,
    policies: listing,
    points: { points: [], broken: [], marks: {} }
  }
  const { core, jobs } = coreWith((verb) => Promise.resolve(said[verb]))
  const nothing = (): Promise<void> => Promise.resolve()
  const notices = new Notices(join(core.folder, 'notices.json'))
  const parts = { core, jobs, notices, ended: nothing, away: new Away(nothing) }
  const news = new HostNews({ ...parts, points: new LivePoints(core), policies: new LivePolicies(core) })
  return { news, notices }
}

describe('a host of which twenty runs fail in an answer', () => {
  it('holds nobody up', async () => {
    await tally.tried(async () => {
      let round = 0
      const ms = await longestPieceMs(() => {
        const { news, notices } = newsWith(fatRuns(IN_ONE_ANSWER, 100 * (round += 1)))
        return async () => {
          await news.moved('bad', ['runs'])
          expect(notices.all.value).toHaveLength(2 * IN_ONE_ANSWER)
        }
      })
      expect(ms).toBeLessThan(MOST_MS)
    })
  })

  it('holds nobody up where they are one story', async () => {
    await tally.tried(async () => {
      const texts = many(100, (n) => `${n} ${odd.repeat(300)}`)
      let round = 0
      const ms = await longestPieceMs(() => {
        const live = opened()
        const runs = fatRuns(100, 1000 * (round += 1), texts)
        return async () => {
          live.away.gather({ jobs: [], runs })
          await live.away.stop()
          expect(live.notices.all.value).toHaveLength(101)
        }
      })
      expect(ms).toBeLessThan(MOST_MS)
    })
  })

  it('has its stories told when Stillpoint is quit', async () => {
    await tally.tried(async () => {
      const live = opened()
      live.away.gather({ jobs: failedJobs(0, { kind: 'usage', message: 'no' }), runs: fatRuns(20, 0, []) })
      await live.close()
      expect(idsIn(fileOf(live))).toHaveLength(21)
    })
  })

  /** So many that they are told of without waiting for more, and their words take their time. */
  const manyRuns = (): RunReport[] => {
    const refusing = (n: number, host: string): RunReport => {
      const pruned = { trashed: [], removed: [], memoryDropped: [], freedBytes: 0, refused: [`${n}`] }
      return runReport(n, { host, pruned, state: host === 'bad' ? 'failed' : 'done' })
    }
    return [...many(4999, (n) => refusing(n, 'bad')), refusing(4999, 'good')]
  }

  it('has its stories told when Stillpoint is quit while they are being told', async () => {
    await tally.tried(async () => {
      const live = opened()
      live.away.gather({ jobs: [jobEndedOn('good')], runs: manyRuns() })
      await live.close()
      const kept = new Notices(fileOf(live)).all.value ?? []
      expect(kept.filter(({ host }) => host === 'good').map(({ title }) => title)).toEqual([
        'nightly on good: old points were not pruned',
        'While you were away, on good: 1 backup failed'
      ])
      expect(kept).toHaveLength(200)
    })
  })

  it('keeps no story of another waiting', async () => {
    await tally.tried(() => {
      const live = opened()
      live.away.gather({ jobs: [jobEndedOn('good')], runs: manyRuns() })
      expect((live.notices.all.value ?? []).map(({ host }) => host).sort()).toEqual(['bad', 'good'])
    })
  })

  it('has what is known written at once where the session ends', async () => {
    await tally.tried(() => {
      const live = opened()
      live.notices.addAll(EARLIER.slice(0, 1))
      live.notices.addAll(EARLIER.slice(1, 2))
      live.away.gather({ jobs: [jobEndedOn('good')], runs: [] })
      void live.keepWhatIsKnown()
      expect(idsIn(fileOf(live))).toHaveLength(3)
    })
  })
})

describe('a host whose jobs end in its list, and go on for who follows them', () => {
  it('is followed in no more of them than a host may have', async () => {
    await tally.tried(async () => {
      const { jobs } = coreWith(() => new Promise(() => undefined))
      const said = (from: number, state: 'running' | 'done'): JobReport[] =>
        many(100, (n) =>
          jobReport(from + n, { host: 'bad', state, ...(state === 'running' && { endedAt: undefined }) })
        )
      const running = (): number => (jobs.live.value ?? []).length
      await jobs.remembered
      await jobs.heard('bad', said(0, 'running'))
      expect(running()).toBe(100)
      await jobs.heard('bad', said(0, 'done'))
      for (let n = 100; n < 1000; n += 100) {
        await jobs.heard('bad', said(n, 'running'))
        expect(running()).toBe(0)
        await jobs.heard('bad', said(n, 'done'))
      }
      await jobs.heard('good', [jobReport(5000, { host: 'good', state: 'running', endedAt: undefined })])
      expect(running()).toBe(1)
      jobs.stop()
    })
  })

  it('is followed in no more of them where they needed their operator, and then go on', async () => {
    await tally.tried(async () => {
      const { jobs } = coreWith(() => new Promise(() => undefined))
      const said = (from: number, state: JobReport['state']): JobReport[] =>
        many(100, (n) => jobReport(from + n, { host: 'bad', state, endedAt: undefined }))
      await jobs.remembered
      for (let n = 0; n < 1000; n += 100) {
        await jobs.heard('bad', said(n, 'failed-needs-you'))
        await jobs.heard('bad', said(n, 'running'))
        expect((jobs.live.value ?? []).length).toBe(100)
      }
      jobs.stop()
    })
  })
})
