import { describe, expect, it } from 'vitest'
import { failureFrom, hostFailureFrom } from '../../src/shared/failure-data.ts'
import { describeFailure } from '../../src/shared/failure-words.ts'
import { growthOf, longestPieceMs } from './cpu-time.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('failures without end')

const many = <T>(count: number, each: T): T[] => Array.from({ length: count }, () => each)
/** Each of these takes eight times its room when it is shown. */
const odd = '\u202e'
const left = (count: number, mend: string[]): unknown => ({
  kind: 'left-behind',
  vm: 'web1',
  left: many(count, { path: 'p'.repeat(4000), because: odd.repeat(16_000), mend })
})

/** So many of whatever a failure can have many of. */
const LONG: Readonly<Record<string, (count: number) => unknown>> = {
  'what stands in the way': (count) => ({
    kind: 'preflight',
    problems: many(count, { text: odd.repeat(16_300), fix: '' })
  }),
  'what to do about that': (count) => ({
    kind: 'preflight',
    problems: many(count, { text: '', fix: 'f'.repeat(16_300) })
  }),
  'what is left behind': (count) => left(count, []),
  'lines that mend it': (count) => ({
    kind: 'left-behind',
    vm: 'v',
    left: [{ path: 'p', because: 'b', mend: many(count, 'm'.repeat(65_000)) }]
  }),
  'short lines that mend it': (count) => left(count, many(count, 'm')),
  'why that is so': (count) => ({ ...(left(count, ['m']) as object), after: LONG['what stands in the way']?.(count) }),
  devices: (count) => ({ kind: 'state-not-savable', vm: 'v', devices: many(count, odd.repeat(4000)) }),
  disks: (count) => ({
    kind: 'no-disks',
    vm: 'v',
    leftOut: many(count, { target: 't'.repeat(4000), because: odd.repeat(4000) })
  }),
  'points to delete': (count) => ({
    kind: 'no-room',
    path: '/srv',
    forWhat: 'it',
    neededBytes: 1,
    freeBytes: 0,
    deletable: many(count, { point: odd.repeat(4000), vm: odd.repeat(4000), takenAt: 'then', sizeBytes: 1 })
  }),
  'what is there in place of them': (count) => ({
    kind: 'ambiguous',
    what: 'vm',
    name: 'v',
    candidates: many(count, odd.repeat(4000))
  })
}

const charactersOf = (value: unknown): number => JSON.stringify(value).length

describe('a failure with more in it than anybody can read', () => {
  it.each(Object.keys(LONG))('is held, told and shown in short: %s', async (what) => {
    for (const count of [1, 10, 100, 1000, 3000])
      await tally.tried(() => {
        const failure = failureFrom(LONG[what]?.(count))
        expect(charactersOf(failure)).toBeLessThan(96 << 10)
        expect(failure.kind).toBe((LONG[what]?.(1) as { kind: string }).kind)
        expect(failureFrom(failure)).toEqual(failure)
        expect(charactersOf(describeFailure(failure))).toBeLessThan(64 << 10)
      })
  })

  it.each(Object.keys(LONG))('holds nobody up while it is read, and put into words: %s', async (what) => {
    await tally.tried(async () => {
      const failure = LONG[what]?.(1000)
      expect(await longestPieceMs(() => () => describeFailure(failureFrom(failure)))).toBeLessThan(50)
    })
  })

  it.each(Object.keys(LONG))('makes no more than twice the work with twice as much in it: %s', async (what) => {
    await tally.tried(() => {
      const reading = (count: number): (() => unknown) => {
        const failure = LONG[what]?.(count)
        return () => describeFailure(hostFailureFrom(failure))
      }
      expect(growthOf(reading, 500)).toBeLessThan(3)
    })
  })

  it('says how many more there are, and cuts no line to type', async () => {
    await tally.tried(() => {
      const mend = many(1000, 'x'.repeat(100))
      const failure = failureFrom({ kind: 'left-behind', vm: 'v', left: [{ path: 'p', because: 'b', mend }] })
      const lines = describeFailure(failure).nextStep.split('\n')
      expect(lines.slice(0, -1)).toEqual(mend.slice(0, lines.length - 1))
      expect(lines.at(-1)).toContain(`# ${1000 - lines.length + 1} more lines`)
    })
  })

  it('is whole where it is as long as an honest one', () => {
    const problems = many(120, {
      text: 'The disk vda of this VM is on a file system that has no room left.',
      fix: 'df -h'
    })
    const failure = { kind: 'preflight', problems }
    expect(failureFrom(failure)).toEqual(failure)
    expect(describeFailure(failureFrom(failure)).explanation.split('\n')).toHaveLength(120)
  })
})
