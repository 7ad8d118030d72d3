import { afterEach, describe, expect, it, vi } from 'vitest'
import { closing, untilWhen, whyNotNow } from '../../../src/engine/policy/hours.ts'
import { due } from '../../../src/engine/policy/missed.ts'
import { nextRunAt } from '../../../src/shared/schedule/next-run.ts'
import type { Policy, RunReport } from '../../../src/shared/model/policy.ts'

const timeZone = 'Europe/Berlin'
const date = (text: string): Date => new Date(text)
const nightly = (change: Partial<Policy> = {}): Policy =>
  ({
    schedule: { calendar: '*-*-* 02:00:00', jitterSeconds: 0 },
    changedAt: '2026-11-01T00:00:00.000Z',
    ...change
  }) as Policy
const run = (startedAt: string, endedAt: string, more: Partial<RunReport> = {}): RunReport =>
  ({ startedAt, endedAt, scheduledFor: startedAt, ...more }) as RunReport

describe('what a run of the timer is for', () => {
  const now = date('2026-11-25T01:00:03.000Z')
  const bootedAt = date('2026-11-20T12:00:00.000Z')
  const calendarOf = (): string => nightly().schedule.calendar

  it('is the time that the calendar wanted, with nothing missed behind yesterday’s', () => {
    const earlier = [run('2026-11-24T01:00:00.000Z', '2026-11-24T01:10:00.000Z')]
    expect(due(nightly(), { timeZone, now, bootedAt, earlier, calendarOf })).toEqual({
      scheduledFor: '2026-11-25T01:00:00.000Z',
      missed: [],
      missedCount: 0
    })
  })

  it('names each time that was missed, and why', () => {
    const earlier = [run('2026-11-18T01:00:00.000Z', '2026-11-19T02:00:00.000Z')]
    const { missed, missedCount } = due(nightly(), { timeZone, now, bootedAt, earlier, calendarOf })
    expect(missedCount).toBe(6)
    expect(missed.map(({ reason }) => reason)).toEqual([
      'the run before was still going',
      'the host was off',
      ...Array.from({ length: 4 }, () => 'the host was asleep, or its clock was changed')
    ])
  })

  it('does not take the time behind the death of an interrupted run for a run', () => {
    const earlier = [
      run('2026-11-18T01:00:00.000Z', '2026-11-20T12:00:10.000Z', { reason: 'interrupted: the host went down' })
    ]
    const { missed } = due(nightly(), { timeZone, now, bootedAt, earlier, calendarOf })
    expect(missed.slice(0, 2).map(({ reason }) => reason)).toEqual(['the host was off', 'the host was off'])
  })

  it('asks nothing of a calendar from before the policy was changed, nor of runs by hand', () => {
    const byHand = { ...run('2026-11-24T13:00:00.000Z', '2026-11-24T13:01:00.000Z'), scheduledFor: undefined }
    const earlier = [byHand, run('2026-11-10T01:00:00.000Z', '2026-11-10T01:10:00.000Z')]
    const changed = nightly({ changedAt: '2026-11-23T12:00:00.000Z' })
    for (const before of ['*-*-* 05:00:00', undefined])
      expect(
        due(changed, { timeZone, now, bootedAt, earlier, calendarOf: () => before }).missed.map(({ at }) => at)
      ).toEqual(['2026-11-24T01:00:00.000Z'])
  })

  it('is told with all that was missed though its policy was saved meanwhile, as under a new name', () => {
    const hourly = nightly({
      schedule: { calendar: 'hourly', jitterSeconds: 0 },
      changedAt: '2026-11-25T01:30:00.000Z'
    })
    const earlier = [run('2026-11-24T21:00:00.000Z', '2026-11-25T02:20:00.000Z')]
    const late = { timeZone, now: date('2026-11-25T02:20:01.000Z'), bootedAt, earlier, calendarOf: () => 'hourly' }
    expect(due(hourly, late)).toEqual({
      scheduledFor: '2026-11-25T02:00:00.000Z',
      missed: ['2026-11-24T22', '2026-11-24T23', '2026-11-25T00', '2026-11-25T01'].map((hour) => ({
        at: `${hour}:00:00.000Z`,
        reason: 'the run before was still going'
      })),
      missedCount: 4
    })
  })

  it('is told with what was missed though a clock that was ahead has saved the policy, or begun a run', () => {
    const ahead = nightly({ changedAt: '2027-06-01T00:00:00.000Z' })
    const earlier = [
      run('2027-06-01T00:00:00.000Z', '2027-06-01T00:10:00.000Z'),
      run('2026-11-22T01:00:00.000Z', '2026-11-22T01:10:00.000Z')
    ]
    for (const before of [calendarOf(), '*-*-* 05:00:00'])
      expect(due(ahead, { timeZone, now, bootedAt, earlier, calendarOf: () => before }).missedCount).toBe(2)
  })

  it('is told without what was missed where only a clock that was ahead has noted since when', () => {
    const ahead = nightly({ changedAt: '2027-06-01T00:00:00.000Z' })
    expect(due(ahead, { timeZone, now, bootedAt, earlier: [], calendarOf }).missedCount).toBe(0)
  })

  it('counts all and tells fifty', () => {
    const often = nightly({ schedule: { calendar: 'hourly', jitterSeconds: 0 } })
    const { missed, missedCount } = due(often, { timeZone, now, bootedAt, earlier: [], calendarOf })
    expect(missed).toHaveLength(50)
    expect(missedCount).toBe(24 * 24)
  })
})

describe('the hours of a policy', () => {
  const window = { from: '22:00', to: '06:00' }
  const policy = nightly({ schedule: { calendar: 'hourly', jitterSeconds: 0, window } })
  const noon = date('2026-11-25T11:00:00.000Z')
  const night = date('2026-11-25T23:00:00.000Z')

  it('keep the timer’s runs out and let those by hand in', () => {
    expect(whyNotNow(policy, 'timer', timeZone, noon)).toBe('outside of its hours, 22:00 to 06:00')
    expect(whyNotNow(policy, 'manual', timeZone, noon)).toBeUndefined()
    expect(whyNotNow(policy, 'timer', timeZone, night)).toBeUndefined()
  })

  it('end what has not begun', () => {
    expect(untilWhen(policy, 'timer', timeZone, night).at).toEqual(date('2026-11-26T05:00:00.000Z'))
    expect(untilWhen(policy, 'manual', timeZone, night).at).toEqual(date('2026-11-26T11:00:00.000Z'))
  })

  describe('on a clock that moves', () => {
    afterEach(() => vi.useRealTimers())

    it('go on where it leaps from 1970 to now, as behind a boot', () => {
      vi.useFakeTimers({ now: date('1970-01-01T00:00:10.000Z') })
      const closed = closing(nightly(), 'timer', timeZone, new Date())
      vi.setSystemTime(night)
      expect(closed()).toBeUndefined()
      vi.advanceTimersByTime(12 * 3_600_000)
      expect(closed()).toBe('its turn did not come within 12 hours')
    })

    it('end with the hours that it shows, also where the host slept until then', () => {
      vi.useFakeTimers({ now: night })
      const closed = closing(policy, 'timer', timeZone, new Date())
      expect(closed()).toBeUndefined()
      vi.setSystemTime(noon.getTime() + 86_400_000)
      expect(closed()).toBe('its hours, 22:00 to 06:00, ended before its turn')
    })
  })

  it('do not matter while it is paused, until the pause is over', () => {
    const paused = { ...policy, pausedUntil: '2026-11-26T00:00:00.000Z' }
    expect(whyNotNow(paused, 'timer', timeZone, night)).toBe('paused until 2026-11-26T00:00:00.000Z')
    expect(whyNotNow(paused, 'timer', timeZone, date('2026-11-26T01:00:00.000Z'))).toBeUndefined()
    expect(nextRunAt(paused, timeZone, noon)).toBe('2026-11-26T01:00:00.000Z')
  })
})
