import { describe, expect, it } from 'vitest'
import { isWithin, windowEnd } from '../../../src/shared/schedule/window.ts'

const BERLIN = 'Europe/Berlin'
const NIGHT = { from: '22:00', to: '05:30' }
const within = (window: typeof NIGHT, at: string, zone = BERLIN): boolean => isWithin(window, zone, new Date(at))
const end = (window: typeof NIGHT, at: string, zone = BERLIN): string =>
  windowEnd(window, zone, new Date(at)).toISOString()

describe('the hours in which backups may begin', () => {
  it.each([
    ['2026-11-24T20:59:59Z', false],
    ['2026-11-24T21:00:00Z', true],
    ['2026-11-24T23:30:00Z', true],
    ['2026-11-25T04:29:59Z', true],
    ['2026-11-25T04:30:00Z', false],
    ['2026-07-25T20:00:00Z', true]
  ])('go over midnight: %s is %j', (at, is) => expect(within(NIGHT, at)).toBe(is))

  it.each([
    ['2026-11-24T00:59:59Z', false],
    ['2026-11-24T01:00:00Z', true],
    ['2026-11-24T03:00:00Z', false]
  ])('or lie on one day: %s is %j', (at, is) => expect(within({ from: '02:00', to: '04:00' }, at)).toBe(is))

  it('are those of the host', () => expect(within(NIGHT, '2026-11-24T17:00:00Z', 'Asia/Kathmandu')).toBe(true))

  it('are the whole day where they end as they begin', () => {
    expect(within({ from: '08:00', to: '08:00' }, '2026-11-24T07:00:00Z')).toBe(true)
    expect(within({ from: '08:00', to: '08:00' }, '2026-11-24T06:59:00Z')).toBe(true)
  })
})

describe('the end of the hours', () => {
  it.each([
    ['2026-11-24T21:00:00Z', '2026-11-25T04:30:00.000Z'],
    ['2026-11-25T02:00:00Z', '2026-11-25T04:30:00.000Z'],
    ['2026-11-25T04:30:00Z', '2026-11-26T04:30:00.000Z']
  ])('is the next one after %s', (at, ends) => expect(end(NIGHT, at)).toBe(ends))

  it.each([
    ['2026-03-28T22:00:00Z', '2026-03-29T03:30:00.000Z'],
    ['2026-10-24T22:00:00Z', '2026-10-25T04:30:00.000Z']
  ])('is by the clock in the night in which it is set: from %s', (at, ends) => expect(end(NIGHT, at)).toBe(ends))

  it('is the leap itself where the clocks leap over it', () =>
    expect(end({ from: '22:00', to: '02:30' }, '2026-03-28T22:00:00Z')).toBe('2026-03-29T01:00:00.000Z'))

  it('is the first of two, and the second from after the first', () => {
    expect(end({ from: '22:00', to: '02:30' }, '2026-10-24T22:00:00Z')).toBe('2026-10-25T00:30:00.000Z')
    expect(end({ from: '22:00', to: '02:30' }, '2026-10-25T01:10:00Z')).toBe('2026-10-25T01:30:00.000Z')
  })

  it('is not after the moment at which the hours are over, minute by minute, over both changes of the clocks', () => {
    for (const begin of ['2026-03-28T12:00:00Z', '2026-10-24T12:00:00Z'])
      for (let at = Date.parse(begin); at < Date.parse(begin) + 2 * 86_400_000; at += 5 * 60_000) {
        if (!isWithin(NIGHT, BERLIN, new Date(at))) continue
        const ends = windowEnd(NIGHT, BERLIN, new Date(at)).getTime()
        expect([isWithin(NIGHT, BERLIN, new Date(ends - 1)), isWithin(NIGHT, BERLIN, new Date(ends))]).toEqual([
          true,
          false
        ])
      }
  })
})
