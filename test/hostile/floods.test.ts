import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as z from 'zod'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Core } from '../../src/main/core/core.ts'
import { engineCall, type PlacedEngine } from '../../src/main/core/engine-on-host/engine-call.ts'
import { LineCutter } from '../../src/main/core/engine-on-host/json-lines.ts'
import { readJournal } from '../../src/main/core/jobs/read-journal.ts'
import { fairShare } from '../../src/main/core/live/fair-share.ts'
import { FolderWords, WATCH_FOLDERS, type Folder } from '../../src/main/core/live/folder-script.ts'
import { JobRecord, viewOfReport } from '../../src/main/core/live/job-record.ts'
import { LiveJobs } from '../../src/main/core/live/live-jobs.ts'
import { SharedRun } from '../../src/main/core/live/shared-run.ts'
import { HostWatch, type HostListener } from '../../src/main/core/live/watch-host.ts'
import { readPolicies } from '../../src/main/core/policies/read-policies.ts'
import { History } from '../../src/main/core/settings/history.ts'
import { openSettings } from '../../src/main/core/settings/settings-file.ts'
import { describeFailure } from '../../src/shared/failure-words.ts'
import { failureOf, StillpointError } from '../../src/shared/failure.ts'
import { reportAtStart } from '../../src/shared/job-report.ts'
import {
  Leftover,
  LetGo,
  PointListing,
  PreflightItem,
  VerifyReport,
  type EngineVerb
} from '../../src/shared/engine-protocol.ts'
import { ENGINE_LIMITS, LONGEST_LOG, MOST_ANSWERED } from '../../src/shared/engine-limits.ts'
import { JobReport, JournalEntry, Progress, type BackupSpec, type JournalEvent } from '../../src/shared/model/job.ts'
import { RunReport } from '../../src/shared/model/policy.ts'
import { OutboxItem } from '../../src/shared/model/channels.ts'
import { PolicyListing } from '../../src/shared/views/policy-view.ts'
import { resultLines } from '../../src/shared/result-lines.ts'
import type { RunOptions, Shell } from '../../src/shared/shell.ts'
import { fakeShell } from '../../src/shell/fake.ts'
import { eventually } from '../patience.ts'
import { policyOf } from '../unit/made-policies.ts'
import { AT, idOf, jobReport, runReport } from './reports.ts'
import { bestMsOf, timed, triedUntil } from './cpu-time.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('floods')

const source = (path: string): string => JSON.stringify(join(import.meta.dirname, '../..', path))

/** Bytes that a program of ours holds more at its end than at its beginning. */
function heldBytes(code: string): number {
  const program = `
    ${code}
    const held = () => { gc(); const { heapUsed, external } = process.memoryUsage(); return heapUsed + external }
    const before = held()
    const kept = await run()
    const bytes = held() - before
    if (kept === undefined) throw new Error('nothing was kept')
    console.log(bytes)`
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--expose-gc', '--experimental-transform-types', '--no-warnings', '--input-type=module', '-e', program],
    { encoding: 'utf8' }
  )
  if (status !== 0) throw new Error(stderr)
  return Number(stdout)
}

describe('lines in packets', () => {
  it.each([1, 2, 3, 7, 64, 1000, 65_536])('of %i bytes are held in little more than their length', async (bytes) => {
    await tally.tried(() => {
      const code = `
        import { LineCutter } from ${source('src/main/core/engine-on-host/json-lines.ts')}
        const run = () => {
          const cutter = new LineCutter('it', 32 << 20)
          const packet = Buffer.alloc(${bytes}, 'x')
          for (let n = 0; n < 1e6; n += ${bytes}) cutter.push(packet)
          return cutter
        }`
      expect(heldBytes(code)).toBeLessThan(8 << 20)
    })
  })

  it.each([1, 5, 100, 4096, 4097])(
    'are refused where they are longer than %i bytes, in whatever packets',
    async (limit) => {
      for (const bytes of [1, 3, 4096, 10_000])
        await tally.tried(() => {
          const cutter = new LineCutter('it', limit)
          const push = (): void => {
            for (let n = 0; n <= limit; n += bytes) cutter.push(Buffer.alloc(bytes, 'x'))
          }
          expect(push).toThrow(StillpointError)
          expect(cutter.unfinishedBytes).toBe(0)
        })
    }
  )

  it('are the same wherever they are cut', () => {
    const text = '{"a":"ä€😀"}\n\n\r\nb\n'.repeat(3)
    const whole = new LineCutter('it', 1000).push(Buffer.from(text))
    const bytes = Buffer.from(text)
    for (let cut = 1; cut < bytes.length; cut += 2) {
      const cutter = new LineCutter('it', 1000)
      expect([...cutter.push(bytes.subarray(0, cut)), ...cutter.push(bytes.subarray(cut))]).toEqual(whole)
    }
  })
})

const spec: BackupSpec = {
  kind: 'backup',
  vm: '11111111-2222-4333-8444-555555555555',
  vmName: 'web1',
  hostName: 'alpha',
  store: '/srv/points',
  budgetMs: 300,
  onBusy: 'pause'
}
const pause = { phase: 'memory', startedAt: AT, endedAt: AT, ms: 2, source: 'clock' } as const

/** A job that is watched, and what its host says of it. */
function watched(count: number, event: (n: number) => JournalEvent): JobRecord {
  const record = new JobRecord(viewOfReport(reportAtStart(idOf(1), spec, AT)), new Date(AT))
  const take = (entry: JournalEntry): void => void record.watched({ type: 'entry', entry }, new Date(AT))
  take({ n: 0, at: AT, type: 'begin', id: idOf(1), spec, bootId: 'b', engine: 'e' })
  for (let n = 1; n <= count; n += 1) take({ n, at: AT, ...event(n) })
  return record
}

const ENDLESS: readonly (readonly [string, (n: number) => JournalEvent])[] = [
  ['warnings', (n) => ({ type: 'warning', text: `w${n}` })],
  ['the same warning', () => ({ type: 'warning', text: 'w' })],
  ['notes', (n) => ({ type: 'note', text: `n${n}` })],
  ['steps', (n) => ({ type: 'step', step: `s${n}` })],
  ['steps that end', (n) => ({ type: n % 2 === 0 ? 'step-done' : 'step', step: `s${n >> 1}`, ms: 1 })],
  ['ends of steps that never began', (n) => ({ type: 'step-done', step: `s${n}`, ms: 1 })],
  ['pauses', () => ({ type: 'pause', pause })],
  ['progress', (n) => ({ type: 'progress', progress: { phase: 'p', doneBytes: n, totalBytes: 1e9 } })],
  ['facts', (n) => ({ type: 'fact', fact: { method: n % 2 === 0 ? 'live' : 'disk', methodReason: `r${n}` } })],
  ['beginnings', (n) => ({ type: 'begin', id: idOf(n), spec, bootId: 'b', engine: 'e' })],
  ['undo and redo', (n) => ({ type: 'step', step: n % 2 === 0 ? 'recover' : 'snapshot' })]
]

describe('a job that writes without end', () => {
  it.each(ENDLESS)('is shown in bounded memory: %s', async (_, event) => {
    await tally.tried(() => {
      const { view, live } = watched(20_000, event)
      for (const list of [view.warnings, view.pauses, view.phases, live.warnings, live.pauses, live.phases])
        expect(list.length).toBeLessThanOrEqual(ENGINE_LIMITS.ofJob + 1)
    })
  })

  it('says how many of its warnings are not kept, and counts every pause', async () => {
    await tally.tried(() => {
      const { warnings } = watched(20_000, (n) => ({ type: 'warning', text: `w${n}` })).view
      expect(warnings).toHaveLength(ENGINE_LIMITS.ofJob)
      expect(warnings.slice(0, 2)).toEqual(['w1', 'w2'])
      expect(warnings.at(-1)).toMatch(/^19501 more warnings of this job came/)
      expect(watched(20_000, () => ({ type: 'pause', pause })).view.pauseMs).toBe(40_000)
    })
  })

  it.each(ENDLESS)('costs the same for each entry, however many came before: %s', async (_, event) => {
    const msEach = (count: number): number => {
      const tries = [1, 2, 3].map(() => {
        const start = performance.now()
        watched(count, event)
        return (performance.now() - start) / count
      })
      return Math.min(...tries)
    }
    // Growing with the square it would be sixteen times as much for each.
    await tally.tried(() => expect(msEach(32_000)).toBeLessThan(6 * msEach(2000) + 0.002))
  })

  it('has a log with an end, which says that it goes on', async () => {
    for (const text of ['short', 'x'.repeat(8000)])
      await tally.tried(async () => {
        let said = 0
        const call = async (
          _verb: string,
          _question: object,
          { onEvent, signal }: { readonly onEvent: (entry: JournalEntry) => void; readonly signal: AbortSignal }
        ): Promise<never> => {
          for (; !signal.aborted && said < 1e6; said += 1) onEvent({ n: said, at: AT, type: 'note', text })
          return Promise.reject(new StillpointError({ kind: 'cancelled', what: 'it' }))
        }
        const core = { connections: { engine: () => Promise.resolve({ call }) } } as unknown as Core
        const entries = await readJournal(core, 'alpha', idOf(1))
        expect(entries.length).toBeLessThanOrEqual(LONGEST_LOG.entries + 1)
        expect(JSON.stringify(entries).length).toBeLessThan(2 * LONGEST_LOG.characters)
        expect(entries.at(-1)).toMatchObject({ type: 'note', text: 'The log goes on: it is longer than is shown.' })
      })
  })
})

let watch: HostWatch | undefined
afterEach(() => watch?.stop())

/** A host that says this while its folders and its VMs are watched, and how often it was asked for what. */
function flooding(
  folders: readonly Uint8Array[],
  events: readonly Uint8Array[],
  moved: (asked: readonly Folder[]) => Promise<void>
) {
  const asked = { looks: 0, moved: [] as (readonly Folder[])[], atOnce: 0, most: 0, down: [] as string[] }
  const flood = async (chunks: readonly Uint8Array[], { onStdout, signal }: RunOptions): Promise<void> => {
    for (const chunk of chunks) await onStdout?.(chunk)
    if (signal?.aborted !== true) await new Promise((resolve) => signal?.addEventListener('abort', resolve))
  }
  const run: Shell['run'] = async (argv, options = {}) => {
    if (argv === WATCH_FOLDERS) await flood(folders, options)
    else if (options.timeoutMs === Infinity) await flood(events, options)
    else asked.looks += 1
    const sections = ['begin', 'list-status', 'end'].map((name) => `\n${argv.at(-1)} ${name}\n0\n`)
    await options.onStdout?.(Buffer.from(sections.join('')))
    return { stdout: '', stderr: '', exitCode: 0, signal: undefined }
  }
  const listener: HostListener = {
    connecting: () => undefined,
    up: () => undefined,
    contact: () => Promise.resolve(),
    down: ({ kind }) => void asked.down.push(kind),
    moved: async (each) => {
      asked.moved.push(each)
      asked.atOnce += 1
      asked.most = Math.max(asked.most, asked.atOnce)
      await moved(each).finally(() => (asked.atOnce -= 1))
    }
  }
  const core = {
    connections: {
      connection: () => Promise.resolve({ shell: { label: 'alpha', run } }),
      drop: () => Promise.resolve()
    }
  }
  watch = new HostWatch(core as unknown as Core, 'alpha', listener)
  return asked
}

const times = (count: number, text: string): Uint8Array[] => Array.from({ length: count }, () => Buffer.from(text))

describe('a flood of "something has moved"', () => {
  it.each([
    ['a line each', times(20_000, 'jobs\n'), ['jobs']],
    ['many lines each', times(500, 'jobs\n'.repeat(500)), ['jobs']],
    ['a byte each', [...Buffer.from('jobs\n'.repeat(4000))].map((byte) => Uint8Array.of(byte)), ['jobs']],
    ['all folders in turn', times(20_000, 'jobs\nruns\npolicies\n'), ['jobs', 'policies', 'runs']],
    ['with noise between', times(20_000, 'x\njobs\n\0\n'), ['jobs']],
    ['with dots between', times(20_000, '.\nruns\n.\n'), ['runs']]
  ] as const)('is one question, and one more afterwards: %s', async (_, chunks, folders) => {
    await tally.tried(async () => {
      const gate = Promise.withResolvers<undefined>()
      const asked = flooding(chunks, [], () => gate.promise)
      await eventually(() => expect(asked.moved).toHaveLength(1))
      gate.resolve(undefined)
      await eventually(() => expect(asked.moved).toHaveLength(2))
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect(asked.moved).toHaveLength(2)
      expect(asked.most).toBe(1)
      expect([...new Set(asked.moved.flat())].sort()).toEqual(folders)
    })
  })

  it.each([
    ['bytes that are never a line', times(200, 'x'.repeat(100_000))],
    ['NUL', times(200, '\0'.repeat(100_000))],
    ['dots', times(20_000, '.\n')],
    ['empty lines', times(20_000, '\n\n\n')],
    ['other folders', times(20_000, 'etc\nroot\n')],
    ['words that only begin so', times(20_000, 'jobs2\nrunsx\n')],
    ['words that only end so', times(20_000, 'xjobs\n')],
    ['words with spaces', times(20_000, ' jobs\njobs \n')],
    ['words with carriage returns', times(20_000, 'jobs\r\n')],
    ['a word behind a line without end', [...times(100, 'y'.repeat(50_000)), Buffer.from('jobs\n')]]
  ])('asks for nothing where it is none: %s', async (_, chunks) => {
    await tally.tried(async () => {
      const asked = flooding(chunks, [], () => Promise.resolve())
      await eventually(() => expect(asked.looks).toBe(1))
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect(asked.moved).toEqual([])
    })
  })

  it.each([
    ['words', 'jobs\n'.repeat(200_000)],
    ['ends of lines', '\n'.repeat(1_000_000)],
    ['other words', 'jobss\n'.repeat(160_000)]
  ])('of a megabyte of %s costs little more than looking through it', async (_, text) => {
    await tally.tried(() => {
      const chunk = Buffer.from(text)
      const heard = triedUntil(20, () => timed(() => new FolderWords().take(chunk)))
      expect(bestMsOf(heard)).toBeLessThan(20)
    })
  })

  it.each([
    ['jobs\n', ['jobs']],
    ['.\njobs\n', ['jobs']],
    ['xjobs\n', []],
    ['jobsx\n', []],
    ['jobs', []],
    ['x'.repeat(33), 'jobs\n', []],
    ['x'.repeat(100), '\nruns\n', ['runs']],
    ['jo', 'b', 's\n', ['jobs']],
    ['\n', '\n', 'policies\n', ['policies']],
    ['jobs\nru', 'ns\n', ['jobs', 'runs']]
  ])('says what it says: %j %j', (...said) => {
    const expected = said.at(-1)
    const words = new FolderWords()
    expect(said.slice(0, -1).flatMap((text) => words.take(Buffer.from(text as string)))).toEqual(expected)
  })

  it('is heard wherever its words are cut', () => {
    const bytes = Buffer.from('.\njobs\nruns\n.\n')
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const words = new FolderWords()
      const heard = [...words.take(bytes.subarray(0, cut)), ...words.take(bytes.subarray(cut))]
      expect(heard.sort()).toEqual(['jobs', 'runs'])
    }
  })

  it.each([
    ['events', times(20_000, "event 'lifecycle' for domain 'a': Started Booted\n")],
    ['events without end', times(200, 'e'.repeat(100_000))],
    ['single bytes', times(20_000, '\n')]
  ])('of libvirt is one look: %s', async (_, events) => {
    await tally.tried(async () => {
      const asked = flooding([], events, () => Promise.resolve())
      await eventually(() => expect(asked.looks).toBe(2))
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect(asked.looks).toBeLessThanOrEqual(3)
    })
  })

  it('whose answer is nonsense shows the host as down, with the reason', async () => {
    await tally.tried(async () => {
      const nonsense = new StillpointError({ kind: 'bad-output', what: 'the engine', detail: 'no' })
      const asked = flooding(times(100, 'jobs\n'), [], () => Promise.reject(nonsense))
      await eventually(() => expect(asked.down).toEqual(['bad-output']))
    })
  })
})

describe('work that many ask for', () => {
  it.each([1, 2, 3, 100, 10_000])('is done once for all who come meanwhile: %i', async (count) => {
    await tally.tried(async () => {
      let begun = 0
      const gates = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()]
      const run = new SharedRun(() => gates[begun++]?.promise ?? Promise.resolve())
      const all = Array.from({ length: count }, () => run.ask())
      expect(begun).toBe(1)
      gates.forEach(({ resolve }) => resolve(undefined))
      await Promise.all(all)
      expect(begun).toBe(count === 1 ? 1 : 2)
      await run.ask()
      expect(begun).toBe(count === 1 ? 2 : 3)
    })
  })

  it('goes on after it has failed', async () => {
    await tally.tried(async () => {
      let begun = 0
      const run = new SharedRun(() => (++begun === 1 ? Promise.reject(new Error('no')) : Promise.resolve()))
      const [first, next] = [run.ask(), run.ask()]
      await expect(first).rejects.toThrow('no')
      await next
      expect(begun).toBe(2)
    })
  })
})

describe('a host with more jobs than anybody', () => {
  let folder = ''
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'stillpoint-floods-'))))
  const histories: History[] = []
  afterEach(async () => {
    await Promise.all(histories.splice(0).map((history) => history.settled()))
    rmSync(folder, { recursive: true })
  })

  async function opened(): Promise<{ jobs: LiveJobs; followed: Set<string> }> {
    const followed = new Set<string>()
    const call = (verb: string, { id }: { id: string }): Promise<never> => {
      if (verb === 'follow') followed.add(id)
      return new Promise(() => undefined)
    }
    const history = new History(join(folder, 'history.jsonl'))
    histories.push(history)
    const core = {
      history,
      connections: { engine: () => Promise.resolve({ call }) }
    }
    const jobs = new LiveJobs(core as unknown as Core, () => undefined)
    await jobs.remembered
    return { jobs, followed }
  }
  const of = (host: string, count: number, changes: Partial<JobReport> = {}, from = 0): JobReport[] =>
    Array.from({ length: count }, (_, n) => jobReport(from + n, { host, ...changes }))

  it('that all run has a hundred of them followed, and the others of none less', async () => {
    await tally.tried(async () => {
      const { jobs, followed } = await opened()
      const { endedAt: _, ...running } = jobReport(0, { state: 'running' })
      await jobs.heard(
        'bad',
        Array.from({ length: 5000 }, (_, n) => ({ ...running, id: idOf(n), host: 'bad' }))
      )
      await jobs.heard('good', [{ ...running, id: idOf(9_000_000), host: 'good' }])
      await eventually(() => expect(followed).toContain(idOf(9_000_000)))
      const listed = (from: string): unknown[] => jobs.all.value?.filter(({ host }) => host === from) ?? []
      expect([listed('bad').length, listed('good').length]).toEqual([100, 1])
      jobs.stop()
    })
  })

  it.each(['20261122T201744Z', '99991231T235959Z', '00000101T000000Z'])(
    'hides none of another: ids from %s',
    async (stamp) => {
      await tally.tried(async () => {
        const { jobs } = await opened()
        await jobs.heard('good', of('good', 300))
        for (let round = 0; round < 6; round += 1)
          await jobs.heard(
            'bad',
            of('bad', 1000, {}, 10_000 + round * 1000).map((report) => ({
              ...report,
              id: report.id.replace(/^.*Z/, stamp)
            }))
          )
        const listed = jobs.all.value ?? []
        expect(listed.filter(({ host }) => host === 'good')).toHaveLength(300)
        expect(listed.length).toBeLessThanOrEqual(1000)
        jobs.stop()
      })
    }
  )

  it('cannot end, rename or take over a job of another', async () => {
    let n = 0
    for (const state of ['done', 'cancelled', 'failed-clean', 'failed-needs-you', 'running'] as const)
      await tally.tried(async () => {
        const { jobs } = await opened()
        const { endedAt: _, ...running } = jobReport(++n, { host: 'good', state: 'running' })
        await jobs.heard('good', [running])
        const claimed = jobReport(n, { host: 'bad', state, vm: { uuid: spec.vm, name: 'evil' } })
        for (const { id, host } of await jobs.heard('bad', [claimed])) {
          expect(host).toBe('bad')
          expect(id).not.toBe(idOf(n))
        }
        expect(jobs.find(idOf(n))).toMatchObject({ host: 'good', state: 'running', vm: { name: 'web1' } })
        expect(await jobs.heard('good', [jobReport(n, { host: 'good' })])).toHaveLength(1)
        jobs.stop()
      })
  })

  it.each([1, 2, 3, 10, 500])('leaves each of %i hosts its share of a list', async (hosts) => {
    await tally.tried(() => {
      const noisy = of('bad', 3000, {}, 50_000)
      const all = [...noisy, ...Array.from({ length: hosts }, (_, n) => of(`h${n}`, 2)).flat()]
      const shared = fairShare(all, 1000)
      const most = Math.max(1000, hosts + 1)
      expect(shared.length).toBeLessThanOrEqual(most)
      expect(new Set(shared.map(({ host }) => host)).size).toBe(hosts + 1)
      expect(fairShare(all, 10_000)).toHaveLength(all.length)
    })
  })
})

const placed = (stdout: string): PlacedEngine => ({
  shell: fakeShell(() => ({ stdout })),
  host: 'alpha',
  node: '/n',
  engine: '/e'
})
const answerOf = (verb: EngineVerb, result: unknown): string => [...resultLines(verb, result)].join('')

describe('an answer without end', () => {
  it.each([
    ['jobs', (n: number) => jobReport(n)],
    ['runs', (n: number) => runReport(n)],
    ['recover', (n: number) => jobReport(n)]
  ] as const)('is refused in words, and what a real host has is taken: %s', async (verb, make) => {
    for (const count of [MOST_ANSWERED.reports + 1, MOST_ANSWERED.reports * 2])
      await tally.tried(async () => {
        const error: unknown = await engineCall(
          placed(
            answerOf(
              verb,
              Array.from({ length: count }, (_, n) => make(n))
            )
          ),
          verb,
          {}
        ).catch((thrown: unknown) => thrown)
        expect(failureOf(error)).toMatchObject({ kind: 'bad-output' })
        expect(describeFailure(failureOf(error)).explanation).toContain(
          `no host has more than ${MOST_ANSWERED.reports}`
        )
      })
    for (const count of [0, 1, 199, 200, 201, 399, 400, 401, MOST_ANSWERED.reports]) {
      const all = Array.from({ length: count }, (_, n) => make(n))
      expect(await engineCall(placed(answerOf(verb, all)), verb, {})).toEqual(all)
    }
  })

  it('with one wrong entry among thousands is refused', async () => {
    for (const at of [0, 199, 200, 1234, 4999])
      await tally.tried(async () => {
        const all = Array.from({ length: 5000 }, (_, n) => (n === at ? { ...jobReport(n), id: 'x' } : jobReport(n)))
        await expect(engineCall(placed(answerOf('jobs', all)), 'jobs', {})).rejects.toMatchObject({
          failure: { kind: 'bad-output' }
        })
      })
  })

  it('lets others have their turn while it is checked', async () => {
    await tally.tried(async () => {
      let turns = 0
      let isOver = false
      const turn = (): void => {
        turns += 1
        if (!isOver) setImmediate(turn)
      }
      const text = answerOf(
        'jobs',
        Array.from({ length: 5000 }, (_, n) => jobReport(n))
      )
      turn()
      await engineCall(placed(text), 'jobs', {})
      isOver = true
      expect(turns).toBeGreaterThan(20)
    })
  })

  it.each(['submit', 'verify', 'mark', 'probe'] as const)('has less room where answers are small: %s', async (verb) => {
    await tally.tried(async () => {
      const text = `{"result":"${'x'.repeat(17 << 20)}"}\n`
      await expect(engineCall(placed(text), verb, {})).rejects.toMatchObject({
        failure: { kind: 'output-too-large' }
      })
    })
  })
})

describe('schedules that name more stores than anybody has', () => {
  let folder = ''
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'stillpoint-stores-'))))
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it.each([1, 19, 20, 21, 2000])('fill no settings: %i', async (count) => {
    await tally.tried(async () => {
      const settings = openSettings(folder)
      settings.update((before) => ({ ...before, hosts: [{ name: 'bad', address: 'bad', addedAt: AT }] }))
      const policies = Array.from({ length: count }, (_, n) => ({ policy: policyOf({ store: `/srv/${n}` }) }))
      const call = (): Promise<unknown> =>
        Promise.resolve({ policies, broken: [], timeZone: 'UTC', parallel: 1, channels: {}, outbox: [] })
      const core = { folder, settings, connections: { engine: () => Promise.resolve({ call }) } }
      await readPolicies(core as unknown as Core, 'bad')
      expect(settings.read().places).toHaveLength(Math.min(count, 19)) // its usual one is the twentieth
    })
  })
})

const LONG = 'x'.repeat(100_000)
const many = (each: unknown, count = 30_000): unknown[] => Array.from({ length: count }, () => each)
const progress = { phase: LONG, doneBytes: 1, totalBytes: 2 }
const listing = {
  policies: [],
  broken: many({ path: '/a', reason: 'r' }, 3000),
  timeZone: LONG,
  parallel: 1,
  channels: {},
  outbox: []
}
const item = { id: LONG, channel: 'mail', subject: LONG, at: AT, tries: 1, lastError: LONG }
const vm = { uuid: spec.vm, name: LONG }

/** What is far too long or too many, one thing at a time. */
const TOO_MUCH: readonly (readonly [string, z.ZodType, unknown])[] = [
  ['a job: warnings', JobReport, jobReport(1, { warnings: many('w') as string[] })],
  ['a job: a warning', JobReport, jobReport(1, { warnings: [LONG] })],
  ['a job: phases', JobReport, jobReport(1, { phases: many({ phase: 'p', startedAt: AT, ms: 1 }) as never })],
  ['a job: a phase', JobReport, jobReport(1, { phases: [{ phase: LONG, startedAt: AT, ms: 1 }] })],
  ['a job: pauses', JobReport, jobReport(1, { pauses: many(pause) as never })],
  ['a job: a pause', JobReport, jobReport(1, { pauses: [{ ...pause, phase: LONG }] })],
  ['a job: the VM', JobReport, jobReport(1, { vm })],
  ['a job: the original', JobReport, jobReport(1, { copyOf: vm })],
  ['a job: the host', JobReport, jobReport(1, { host: LONG })],
  ['a job: the store', JobReport, jobReport(1, { store: LONG })],
  ['a job: why this method', JobReport, jobReport(1, { methodReason: LONG })],
  ['a job: why this mode', JobReport, jobReport(1, { modeReason: LONG })],
  ['a job: what was kept aside', JobReport, jobReport(1, { keptAside: many('/a') as string[] })],
  ['a job: where it was kept aside', JobReport, jobReport(1, { keptAside: [LONG] })],
  ['progress', Progress, progress],
  ['an entry: a warning', JournalEntry, { n: 1, at: AT, type: 'warning', text: LONG }],
  ['an entry: a note', JournalEntry, { n: 1, at: AT, type: 'note', text: LONG }],
  ['an entry: progress', JournalEntry, { n: 1, at: AT, type: 'progress', progress }],
  ['an entry: a fact', JournalEntry, { n: 1, at: AT, type: 'fact', fact: { methodReason: LONG } }],
  ['an entry: the end', JournalEntry, { n: 1, at: AT, type: 'end', report: jobReport(1, { warnings: [LONG] }) }],
  ['a run: VMs', RunReport, runReport(1, { vms: many({ vm: { ...vm, name: 'a' }, outcome: 'done' }) as never })],
  ['a run: a VM', RunReport, runReport(1, { vms: [{ vm, outcome: 'done' }] })],
  ['a run: why a VM was skipped', RunReport, runReport(1, { vms: [{ vm, outcome: 'skipped', reason: LONG }] })],
  ['a run: why it failed', RunReport, runReport(1, { reason: LONG })],
  ['a run: missed', RunReport, runReport(1, { missed: many({ at: AT, reason: 'r' }) as never })],
  ['a run: why one was missed', RunReport, runReport(1, { missed: [{ at: AT, reason: LONG }] })],
  ['a run: told', RunReport, runReport(1, { told: many({ channel: 'mail', ok: true, text: 't' }) as never })],
  ['a run: what was told', RunReport, runReport(1, { told: [{ channel: 'mail', ok: true, text: LONG }] })],
  ['a run: warnings', RunReport, runReport(1, { warnings: many('w') as string[] })],
  [
    'a run: points that went',
    RunReport,
    runReport(1, {
      pruned: { trashed: many(idOf(1)) as string[], removed: [], memoryDropped: [], freedBytes: 1, refused: [LONG] }
    })
  ],
  ['points: broken ones', PointListing, { points: [], broken: many({ path: '/a', reason: 'r' }) }],
  ['points: a broken one', PointListing, { points: [], broken: [{ path: LONG, reason: LONG }] }],
  [
    'points: marks',
    PointListing,
    {
      points: [],
      broken: [],
      marks: Object.fromEntries(Array.from({ length: 60_000 }, (_, n) => [idOf(n), { pinned: true }]))
    }
  ],
  [
    'a check: problems',
    VerifyReport,
    { point: idOf(1), good: false, checkedBytes: 1, problems: many({ file: 'f', detail: 'd' }), notes: [LONG] }
  ],
  ['a check: notes', VerifyReport, { point: idOf(1), good: true, checkedBytes: 1, problems: [], notes: many('n') }],
  ['what is left over', Leftover, { kind: LONG, what: LONG, remedy: LONG, repaired: false }],
  ['what was let go', LetGo, { removed: many('/a'), freedBytes: 1, kept: many({ path: '/a', because: 'b' }) }],
  ['a preflight', PreflightItem, { check: LONG, state: 'ok', text: LONG, fix: LONG, vm }],
  ['schedules: broken files', PolicyListing, listing],
  [
    'schedules: the outbox',
    PolicyListing,
    { ...listing, broken: [], outbox: many({ ...item, id: 'i', subject: 's', lastError: 'e' }) }
  ],
  ['a message', OutboxItem, item]
]

describe('what an engine says at too great length', () => {
  it.each(TOO_MUCH)('is cut, and the rest of it is as good as before: %s', async (_, schema, value) => {
    await tally.tried(() => {
      const { success, data } = schema.safeParse(value)
      expect(success).toBe(true)
      expect(lengthsIn(data).longest).toBeLessThanOrEqual(ENGINE_LIMITS.text)
      expect(lengthsIn(data).most).toBeLessThanOrEqual(MOST_ANSWERED.points)
      expect(JSON.stringify(data).length).toBeLessThan(JSON.stringify(value).length)
    })
  })

  it('is cut with a mark of it', async () => {
    await tally.tried(() => expect(Progress.parse(progress).phase.endsWith('…')).toBe(true))
  })

  it('is refused where it is more points than there can be', async () => {
    await tally.tried(() => {
      expect(z.array(z.unknown()).max(MOST_ANSWERED.points).safeParse(many(1, 50_001)).success).toBe(false)
      expect(PointListing.safeParse({ points: many({}, 50_001), broken: [] }).success).toBe(false)
    })
  })
})

/** Of the longest text and the longest list in it. */
function lengthsIn(value: unknown): { longest: number; most: number } {
  if (typeof value === 'string') return { longest: value.length, most: 0 }
  if (typeof value !== 'object' || value === null) return { longest: 0, most: 0 }
  const within = Object.values(value).map(lengthsIn)
  const largest = (of: 'longest' | 'most', first: number): number =>
    within.reduce((most, each) => Math.max(most, each[of]), first)
  return { longest: largest('longest', 0), most: largest('most', Object.keys(value).length) }
}
