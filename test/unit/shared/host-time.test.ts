import { describe, expect, it } from 'vitest'
import { clockThere, dayThere, formatThere, isSameClock, knownZone, ownBeside } from '../../../src/shared/host-time.ts'

const now = new Date('2026-11-25T12:00:00Z')

describe('a time of a host', () => {
  it('is written in the zone of that host', () => {
    expect(formatThere('2026-11-24T01:00:00.000Z', 'Europe/Rome', now)).toBe('Tue 24 Nov, 02:00')
    expect(formatThere('2026-11-24T01:00:00.000Z', 'Asia/Kathmandu', now)).toBe('Tue 24 Nov, 06:45')
    expect(formatThere('2026-11-24T01:00:10.000Z', 'America/New_York', now)).toBe('Mon 23 Nov, 20:00:10')
  })

  it('names the year where it is another', () => {
    expect(formatThere('2027-01-01T00:00:00.000Z', 'UTC', now)).toBe('Fri 1 Jan 2027, 00:00')
    expect(formatThere('2026-12-31T23:30:00.000Z', 'Europe/Rome', now)).toBe('Fri 1 Jan 2027, 00:30')
  })

  it('is what the host said where that is no time', () => {
    expect(formatThere('soon', 'UTC', now)).toBe('soon')
  })

  it('is in UTC where nobody knows the zone', () => {
    expect(knownZone('Middle/Earth')).toBe('UTC')
    expect(clockThere(now, 'Middle/Earth')).toBe('12:00')
    expect(dayThere(now, 'Pacific/Auckland')).toBe('26 Nov 2026')
  })

  it('has the clock here beside it where that shows another time, and its day where that is another', () => {
    expect(ownBeside('2026-11-24T15:15:00.000Z', 'Europe/Rome', now, 'UTC')).toBe('15:15')
    expect(ownBeside('2026-11-24T23:15:00.000Z', 'Europe/Rome', now, 'UTC')).toBe('Tue 24 Nov, 23:15')
    expect(ownBeside('2026-11-24T15:15:00.000Z', 'Europe/Rome', now, 'Europe/Berlin')).toBeUndefined()
  })

  it('tells whether two clocks agree', () => {
    expect(isSameClock(now, 'Europe/Rome', 'Europe/Berlin')).toBe(true)
    expect(isSameClock(now, 'Europe/London', 'UTC')).toBe(true)
    expect(isSameClock(new Date('2026-07-01T12:00:00Z'), 'Europe/London', 'UTC')).toBe(false)
  })
})
