import { describe, expect, it } from 'vitest'
import { dayAt, timeAt } from '../../../src/renderer/features/vm/axis.ts'
import {
  byteScale,
  downtimeRows,
  logScale,
  sizeRows,
  stepShown,
  valuesOf
} from '../../../src/renderer/features/vm/trend-view.ts'
import type { JobView } from '../../../src/shared/views/job-view.ts'
import { aPoint, uuid } from './a-point.ts'

const GIB = 1024 ** 3
const job = (change: Partial<JobView>): JobView => ({
  id: '20261121T000000Z-000001',
  kind: 'backup',
  host: 'alpha',
  vm: { uuid, name: 'web1' },
  state: 'done',
  startedAt: '2026-11-21T00:00:00.000Z',
  endedAt: '2026-11-21T00:01:00.000Z',
  pauses: [],
  pauseMs: 40,
  phases: [],
  warnings: [],
  retryable: false,
  ...change
})
const at = Date.parse

describe('how long a VM stood still over time', () => {
  it('is told by its points, oldest first, beside what the classic method would have cost', () => {
    const rows = downtimeRows(
      [aPoint({ takenAt: '2026-11-23T00:00:00.000Z' }), aPoint({ takenAt: '2026-11-22T00:00:00.000Z', pauseMs: 51 })],
      [],
      GIB
    )
    expect(rows).toEqual([
      { at: at('2026-11-22T00:00:00.000Z'), pauseMs: 51, classicMs: 3300 },
      { at: at('2026-11-23T00:00:00.000Z'), pauseMs: 48, classicMs: 3300 }
    ])
  })

  it('counts backups whose points are gone, and no backup twice', () => {
    const point = aPoint()
    const jobs = [job({ point: point.id }), job({ point: '20261101T000000Z-00000a' })]
    expect(downtimeRows([point], jobs, undefined).map(({ pauseMs }) => pauseMs)).toEqual([40, 48])
  })

  it('leaves out what failed, and points of a VM that was off', () => {
    const jobs = [job({ state: 'failed-clean', point: 'x' })]
    expect(downtimeRows([aPoint({ method: 'offline', pauseMs: 0 })], jobs, GIB)).toEqual([])
  })

  it('includes how long restores took until the VM ran', () => {
    const restores = [job({ kind: 'restore', runningMs: 1100 }), job({ kind: 'restore', mode: 'define' })]
    expect(downtimeRows([], restores, GIB)).toEqual([{ at: at('2026-11-21T00:00:00.000Z'), runningMs: 1100 }])
  })

  it('has a scale in powers of ten around all of it, the budget included', () => {
    expect(logScale(valuesOf([{ at: 0, pauseMs: 48, classicMs: 3300 }], 300))).toEqual({
      domain: [10, 10_000],
      ticks: [10, 100, 1000, 10_000]
    })
    expect([10, 1000, 100_000].map(stepShown)).toEqual(['10 ms', '1 s', '100 s'])
    expect(logScale([4]).domain).toEqual([1, 100])
    expect(logScale([]).domain).toEqual([10, 100])
  })
})

describe('the size of points over time', () => {
  it('goes from the oldest to the newest', () => {
    const [a, b] = [aPoint({ takenAt: '2026-11-23T00:00:00.000Z' }), aPoint({ takenAt: '2026-11-22T00:00:00.000Z' })]
    expect(sizeRows([a, b]).map((row) => row.at)).toEqual([at(b.takenAt), at(a.takenAt)])
  })

  it('has a scale in round sizes from nothing', () => {
    expect(byteScale([30 * GIB])).toEqual({ domain: [0, 32 * GIB], ticks: [0, 8, 16, 24, 32].map((n) => n * GIB) })
    expect(byteScale([5 * GIB]).domain).toEqual([0, 6 * GIB])
    expect(byteScale([]).domain[1]).toBeGreaterThan(0)
  })

  it('has no label for what is no time yet', () => {
    expect([dayAt(undefined), timeAt(Number.NaN), timeAt('dataMin')]).toEqual(['', '', ''])
    expect(dayAt(at('2026-11-22T12:00:00Z'))).toBe('22 Nov')
  })
})
