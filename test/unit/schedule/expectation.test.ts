import { describe, expect, it } from 'vitest'
import { expectedWithinMs } from '../../../src/shared/schedule/expectation.ts'

const HOUR_MS = 3_600_000
const FROM = new Date('2026-11-25T12:00:00Z')
const hours = (calendar: string, jitterSeconds = 0): number | undefined => {
  const ms = expectedWithinMs({ calendar, jitterSeconds }, 'UTC', FROM)
  return ms === undefined ? undefined : ms / HOUR_MS
}

describe('how old the newest good point may be before it is silence', () => {
  it.each([
    ['hourly', 1 + 1],
    ['0/4:00', 4 + 1],
    ['0/8:00', 8 + 2],
    ['daily', 24 + 6],
    ['Mon..Fri 22:00', 72 + 12],
    ['weekly', 168 + 12],
    ['monthly', 744 + 12]
  ])('%s: %d hours, the longest time between two runs and a part of it', (calendar, expected) =>
    expect(hours(calendar)).toBe(expected)
  )

  it('has the jitter on top', () => expect(hours('daily', 1800)).toBe(30.5))

  it.each([
    ['hourly', '22:00', '06:00', (1 + 16) * 1.25],
    ['daily', '22:00', '06:00', 24 + 6],
    ['0/12:00', '22:00', '06:00', 24 + 6],
    ['weekly', '22:00', '06:00', 168 + 12],
    ['hourly', '08:00', '08:00', 1 + 1]
  ])(
    '%s, allowed from %s to %s: %d hours, for out of its hours nothing is backed up',
    (calendar, from, to, expected) => {
      const ms = expectedWithinMs({ calendar, jitterSeconds: 0, window: { from, to } }, 'UTC', FROM)
      expect(ms).toBe(expected * HOUR_MS)
    }
  )

  it.each([
    ['2027-03-20T00:00:00Z', 47 + 11.75],
    ['2027-02-01T00:00:00Z', 24 + 6]
  ])('has the night in it that the clocks leave out only while it is near: %s', (from, expected) => {
    const schedule = { calendar: '02:30', jitterSeconds: 0 }
    expect(expectedWithinMs(schedule, 'Europe/Berlin', new Date(from))).toBe(expected * HOUR_MS)
  })

  it.each(['2020-01-01', '2027-01-01', 'nonsense'])('is unknown where no runs follow each other: %s', (calendar) =>
    expect(hours(calendar)).toBeUndefined()
  )
})
