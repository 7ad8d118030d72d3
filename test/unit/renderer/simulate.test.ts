import { describe, expect, it } from 'vitest'
import { fatesGoing, totalsOf } from '../../../src/renderer/features/schedules/fate-view.ts'
import { countsOf, ladderOf } from '../../../src/renderer/features/schedules/ladder-view.ts'
import { fatesOfPoints, simulateYear, sizeOf } from '../../../src/renderer/features/schedules/simulate.ts'
import { planRetention, type RetainedPoint } from '../../../src/shared/retention/plan-retention.ts'
import { DEFAULT_KEEP, simplePreset } from '../../../src/shared/retention/presets.ts'
import { nextRuns, parseCalendar } from '../../../src/shared/schedule/calendar.ts'
import type { VmView } from '../../../src/shared/views/host-view.ts'
import { policyId } from './a-policy.ts'
import { aPoint, uuid } from './a-point.ts'
import { comesToAnEnd } from '../../patience.ts'

const GIB = 1024 ** 3
const now = new Date('2026-11-25T12:00:00Z')
const DISKS = [{ target: 'vda', source: '/images/web1.qcow2' }]
const SIZE = { sizeBytes: 10 * GIB, memoryBytes: 2 * GIB }
const year = (calendar: string, keep = DEFAULT_KEEP) => {
  const simulated = simulateYear(calendar, keep, 'Europe/Rome', SIZE, now)
  if (simulated === undefined) throw new Error('no run')
  return simulated
}
const keptOf = (calendar: string, keep = DEFAULT_KEEP) => year(calendar, keep).points

describe('a simulated year', () => {
  it('keeps what the rules say, and RAM in the newest alone', () => {
    const kept = keptOf('*-*-* 02:00:00')
    expect(Object.fromEntries(countsOf(kept))).toEqual({ last: 3, daily: 7, weekly: 4, monthly: 6 })
    expect(totalsOf(kept)).toMatchObject({ kept: 20, keptBytes: (3 * 10 + 17 * 8) * GIB, memoryDropped: 17 })
    // The night in which the clock leaps over 02:00 has none.
    expect(year('*-*-* 02:00:00').runCount).toBe(364)
  })

  it('is pruned after each run, as on the host', () => {
    const calendar = parseCalendar('*-*-* 02:00:00')
    if ('problem' in calendar) throw new Error(calendar.problem)
    const runs = nextRuns(calendar, 'Europe/Rome', now, 364)
    let there: RetainedPoint[] = []
    for (const at of runs) {
      const next = {
        id: at.toISOString(),
        takenAt: at.toISOString(),
        sizeBytes: 1,
        pinned: false,
        good: true,
        disks: DISKS
      }
      const fates = planRetention([...there, next], DEFAULT_KEEP, { timeZone: 'Europe/Rome' })
      const kept = new Set(fates.filter(({ keep }) => keep).map(({ id }) => id))
      there = [...there, next].filter(({ id }) => kept.has(id))
    }
    expect(there.map(({ takenAt }) => takenAt).toSorted()).toEqual(
      keptOf('*-*-* 02:00:00')
        .map(({ takenAt }) => takenAt)
        .toSorted()
    )
  })

  it('is drawn with its newest runs where they are very many', () => {
    const simulated = comesToAnEnd(() => year('*:0/1', simplePreset(4)))
    expect(simulated.runCount).toBe(365 * 24 * 60 - 61)
    expect(simulated.drawn).toBeLessThanOrEqual(3000)
    expect(simulated.points).toHaveLength(4)
    expect(simulated.points[0]?.takenAt.slice(0, 13)).toBe('2027-11-25T11')
  })

  it('is none where the calendar has no run', () => {
    expect(simulateYear('2020-01-01', DEFAULT_KEEP, 'UTC', SIZE, now)).toBeUndefined()
    expect(simulateYear('25:00', DEFAULT_KEEP, 'UTC', SIZE, now)).toBeUndefined()
  })
})

describe('the size of a point', () => {
  const vm = {
    uuid,
    name: 'web1',
    state: 'running',
    ramBytes: 4 * GIB,
    disks: [{ allocationBytes: 20 * GIB }]
  } as unknown as VmView
  it('is that of the newest one, else what disks and RAM take', () => {
    expect(sizeOf(vm, [])).toEqual({ sizeBytes: 24 * GIB, memoryBytes: 4 * GIB })
    expect(sizeOf({ ...vm, state: 'shut off' }, []).memoryBytes).toBe(0)
    const points = [
      aPoint({ takenAt: '2026-01-01T00:00:00.000Z', sizeBytes: 1 }),
      aPoint({ sizeBytes: 9 * GIB, memoryBytes: GIB })
    ]
    expect(sizeOf(vm, points)).toEqual({ sizeBytes: 9 * GIB, memoryBytes: GIB })
  })
})

describe('what becomes of the points there are', () => {
  const UTC = { timeZone: 'UTC' }
  const policy = { id: policyId, name: 'Every night' }
  const day = (n: number, change = {}) =>
    aPoint({ takenAt: `2026-11-${n}T02:00:00.000Z`, policy, memoryBytes: GIB, ...change })
  const at = { id: policyId, host: 'alpha', store: '/var/lib/stillpoint/points' }
  const points = [day(20), day(21), day(22), day(23), day(24, { marks: { pinned: true } }), aPoint()]

  it('counts this policy’s points in its store alone', () => {
    const [fate, ...more] = fatesOfPoints(points, at, simplePreset(3), UTC)
    expect(more).toEqual([])
    expect(fate?.points.map(({ keep }) => keep)).toEqual([true, true, true, true, false])
    expect(fatesOfPoints(points, { ...at, store: '/srv/other' }, simplePreset(3), UTC)).toEqual([])
    expect(fatesGoing(fate === undefined ? [] : [fate])).toHaveLength(1)
  })

  it('is drawn on a lane for each rule, by age', () => {
    const fates = fatesOfPoints(points, at, simplePreset(3), UTC).flatMap((vm) => vm.points)
    const { lanes, ticks } = ladderOf(fates, new Date('2026-11-24T02:00:00Z'))
    expect(lanes.map(({ rule, dots }) => [rule, dots.length])).toEqual([
      ['pinned', 1],
      ['last', 3],
      ['gone', 1]
    ])
    expect(lanes[0]?.dots[0]?.place).toBe(0)
    expect(lanes[2]?.dots[0]?.place).toBe(1)
    expect(ticks.map(({ label }) => label)).toEqual(['1 h', '1 d'])
  })
})
