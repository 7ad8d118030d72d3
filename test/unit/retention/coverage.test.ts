import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { KeepRules } from '../../../src/shared/model/policy.ts'
import { flawsOf, type HeldDisk } from '../../../src/shared/retention/coverage.ts'
import { planRetention, type RetainedPoint } from '../../../src/shared/retention/plan-retention.ts'
import { counts, idAt, pointAt, survivingPoints } from './points.ts'

const disk = (target: string, source = `/images/${target}.qcow2`): HeldDisk => ({ target, source })
const night = (n: number, disks: readonly HeldDisk[], change: Partial<RetainedPoint> = {}): RetainedPoint =>
  pointAt(`2026-11-${String(n).padStart(2, '0')}T02:00:00Z`, { disks, ...change })
const flaws = (points: readonly RetainedPoint[], excludeDisks?: readonly string[]): (string | undefined)[] => {
  const all = flawsOf(points, excludeDisks)
  return points.map(({ id }) => all.get(id))
}
const [vda, vdb] = [disk('vda'), disk('vdb')]

// engine.md finding 8
describe('a point is a whole one', () => {
  it('if it holds every disk that good points before it hold', () =>
    expect(flaws([night(1, [vda, vdb]), night(2, [vda]), night(3, []), night(4, [vda, vdb])])).toEqual([
      undefined,
      'without vdb',
      'without a disk',
      undefined
    ]))

  it('also if its VM has got a disk since: those before it held all that there was', () =>
    expect(flaws([night(1, [vda]), night(2, [vda, vdb]), night(3, [vda])])).toEqual([
      undefined,
      undefined,
      'without vdb'
    ]))

  it('if what it lacks is left out by the policy', () =>
    expect(flaws([night(1, [vda, vdb]), night(2, [vda]), night(3, [])], ['vdb'])).toEqual([
      undefined,
      undefined,
      'without a disk'
    ]))

  it('whatever a disk is called or where it lies now, if it is the same', () => {
    const renamed = disk('sda', vda.source)
    const restored = disk('sda', '/images/restored.qcow2')
    expect(flaws([night(1, [vda]), night(2, [renamed]), night(3, [restored]), night(4, [vdb])])).toEqual([
      undefined,
      undefined,
      undefined,
      'without sda'
    ])
  })

  it.each<[string, HeldDisk[], string | undefined]>([
    [
      'the log disk has moved up to the target of one that is gone',
      [disk('vda'), disk('vdb', '/images/vdc.qcow2')],
      'vdb (/images/vdb.qcow2)'
    ],
    [
      'and a new one has the old target of the log disk',
      [disk('vda'), disk('vdb', '/images/vdc.qcow2'), disk('vdc', '/images/empty.qcow2')],
      'vdb (/images/vdb.qcow2)'
    ],
    [
      'all targets have changed places',
      [disk('vdc', vda.source), disk('vda', vdb.source), disk('vdb', '/images/vdc.qcow2')],
      undefined
    ],
    ['one image was moved', [vda, disk('vdb', '/elsewhere/vdb.qcow2'), disk('vdc')], undefined],
    [
      'all images lie elsewhere, as after a restore',
      ['vda', 'vdb', 'vdc'].map((name) => disk(name, `/new/${name}`)),
      undefined
    ],
    [
      'one was moved and another has a new target',
      [vda, disk('vdb', '/elsewhere/vdb.qcow2'), disk('vdd', '/images/vdc.qcow2')],
      undefined
    ]
  ])('disk by disk: %s', (_, now, lacks) => {
    const before = [vda, vdb, disk('vdc')]
    const flaw = lacks && `without ${lacks}`
    expect(flaws([night(1, before), night(2, now), night(3, now)])).toEqual([undefined, flaw, flaw])
  })

  it('not for a disk that came later to the target of one that it lacks', () => {
    const moved = [vda, disk('vdb', '/images/vdc.qcow2')]
    const anew = [vda, disk('vdb', '/images/log-anew.qcow2')]
    const back = [...anew, disk('vdc', vdb.source)]
    expect(flaws([night(1, [vda, vdb, disk('vdc')]), night(2, moved), night(3, anew), night(4, back)])).toEqual([
      undefined,
      'without vdb (/images/vdb.qcow2)',
      'without vdb (/images/vdb.qcow2)',
      undefined
    ])
  })

  it('whatever a damaged point is said to hold', () =>
    expect(flaws([night(1, [vda, vdb], { good: false }), night(2, [vda])])).toEqual(['damaged', undefined]))
})

describe('points that lack a disk', () => {
  const rules = counts({ last: 2, floor: 2 })
  const kept = (points: readonly RetainedPoint[], excludeDisks?: readonly string[]): string[] =>
    planRetention(points, rules, { timeZone: 'UTC', excludeDisks }).flatMap(({ id, keep }) => (keep ? [id] : []))
  const whole = [night(1, [vda, vdb]), night(2, [vda, vdb]), night(3, [vda, vdb])]
  const lacking = [4, 5, 6, 7].map((n) => night(n, [vda]))

  it('push out none that has it, and count for no rule', () =>
    expect(kept([...whole, ...lacking])).toEqual([7, 6, 5, 4, 3, 2].map((n) => idAt(`2026-11-0${n}T02:00:00Z`))))

  it('say what they lack, and go once enough whole ones are newer', () => {
    const points = [...whole, ...lacking, night(8, [vda, vdb]), night(9, [vda, vdb])]
    const fates = planRetention(points, rules, { timeZone: 'UTC' })
    expect(fates.map(({ reasons }) => reasons[0])).toEqual([
      'last 1 of 2',
      'last 2 of 2',
      ...Array<string>(4).fill('without vdb, and 2 good points are newer'),
      ...Array<string>(3).fill('no rule keeps it')
    ])
    expect(planRetention([...whole, ...lacking], rules, { timeZone: 'UTC' })[0]?.reasons).toEqual([
      'without vdb, but fewer than 2 good points are newer'
    ])
  })

  it('push out none that has it, also where another disk has its target now', () => {
    const before = [1, 2, 3].map((n) => night(n, [vda, vdb, disk('vdc')]))
    const after = [4, 5, 6, 7].map((n) => night(n, [vda, disk('vdb', '/images/vdc.qcow2')]))
    expect(kept([...before, ...after])).toEqual([7, 6, 5, 4, 3, 2].map((n) => idAt(`2026-11-0${n}T02:00:00Z`)))
  })

  it('are as good as any once the policy leaves that disk out', () =>
    expect(kept([...whole, ...lacking], ['vdb'])).toEqual([7, 6].map((n) => idAt(`2026-11-0${n}T02:00:00Z`))))
})

const someRules = fc
  .record({ last: fc.nat(4), daily: fc.nat(4), floor: fc.integer({ min: 1, max: 4 }) })
  .map((rules): KeepRules => ({ ...rules, graceHours: 24 }))
const somePoints = fc.array(
  fc.record({
    disks: fc.subarray([vda, vdb, disk('vdc'), disk('sda', vda.source)]),
    good: fc.integer({ min: 0, max: 5 }).map((dice) => dice > 0),
    pinned: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0)
  }),
  { maxLength: 28 }
)
const made = (points: readonly Partial<RetainedPoint>[]): RetainedPoint[] =>
  points.map(({ disks = [], ...change }, index) => night(index + 1, disks, change))

describe('whatever points hold', () => {
  it('what one of them had is still in one of them', () =>
    fc.assert(
      fc.property(somePoints, someRules, (some, rules) => {
        const points = made(some)
        const held = (all: readonly RetainedPoint[]): string[] => [
          ...new Set(all.flatMap(({ good, disks }) => (good ? disks.map(({ source }) => source) : [])))
        ]
        expect(held(survivingPoints(points, rules)).sort()).toEqual(held(points).sort())
      })
    ))

  it('as many whole ones stay as the floor wants, or as there were', () =>
    fc.assert(
      fc.property(somePoints, someRules, (some, rules) => {
        const points = made(some)
        const all = flawsOf(points)
        const whole = points.filter(({ id }) => !all.has(id))
        expect(survivingPoints(points, rules)).toEqual(expect.arrayContaining(whole.slice(-rules.floor)))
      })
    ))

  it('pruning twice is pruning once', () =>
    fc.assert(
      fc.property(somePoints, someRules, (some, rules) => {
        const once = survivingPoints(made(some), rules)
        expect(survivingPoints(once, rules)).toEqual(once)
      })
    ))
})
