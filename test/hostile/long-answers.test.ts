import { describe, expect, it } from 'vitest'
import { engineCall } from '../../src/main/core/engine-on-host/engine-call.ts'
import { ENGINE_LIMITS, MOST_ANSWERED } from '../../src/shared/engine-limits.ts'
import { engineVerbs, type EngineVerb } from '../../src/shared/engine-protocol.ts'
import { resultLines } from '../../src/shared/result-lines.ts'
import { fakeShell } from '../../src/shell/fake.ts'
import { FILES, manifestOf } from '../unit/store-points.ts'
import { idOf, jobReport, runReport } from './reports.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('long answers')

const AT = '2026-11-22T20:17:44.000Z'
const vm = { uuid: '4dea22b3-1d52-d8f3-2516-782e98ab3fa0', name: 'web1' }
const point = (n: number): object => ({ ...manifestOf(FILES), id: idOf(n) })
const fate = (n: number): object => ({
  id: idOf(n),
  takenAt: AT,
  sizeBytes: 1,
  keep: true,
  reasons: ['pinned'],
  memory: 'none',
  freesBytes: 0
})
const many = <T>(count: number, each: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => each(n))
const marksOf = (count: number): object => Object.fromEntries(many(count, (n) => [idOf(n), { pinned: false }]))
const listing = (points: unknown[], marks: object = {}, broken: unknown[] = []): object => ({ points, broken, marks })
const plan = (vms: unknown[]): object => ({ vms, freesBytes: 0, trash: { points: 0, bytes: 0 } })

/** What the engine answers, and how often whoever waits had a turn while it was taken. */
async function answered(verb: EngineVerb, value: unknown): Promise<{ result: unknown; turns: number }> {
  let turns = 0
  let isOver = false
  const turn = (): void => {
    turns += 1
    if (!isOver) setImmediate(turn)
  }
  const stdout = [...resultLines(value)].join('')
  const placed = { shell: fakeShell(() => ({ stdout })), host: 'alpha', node: '/n', engine: '/e' }
  turn()
  try {
    return { result: await engineCall(placed, verb, {}), turns }
  } finally {
    isOver = true
  }
}

type Answer = readonly [what: string, verb: EngineVerb, value: unknown, entries: number]

const LONG: readonly Answer[] = [
  ['points', 'points', listing(many(4000, point)), 4000],
  ['points and what is noted of each', 'points', listing(many(1500, point), marksOf(1500)), 3000],
  ['what is noted of points', 'points', listing([], marksOf(20_000)), 20_000],
  [
    'points that cannot be read',
    'points',
    listing(
      [],
      {},
      many(2000, (n) => ({ path: `/p/${n}`, reason: 'x' }))
    ),
    2000
  ],
  ['points of one VM in a plan', 'prune-plan', plan(many(30, () => ({ vm, points: many(300, fate) }))), 9000],
  ['VMs in a plan', 'prune-plan', plan(many(5000, () => ({ vm, points: [fate(1)] }))), 5000],
  ['jobs', 'jobs', many(4000, (n) => jobReport(n)), 4000],
  ['runs', 'runs', many(4000, (n) => runReport(n)), 4000]
]

describe('an answer of thousands', () => {
  it.each(LONG)('is taken in turns, and is the same as at once: %s', async (_, verb, value, entries) => {
    await tally.tried(async () => {
      const { result, turns } = await answered(verb, value)
      expect(result).toEqual(JSON.parse(JSON.stringify(engineVerbs[verb].result.parse(value))))
      expect(turns).toBeGreaterThan(entries / 400)
    })
  })

  const WRONG: readonly unknown[] = [null, 7, 'x', [], {}, { ...point(1), id: '../x' }, { ...point(1), extra: 1 }]
  it.each(WRONG)('is refused wherever one of them is wrong: %j', async (wrong) => {
    for (const at of [0, 199, 399])
      await tally.tried(async () => {
        const points = many<unknown>(400, point)
        points[at] = wrong
        await expect(answered('points', listing(points))).rejects.toMatchObject({
          failure: { kind: 'bad-output', detail: expect.stringContaining(`points[${at}]`) as string }
        })
      })
  })

  it.each([
    ['a list that is none', listing({ length: 5000 } as never)],
    ['an object for a list', listing(marksOf(500) as never)],
    ['a list for what is noted', listing([], many(500, point))],
    ['something noted of no point', listing([], { ...marksOf(500), '../x': {} })],
    ['something noted that is none', listing([], { ...marksOf(500), [idOf(600)]: 7 })],
    ['no list of what is broken', { points: many(500, point) }],
    ['more points than any host has', listing(many(MOST_ANSWERED.points + 1, () => 7))]
  ])('is refused as a whole: %s', async (_, value) => {
    await tally.tried(async () => {
      await expect(answered('points', value)).rejects.toMatchObject({ failure: { kind: 'bad-output' } })
    })
  })

  it('is cut where only its beginning counts', async () => {
    await tally.tried(async () => {
      const broken = many(ENGINE_LIMITS.brokenPoints + 500, (n) => ({ path: `/p/${n}`, reason: 'x' }))
      const { result } = await answered('points', listing([], {}, broken))
      expect(result).toEqual(listing([], {}, broken.slice(0, ENGINE_LIMITS.brokenPoints)))
    })
  })
})
