import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cell, downtimeCsv } from '../../../src/renderer/features/downtime/csv.ts'
import { dotsOf, offChart, scaleOf, thinned } from '../../../src/renderer/features/downtime/dots.ts'
import {
  ALL_DOWNTIMES,
  figuresOf,
  filtered,
  hostsOf,
  isOverBudget
} from '../../../src/renderer/features/downtime/downtime-view.ts'
import { tickText, timeTicks } from '../../../src/renderer/features/downtime/time-ticks.ts'
import type { Downtime } from '../../../src/shared/downtimes.ts'

const now = new Date('2026-11-25T00:00:00.000Z')
const entry = (more: Partial<Downtime> = {}): Downtime => ({
  kind: 'backup',
  vm: 'web1',
  vmUuid: '00000001-0000-4000-8000-000000000001',
  host: 'alpha',
  at: '2026-11-24T20:00:00.000Z',
  point: '20261124T200000Z-000001',
  method: 'live',
  pauses: [{ phase: 'memory', ms: 48.25 }],
  pauseMs: 48.25,
  phases: [],
  ...more
})
const restore = entry({ kind: 'restore', mode: 'resume', runningMs: 1200, pauses: [], pauseMs: 0 })
const offline = entry({ method: 'offline', pauseMs: 0, pauses: [] })

describe('downtimes that are shown', () => {
  const old = entry({ at: '2026-10-01T00:00:00.000Z', vm: 'Mail', host: 'beta' })

  it('are narrowed by host, VM, kind and period', () => {
    const all = [entry(), restore, old]
    const countWith = (filter: object): number => filtered(all, { ...ALL_DOWNTIMES, ...filter }, now).length
    expect(countWith({})).toBe(3)
    expect(countWith({ host: 'beta' })).toBe(1)
    expect(countWith({ vm: ' mail ' })).toBe(1)
    expect(countWith({ vm: entry().vmUuid })).toBe(3)
    expect(countWith({ kind: 'restore' })).toBe(1)
    expect(countWith({ days: 30 })).toBe(2)
    expect(hostsOf(all)).toEqual(['alpha', 'beta'])
  })
})

describe('figures of what is shown', () => {
  const withPauses = (...all: number[]): readonly Downtime[] => all.map((pauseMs) => entry({ pauseMs }))

  it('are median, worst and how many are over the budget', () => {
    expect(figuresOf(withPauses(40, 400, 50), 'backup', 300)).toMatchObject({
      count: 3,
      medianMs: 50,
      worstMs: 400,
      overBudget: 1
    })
    expect(figuresOf(withPauses(40, 60), 'backup', 300)).toMatchObject({ medianMs: 50, overBudget: 0 })
    expect(figuresOf(withPauses(300), 'backup', 300)?.overBudget).toBe(0)
  })

  it('leave out VMs that were shut off, and are nothing where nothing was measured', () => {
    expect(figuresOf([offline, ...withPauses(7)], 'backup', 300)).toMatchObject({ count: 1, medianMs: 7 })
    expect(figuresOf([offline], 'backup', 300)).toBeUndefined()
    expect(figuresOf([restore], 'restore', 300)).toMatchObject({ medianMs: 1200 })
  })

  it('hold only backups to the budget', () => {
    expect(isOverBudget(entry({ pauseMs: 301 }), 300)).toBe(true)
    expect(isOverBudget(restore, 300)).toBe(false)
    expect(isOverBudget(offline, 300)).toBe(false)
  })
})

describe('the chart', () => {
  it('has powers of ten that hold every dot and the budget', () => {
    const dots = dotsOf([entry({ pauseMs: 12 }), restore, offline], now)
    expect(dots).toHaveLength(2)
    expect(scaleOf(dots, 300)).toMatchObject({ lowMs: 10, highMs: 10_000, ticksMs: [10, 100, 1000, 10_000] })
    expect(scaleOf(dotsOf([entry({ pauseMs: 100 })], now), 100)).toMatchObject({ lowMs: 100, highMs: 1000 })
  })

  it('shows a pause of nothing at its lower edge: there is no logarithm of it', () => {
    expect(dotsOf([entry({ method: 'disk', pauseMs: 0 })], now)[0]?.ms).toBe(1)
  })

  it('keeps the longest of those on one spot, and counts the others', () => {
    const dots = dotsOf([entry({ pauseMs: 48 }), entry({ pauseMs: 48.1 }), entry({ pauseMs: 300 })], now)
    const drawn = thinned(dots, scaleOf(dots, 300), 100, 50)
    expect(drawn.map(({ ms, hidden }) => [ms, hidden])).toEqual([
      [48.1, 1],
      [300, 0]
    ])
  })

  it.each([
    ['of the year 0', { at: '0000-01-01T00:00:00.000Z' }],
    ['of the year 9999', { at: '9999-12-31T23:59:59.999Z' }],
    ['of the next month', { at: '2026-12-25T00:00:00.000Z' }],
    ['of the time before this', { at: '2000-01-01T00:00:00.000Z' }],
    ['that took longer than the world is old', { pauseMs: 1.7e308 }]
  ])('is drawn out by no entry %s: the marks of the others stay where they are', (_, odd) => {
    const good = Array.from({ length: 300 }, (__, n) =>
      entry({ at: new Date(now.getTime() - n * 3_600_000).toISOString(), pauseMs: 40 + n })
    )
    const drawn = (all: readonly Downtime[]): number => {
      const dots = dotsOf(all, now)
      const scale = scaleOf(dots, 300)
      expect(scale.ticksMs.length).toBeLessThan(10)
      expect(timeTicks(scale).length).toBeLessThan(20)
      return new Set(thinned(dots, scale, 260, 90).filter(({ entry: { host } }) => host === 'alpha')).size
    }
    const alone = drawn(good)
    const bad = entry({ host: 'evil', ...odd })
    expect(drawn([...good, bad])).toBeGreaterThan(alone * 0.6)
    expect(offChart([...good, bad], now)).toBe('at' in odd ? 1 : 0)
  })

  it('loses nothing by thinning, whatever there is', () => {
    const some = fc.record({ pauseMs: fc.double({ min: 0, max: 1e7, noNaN: true }), hours: fc.nat(5000) })
    fc.assert(
      fc.property(fc.array(some, { minLength: 1, maxLength: 200 }), (all) => {
        const at = (hours: number): string => new Date(now.getTime() - hours * 3_600_000).toISOString()
        const dots = dotsOf(
          all.map(({ pauseMs, hours }) => entry({ pauseMs, at: at(hours) })),
          now
        )
        const drawn = thinned(dots, scaleOf(dots, 300), 20, 10)
        expect(drawn.length).toBeLessThanOrEqual(200)
        expect(drawn.reduce((sum, { hidden }) => sum + hidden + 1, 0)).toBe(dots.length)
      })
    )
  })
})

describe('moments under the chart', () => {
  const span = (days: number) => ({ fromAt: now.getTime() - days * 24 * 3_600_000, toAt: now.getTime() })

  it.each([0.2, 1, 2, 10, 30, 90, 400, 4000])('over %d days are a handful, and all within', (days) => {
    const ticks = timeTicks(span(days))
    expect(ticks.length).toBeGreaterThanOrEqual(1)
    expect(ticks.length).toBeLessThanOrEqual(8)
    expect(ticks.every((at) => at >= span(days).fromAt && at <= span(days).toAt)).toBe(true)
  })

  it('are midnights of this time zone, named by their day, or hours with their time', () => {
    expect(timeTicks(span(20)).map((at) => new Date(at).getHours())).toEqual(timeTicks(span(20)).map(() => 0))
    expect(tickText(now.getTime(), span(20))).toMatch(/^\d{4}-\d\d-\d\d$/)
    expect(tickText(now.getTime(), span(1))).toMatch(/^\d\d-\d\d \d\d:\d\d$/)
  })
})

describe('the file for spreadsheets', () => {
  it.each([
    ['web1', 'web1'],
    ['a,b', '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ['two\nlines', 'two\\u{a}lines'],
    ['=1+1', "'=1+1"],
    ['+49', "'+49"],
    ['-rf', "'-rf"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', '\\u{9}=1'],
    ['＝1+1', "'＝1+1"],
    ['a;=1+1', "a;'=1+1"],
    ['  @x', "  '@x"],
    ['=cmd("x,y")', `"'=cmd(""x,y"")"`]
  ])('writes %j as %j', (text, written) => expect(cell(text)).toBe(written))

  it('has a head, a line for each entry, and ends each with CR LF', () => {
    const lines = downtimeCsv([entry({ vm: '=web,1' }), restore, offline]).split('\r\n')
    expect(lines).toEqual([
      'time,kind,host,vm,vm_uuid,point,method,mode,downtime_ms,made_of',
      `2026-11-24T20:00:00.000Z,backup,alpha,"'=web,1",${entry().vmUuid},20261124T200000Z-000001,live,,48.250,memory 48.250`,
      `2026-11-24T20:00:00.000Z,restore,alpha,web1,${entry().vmUuid},20261124T200000Z-000001,live,resume,1200.000,`,
      `2026-11-24T20:00:00.000Z,backup,alpha,web1,${entry().vmUuid},20261124T200000Z-000001,offline,,,`,
      ''
    ])
  })
})
