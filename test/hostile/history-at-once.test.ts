import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { History, HISTORY_LIMITS, type Limits } from '../../src/main/core/settings/history.ts'
import type { JobReport } from '../../src/shared/model/job.ts'
import { AT, idOf, jobReport } from './reports.ts'
import { TakingTurns } from './taking-turns.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('two that write the history at once')

let folder = ''
let path = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stillpoint-history-'))
  path = join(folder, 'history.jsonl')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const turns = new TakingTurns()
beforeAll(() => turns.hold())
afterAll(() => turns.undo())

const opened = (limits: Partial<Limits> = {}): History => new History(path, { ...HISTORY_LIMITS, ...limits })
const line = (report: JobReport): string => `${JSON.stringify({ type: 'job', report })}\n`
const lines = (from: number, count: number, host: string): string =>
  Array.from({ length: count }, (_, n) => line(jobReport(from + n, { host }))).join('')
const putBy = (n: number): string => join(folder, `history-2026110${n}T000000000Z-00000a.jsonl`)
const copy = { point: idOf(9), vm: 'web1', from: 'alpha', to: 'beta', at: AT, sizeBytes: 1, ms: 1 }

interface Case {
  readonly limits?: Partial<Limits>
  /** What is there, with the jobs 1 and 2 of the host `before`. */
  readonly make: () => void
  /** What one does while the other adds. */
  readonly work: (history: History) => Promise<unknown>
}

const CASES: Readonly<Record<string, Case>> = {
  'a damaged line is taken out': {
    make: () => writeFileSync(path, `${line(jobReport(1, { host: 'before' }))}garbage\n${lines(2, 1, 'before')}`),
    work: (history) => history.idsOf('job', 'before')
  },
  'a damaged line is taken out, and the rest of it': {
    make: () => writeFileSync(path, `${lines(1, 2, 'before')}{"type":"jo`),
    work: (history) => history.addJobs([jobReport(3, { host: 'before' })])
  },
  'a file has become large': {
    limits: { fileBytes: 600 },
    make: () => writeFileSync(path, lines(1, 2, 'before')),
    work: (history) => history.addJobs([jobReport(3, { host: 'before' })])
  },
  'room is made': {
    limits: { fileBytes: 1500, totalBytes: 7000 },
    make: () => {
      writeFileSync(putBy(1), `${lines(1, 2, 'before')}${lines(100, 6, 'noisy')}`)
      writeFileSync(putBy(2), lines(200, 12, 'noisy'))
    },
    work: (history) => history.addJobs(Array.from({ length: 6 }, (_, n) => jobReport(300 + n, { host: 'noisy' })))
  },
  'a file is larger than all may be': {
    limits: { totalBytes: 20_000 },
    make: () => writeFileSync(path, `${'x'.repeat(20_000)}\n${lines(1, 2, 'before')}`),
    work: (history) => history.jobs()
  },
  'copies are written down': {
    limits: { fileBytes: 600 },
    make: () => writeFileSync(path, lines(1, 2, 'before')),
    work: (history) => history.addCopy(copy)
  }
}

/** Jobs that somebody was told are written, and that nobody may take away, are there: whoever looks. */
async function expectAll(added: readonly JobReport[], about: string): Promise<void> {
  const ids = (await opened().jobs()).filter(({ host }) => host !== 'noisy').map(({ host, id }) => `${host} ${id}`)
  const wanted = [jobReport(1, { host: 'before' }), jobReport(2, { host: 'before' }), ...added]
  expect(ids, about).toEqual(expect.arrayContaining(wanted.map(({ host, id }) => `${host} ${id}`)))
  expect(new Set(ids).size, about).toBe(ids.length)
}

/** One does its work, held after so many steps; the other adds, held after so many; returns the steps each has taken. */
async function together(
  { limits, make, work }: Case,
  held: readonly number[]
): Promise<{ one: number; other: number }> {
  rmSync(folder, { recursive: true })
  mkdirSync(folder)
  make()
  const [one, other] = [opened(limits), opened(limits)]
  const added: JobReport[] = []
  const steps = await turns.run(
    {
      one: () => work(one).then(() => undefined),
      other: async () => {
        added.push(...(await other.addJobs([11, 12, 13].map((n) => jobReport(n, { host: 'other' })))))
        added.push(...(await other.addJobs([jobReport(14, { host: 'other' })])))
      }
    },
    held
  )
  expect(added).toHaveLength(4)
  await expectAll(added, `${held.join(', ')} steps; files: ${readdirSync(folder).join(' ')}`)
  return steps
}

/** Spread over all of them, and others for each `n`: all pairs are some ten thousand. */
const threeOf = (steps: number, n: number): readonly number[] =>
  [0, 1, 2].map((third) => 1 + ((n * 7 + Math.floor((third * steps) / 3)) % steps))

describe('two that have the history open lose nothing, wherever one is held while the other goes on', () => {
  it.each(Object.entries(CASES))('when %s', async (_, each) => {
    const steps = await together(each, [Infinity])
    for (let one = 0; one <= steps.one; one += 1)
      await tally.tried(async () => {
        for (const other of [Infinity, ...threeOf(steps.other, one)]) await together(each, [one, other])
      })
    for (let other = 0; other <= steps.other; other += 1)
      await tally.tried(async () => {
        for (const one of [Infinity, ...threeOf(steps.one, other)]) await together(each, [0, other, one])
      })
  })
})
