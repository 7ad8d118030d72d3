import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runsBetween } from '../../../src/shared/schedule/calendar.ts'
import { missedRuns, scheduledFor } from '../../../src/shared/schedule/missed.ts'
import { calendarOf } from './calendar-of.ts'
import { expressions } from './expressions.ts'

const BERLIN = 'Europe/Berlin'
const forWhat = (text: string, startedAt: string): string | undefined =>
  scheduledFor(calendarOf(text), BERLIN, new Date(startedAt))?.toISOString()

describe('what a run is for', () => {
  it.each([
    ['02:00', '2026-11-25T01:00:00.000Z', '2026-11-25T01:00:00.000Z'],
    ['02:00', '2026-11-25T01:17:03.400Z', '2026-11-25T01:00:00.000Z'],
    ['02:00', '2026-11-25T00:59:59.999Z', '2026-11-24T01:00:00.000Z'],
    ['Mon 02:00', '2026-11-29T12:00:00.000Z', '2026-11-23T01:00:00.000Z'],
    ['*-02-29 02:00', '2027-06-01T12:00:00.000Z', '2024-02-29T01:00:00.000Z']
  ])('of %s at %s is the last time wanted', (text, started, scheduled) =>
    expect(forWhat(text, started)).toBe(scheduled)
  )

  it('is the first of a time that the clocks show twice, also when begun after the second', () => {
    expect(forWhat('02:30', '2026-10-25T00:45:00Z')).toBe('2026-10-25T00:30:00.000Z')
    expect(forWhat('02:30', '2026-10-25T01:45:00Z')).toBe('2026-10-25T00:30:00.000Z')
  })

  it('is the day before, where the clocks leapt over that day’s', () =>
    expect(forWhat('02:30', '2026-03-29T06:00:00Z')).toBe('2026-03-28T01:30:00.000Z'))

  it('is nothing where the calendar has not wanted anything yet', () => {
    expect(forWhat('2030-01-01', '2026-10-25T00:45:00Z')).toBeUndefined()
    expect(forWhat('*-02-31', '2026-10-25T00:45:00Z')).toBeUndefined()
  })

  it('has nothing wanted between it and the start', () => {
    const moment = fc.date({ min: new Date('2024-01-01'), max: new Date('2030-01-01'), noInvalidDate: true })
    fc.assert(
      fc.property(expressions, moment, (text, started) => {
        const scheduled = scheduledFor(calendarOf(text), BERLIN, started)
        fc.pre(scheduled !== undefined)
        expect(scheduled.getTime()).toBeLessThanOrEqual(started.getTime())
        expect(runsBetween(calendarOf(text), BERLIN, scheduled, started, 1).count).toBe(0)
        const before = new Date(scheduled.getTime() - 1000)
        expect(runsBetween(calendarOf(text), BERLIN, before, new Date(started.getTime() + 1), 1).runs).toEqual([
          scheduled
        ])
      })
    )
  })
})

describe('what was missed between two runs', () => {
  const missed = (text: string, last: string, next: string, limit = 50): { runs: string[]; count: number } => {
    const [lastScheduled, scheduled] = [new Date(last), new Date(next)]
    const { runs, count } = missedRuns({
      calendar: calendarOf(text),
      timeZone: BERLIN,
      lastScheduled,
      scheduled,
      limit
    })
    return { runs: runs.map((run) => run.toISOString()), count }
  }

  it('is nothing where they follow each other', () =>
    expect(missed('02:00', '2026-11-24T01:00:00Z', '2026-11-25T01:00:00Z')).toEqual({ runs: [], count: 0 }))

  it('is what lies between, the night without that time left out', () =>
    expect(missed('02:30', '2026-03-27T01:30:00Z', '2026-03-31T00:30:00Z')).toEqual({
      runs: ['2026-03-28T01:30:00.000Z', '2026-03-30T00:30:00.000Z'],
      count: 2
    }))

  it('is counted beyond the limit', () => {
    const { runs, count } = missed('*:0/15', '2026-11-01T00:00:00Z', '2026-11-08T00:00:00Z')
    expect([runs.length, count]).toEqual([50, 7 * 96 - 1])
  })

  it('is nothing where the clock was set back', () =>
    expect(missed('02:00', '2026-11-25T01:00:00Z', '2026-11-20T01:00:00Z')).toEqual({ runs: [], count: 0 }))
})
