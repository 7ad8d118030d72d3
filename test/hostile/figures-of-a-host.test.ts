import { describe, expect, it } from 'vitest'
import type * as z from 'zod'
import { engineVerbs } from '../../src/shared/engine-protocol.ts'
import { hostFailureFrom } from '../../src/shared/failure-data.ts'
import { JobReport, JournalEntry } from '../../src/shared/model/job.ts'
import { PrunePlan, RunReport } from '../../src/shared/model/policy.ts'
import { PolicyListing } from '../../src/shared/views/policy-view.ts'
import { AT, idOf, jobReport, runReport } from './reports.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('figures and times of a host')

const ODD_NUMBERS = [1.7e308, -1e308, -1, 2 ** 53 + 2, 1e-320, 0.5]
const ODD_TIMES = [
  '0000-01-01T00:00:00.000Z',
  '1970-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999Z',
  '2100-01-01T00:00:00Z'
]

const vm = { uuid: '4dea22b3-1d52-d8f3-2516-782e98ab3fa0', name: 'web1' }
const pause = { phase: 'memory', startedAt: AT, endedAt: AT, ms: 1, source: 'clock' as const }
const job = jobReport(1, {
  sizeBytes: 1,
  pauses: [pause],
  phases: [{ phase: 'copy', startedAt: AT, ms: 1 }],
  runningMs: 1,
  clock: { lateMs: 1, corrected: true },
  failure: { kind: 'no-room', path: '/', forWhat: 'x', neededBytes: 1, freeBytes: 1, claimedBytes: 1, reserveBytes: 1 }
})
const run = runReport(1, {
  scheduledFor: AT,
  nextRunAt: AT,
  missed: [{ at: AT, reason: 'off' }],
  missedCount: 1,
  vms: [{ vm, outcome: 'done', sizeBytes: 1, pauseMs: 1, durationMs: 1 }],
  pruned: { trashed: [], removed: [], memoryDropped: [], freedBytes: 1, refused: [] }
})
const fate = { id: idOf(1), takenAt: AT, sizeBytes: 1, keep: true, reasons: [], memory: 'none', freesBytes: 1 }

/** What a host may say, in which every number and time is put wrong, one at a time. */
const SAID: readonly (readonly [string, z.ZodType, unknown])[] = [
  ['a job', JobReport, job],
  ['a run', RunReport, run],
  ['a plan', PrunePlan, { vms: [{ vm, points: [fate] }], freesBytes: 1, trash: { points: 1, bytes: 1 } }],
  [
    'progress',
    JournalEntry,
    {
      n: 1,
      at: AT,
      type: 'progress',
      progress: { phase: 'x', doneBytes: 1, totalBytes: 1, bytesPerSecond: 1, secondsLeft: 1 }
    }
  ],
  ['the end of a step', JournalEntry, { n: 1, at: AT, type: 'step-done', step: 'x', ms: 1 }],
  ['a pause', JournalEntry, { n: 1, at: AT, type: 'pause', pause }],
  [
    'schedules',
    PolicyListing,
    {
      ...{ policies: [], broken: [], timeZone: 'UTC', parallel: 1, channels: {} },
      outbox: [{ id: 'a', channel: 'mail', subject: 's', at: AT, tries: 1, lastError: 'e', nextTryAt: AT }]
    }
  ],
  ['what was let go', engineVerbs['let-go'].result, { removed: [], freedBytes: 1, kept: [] }],
  [
    'what was verified',
    engineVerbs.verify.result,
    { point: idOf(1), good: true, checkedBytes: 1, problems: [], notes: [] }
  ],
  ['what was deleted', engineVerbs.delete.result, { freedBytes: 1 }],
  ['what has arrived', engineVerbs['import-state'].result, { have: { 'disks/vda.qcow2': 1 } }],
  ['marks', engineVerbs.mark.result, { pinned: true, verified: { at: AT, good: true } }]
]

type Path = readonly (string | number)[]

function leaves(value: unknown, path: Path = []): readonly (readonly [Path, 'number' | 'time'])[] {
  if (typeof value === 'number') return path.at(-1) === 'n' ? [] : [[path, 'number']]
  if (value === AT) return [[path, 'time']]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, each]) =>
    leaves(each, [...path, Array.isArray(value) ? Number(key) : key])
  )
}

function withOdd(value: unknown, [key, ...rest]: Path, odd: unknown): unknown {
  if (key === undefined) return odd
  const copy = structuredClone(value) as Record<string | number, unknown>
  copy[key] = withOdd(copy[key], rest, odd)
  return copy
}

const valueAt = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((of, key) => (of as Record<string | number, unknown>)[key], value)

const CASES = SAID.flatMap(([what, schema, value]) =>
  leaves(value).map(([path, kind]) => ({ what, schema, value, path, kind, name: path.join('.') }))
)

describe('what a host says of how much, how long and when', () => {
  it.each(CASES)('is within what can be: $name of $what', async ({ schema, value, path, kind }) => {
    for (const odd of kind === 'number' ? ODD_NUMBERS : ODD_TIMES)
      await tally.tried(() => {
        const read = valueAt(schema.parse(withOdd(value, path, odd)), path)
        if (kind === 'number') {
          expect(Math.abs(read as number)).toBeLessThanOrEqual(Number.MAX_SAFE_INTEGER)
          if (path.at(-1) !== 'lateMs') expect(read).toBeGreaterThanOrEqual(0)
        } else expect(Number((read as string).slice(0, 4))).toSatisfy((year: number) => year >= 2000 && year < 2100)
      })
  })

  it('may be all that its failures count', async () => {
    for (const odd of ODD_NUMBERS)
      for (const said of [
        { kind: 'timeout', what: 'x', afterMs: odd },
        { kind: 'output-too-large', what: 'x', limitBytes: odd },
        { kind: 'too-busy', vm: 'v', detail: 'd', budgetMs: odd },
        { kind: 'command-failed', command: 'c', exitCode: odd, stderr: '' }
      ])
        await tally.tried(() => {
          const numbers = Object.values(hostFailureFrom(said)).filter((each) => typeof each === 'number')
          expect(numbers).toHaveLength(1)
          numbers.forEach((each) => expect(Math.abs(each)).toBeLessThanOrEqual(Number.MAX_SAFE_INTEGER))
        })
  })
})
