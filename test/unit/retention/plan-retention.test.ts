import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KeepRules } from '../../../src/shared/model/policy.ts'
import { planRetention, type RetainedPoint } from '../../../src/shared/retention/plan-retention.ts'
import { DEFAULT_KEEP, simplePreset } from '../../../src/shared/retention/presets.ts'
import { counts, idAt, pointAt, survivingPoints, survivors } from './points.ts'

const plan = (points: readonly RetainedPoint[], rules: KeepRules): ReturnType<typeof planRetention> =>
  planRetention(points, rules, { timeZone: 'Europe/Rome' })
const nights = (count: number, change: (night: number) => Partial<RetainedPoint> = () => ({})): RetainedPoint[] =>
  Array.from({ length: count }, (_, night) =>
    pointAt(new Date(Date.UTC(2026, 10, 1 + night, 1)).toISOString(), change(night))
  )
const reasonsOf = (points: readonly RetainedPoint[], rules: KeepRules): string[][] =>
  plan(points, rules).map(({ reasons }) => reasons)

describe('what the rules say of a point', () => {
  it('names the rule, and of what goes that none keeps it', () => {
    const rules = counts({ last: 1, daily: 1, weekly: 1, monthly: 1 })
    expect(reasonsOf(nights(30), rules).slice(0, 3)).toEqual([
      ['last 1 of 1'],
      ['daily 2026-11-29'],
      ['no rule keeps it']
    ])
    expect(reasonsOf(nights(30), rules).flat()).toContain('weekly 2026-W47')
    expect(reasonsOf([pointAt('2026-11-24T12:30:00Z')], counts({ hourly: 1 }))).toEqual([['hourly 2026-11-24 13:00']])
    expect(reasonsOf([pointAt('2026-12-31T23:30:00Z')], counts({ yearly: 1 }))).toEqual([['yearly 2027']])
    expect(reasonsOf([pointAt('2026-12-31T23:30:00Z')], counts({ monthly: 1 }))).toEqual([['monthly 2027-01']])
  })

  it('keeps everything where nothing is counted', () =>
    expect(reasonsOf(nights(2), counts({}))).toEqual(Array(2).fill(['no rule limits how long points stay'])))

  it('keeps the floor whatever the rules say, and says so', () =>
    expect(reasonsOf(nights(5), { last: 1, floor: 3, graceHours: 0 })).toEqual([
      ['last 1 of 1'],
      ['one of the last 3 good points'],
      ['one of the last 3 good points'],
      ['no rule keeps it'],
      ['no rule keeps it']
    ]))

  it('keeps what is pinned, which uses up no count', () => {
    const points = nights(4, (night) => ({ pinned: night === 0 || night === 3 }))
    expect(reasonsOf(points, counts({ last: 1 }))).toEqual([
      ['pinned'],
      ['last 1 of 1'],
      ['no rule keeps it'],
      ['pinned']
    ])
  })

  it('counts no damaged point, and lets one go only when enough good ones are newer', () => {
    const points = nights(6, (night) => ({ good: night !== 1 && night !== 4 }))
    expect(reasonsOf(points, { last: 2, floor: 3, graceHours: 0 })).toEqual([
      ['last 1 of 2'],
      ['damaged, but fewer than 3 good points are newer'],
      ['last 2 of 2'],
      ['one of the last 3 good points'],
      ['damaged, and 3 good points are newer'],
      ['no rule keeps it']
    ])
  })

  it('keeps what a kept point is built on, all the way down', () => {
    const points = nights(4, (night) => (night === 0 ? {} : { parent: idAt(`2026-11-0${night}T01:00:00Z`) }))
    expect(reasonsOf(points, counts({ last: 1 }))).toEqual([
      ['last 1 of 1'],
      ['20261104T010000Z-000000 is built on it'],
      ['20261103T010000Z-000000 is built on it'],
      ['20261102T010000Z-000000 is built on it']
    ])
  })

  it('survives a parent that is its own', () => {
    const loop = nights(2, (night) => ({ parent: idAt(`2026-11-0${2 - night}T01:00:00Z`) }))
    expect(reasonsOf(loop, counts({ last: 1 })).map((reasons) => reasons.length)).toEqual([1, 1])
  })

  it('leaves RAM in the newest points that have some, and in pinned and damaged ones', () => {
    const points = nights(7, (night) => ({
      ...(night !== 6 && { memoryBytes: 400 }),
      pinned: night === 0,
      good: night !== 1
    }))
    expect(plan(points, counts({ last: 5, memory: 2, floor: 6 })).map(({ memory }) => memory)).toEqual([
      'none',
      'kept',
      'kept',
      'dropped',
      'dropped',
      'kept',
      'kept'
    ])
  })

  it('says what room it makes: all of a point that goes, the RAM of one that stays without', () => {
    const points = nights(3, () => ({ memoryBytes: 400 }))
    expect(plan(points, counts({ last: 2, memory: 1 })).map(({ freesBytes }) => freesBytes)).toEqual([0, 400, 1000])
    expect(plan(points, counts({})).map(({ freesBytes }) => freesBytes)).toEqual([0, 0, 0])
  })
})

describe('the calendar of the host', () => {
  it('decides which day it is', () => {
    const points = [pointAt('2026-11-23T22:30:00Z'), pointAt('2026-11-23T23:30:00Z')]
    expect(survivors(points, counts({ daily: 5 }), 'UTC')).toEqual(['2026-11-23T23:30:00Z'])
    expect(survivors(points, counts({ daily: 5 }), 'Europe/Rome')).toHaveLength(2)
  })

  it('has weeks that begin on Monday, and a week 53', () => {
    const days = ['2026-12-27', '2026-12-28', '2026-12-31', '2027-01-03', '2027-01-04'].map((day) =>
      pointAt(`${day}T12:00:00Z`)
    )
    expect(reasonsOf(days, counts({ weekly: 3 }))).toEqual([
      ['weekly 2027-W01'],
      ['weekly 2026-W53'],
      ['no rule keeps it'],
      ['no rule keeps it'],
      ['weekly 2026-W52']
    ])
  })

  it('takes the hour that autumn has twice for one', () =>
    expect(
      survivors(
        [pointAt('2026-10-25T00:30:00Z'), pointAt('2026-10-25T01:30:00Z')],
        counts({ hourly: 5 }),
        'Europe/Rome'
      )
    ).toEqual(['2026-10-25T01:30:00Z']))
})

describe('the presets', () => {
  it('simple keeps the last so many, as the seed did', () => {
    for (const last of [1, 2, 3, 4]) expect(survivingPoints(nights(9), simplePreset(last))).toHaveLength(last)
    expect([1, 2, 3, 4].map((last) => simplePreset(last).floor)).toEqual([1, 2, 3, 3])
  })

  it('are rules that a policy takes', () => {
    for (const rules of [simplePreset(1), DEFAULT_KEEP]) expect(KeepRules.parse(rules)).toEqual(rules)
  })
})

const HOUR_MS = 3_600_000
const START = Date.UTC(2026, 1, 1)
const someRules = fc
  .record(
    Object.fromEntries(
      ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly', 'memory'].map((rule) => [rule, fc.nat(6)])
    ),
    { requiredKeys: [] }
  )
  .chain((rules) => fc.integer({ min: 1, max: 5 }).map((floor): KeepRules => ({ ...rules, floor, graceHours: 24 })))
const somePoints = fc
  .uniqueArray(
    fc.record({
      hour: fc.nat(24 * 400),
      pinned: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
      good: fc.integer({ min: 0, max: 5 }).map((dice) => dice > 0),
      memoryBytes: fc.option(fc.constant(400), { nil: undefined })
    }),
    { maxLength: 60, selector: ({ hour }) => hour }
  )
  .map((all) =>
    all.map(({ hour, ...point }) => pointAt(new Date(START + hour * HOUR_MS + 900_000).toISOString(), point))
  )
const runs = { numRuns: 400 }
const goodOf = (points: readonly RetainedPoint[]): RetainedPoint[] => points.filter(({ good }) => good)

describe('whatever the points and the rules are', () => {
  it('each point gets one fate, and a reason', () =>
    fc.assert(
      fc.property(somePoints, someRules, (points, rules) => {
        const fates = plan(points, rules)
        expect(fates.map(({ id }) => id).sort()).toEqual(points.map(({ id }) => id).sort())
        for (const { reasons } of fates) expect(reasons.length).toBeGreaterThan(0)
      }),
      runs
    ))

  it('doing it twice changes nothing more', () =>
    fc.assert(
      fc.property(somePoints, someRules, (points, rules) => {
        const once = survivingPoints(points, rules)
        expect(survivingPoints(once, rules)).toEqual(once)
        const without = new Set(plan(once, rules).flatMap(({ id, memory }) => (memory === 'dropped' ? [id] : [])))
        const dropped = once.map((point) => (without.has(point.id) ? { ...point, memoryBytes: undefined } : point))
        expect(plan(dropped, rules).filter(({ memory }) => memory === 'dropped')).toEqual([])
      }),
      runs
    ))

  it('never fewer good points than the floor stay, and the newest good one always does', () =>
    fc.assert(
      fc.property(somePoints, someRules, (points, rules) => {
        const kept = goodOf(survivingPoints(points, rules))
        const good = goodOf(points).sort((a, b) => a.takenAt.localeCompare(b.takenAt))
        expect(kept.length).toBeGreaterThanOrEqual(Math.min(rules.floor, good.length))
        expect(kept).toEqual(expect.arrayContaining(good.slice(-rules.floor)))
      }),
      runs
    ))

  it('what is pinned stays, with its RAM', () =>
    fc.assert(
      fc.property(somePoints, someRules, (points, rules) => {
        const pinned = new Set(points.filter((point) => point.pinned).map(({ id }) => id))
        for (const fate of plan(points, rules).filter(({ id }) => pinned.has(id)))
          expect(fate).toMatchObject({ keep: true, freesBytes: 0 })
      }),
      runs
    ))

  it('a damaged point goes only if enough good ones are newer', () =>
    fc.assert(
      fc.property(somePoints, someRules, (points, rules) => {
        const kept = new Set(survivingPoints(points, rules).map(({ id }) => id))
        for (const gone of points.filter(({ id, good }) => !good && !kept.has(id)))
          expect(goodOf(points).filter(({ takenAt }) => takenAt > gone.takenAt).length).toBeGreaterThanOrEqual(
            rules.floor
          )
      }),
      runs
    ))

  /** Weeks do not lie within months: there counting anew can take another point of a week that two months share. */
  it('a newer point brings none back that went, where periods lie within each other', () =>
    fc.assert(
      fc.property(somePoints, someRules, fc.nat(2000), (points, rules, later) => {
        const nested = { ...rules, weekly: 0 }
        const next = pointAt(new Date(START + (24 * 400 + later) * HOUR_MS).toISOString())
        const before = new Set(survivingPoints(points, nested).map(({ id }) => id))
        for (const { id } of survivingPoints([...points, next], nested))
          expect(id === next.id || before.has(id)).toBe(true)
      }),
      runs
    ))

  it('a newer point that is damaged changes nothing for the others', () =>
    fc.assert(
      fc.property(somePoints, someRules, (points, rules) => {
        const next = pointAt(new Date(START + 24 * 401 * HOUR_MS).toISOString(), { good: false })
        expect(survivingPoints([...points, next], rules)).toEqual([...survivingPoints(points, rules), next])
      }),
      runs
    ))
})
