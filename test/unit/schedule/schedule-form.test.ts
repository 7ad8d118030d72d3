import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { calendarOf, EVERY_HOURS, formOf, type ScheduleForm } from '../../../src/shared/schedule/schedule-form.ts'
import { scheduleWords } from '../../../src/shared/schedule/schedule-words.ts'
import { problemOf } from './calendar-of.ts'

const two = (value: number): string => String(value).padStart(2, '0')
const time = fc.tuple(fc.nat(23), fc.nat(59)).map(([hour, minute]) => `${two(hour)}:${two(minute)}`)
const someDays = fc.subarray([0, 1, 2, 3, 4, 5, 6], { minLength: 1, maxLength: 6 })

const forms: fc.Arbitrary<ScheduleForm> = fc.oneof(
  fc.record({ kind: fc.constant('hours' as const), every: fc.constantFrom(...EVERY_HOURS), minute: fc.nat(59) }),
  fc.record({ kind: fc.constant('daily' as const), time }),
  fc.record({ kind: fc.constant('weekly' as const), days: someDays, time }),
  fc.record({
    kind: fc.constant('monthly' as const),
    day: fc.oneof(fc.integer({ min: 1, max: 28 }), fc.constant('last' as const)),
    time
  })
)

describe('a schedule of the form', () => {
  it('is an expression that is read back as the same', () => {
    fc.assert(
      fc.property(forms, (form) => {
        expect(problemOf(calendarOf(form))).toBeUndefined()
        expect(formOf(calendarOf(form))).toEqual(form)
      })
    )
  })

  it('of every day of the week is a daily one', () =>
    expect(formOf(calendarOf({ kind: 'weekly', days: [6, 0, 1, 2, 3, 4, 5], time: '02:00' }))).toEqual({
      kind: 'daily',
      time: '02:00'
    }))

  it.each([
    ['daily', { kind: 'daily', time: '00:00' }],
    ['hourly', { kind: 'hours', every: 1, minute: 0 }],
    ['*:30', { kind: 'hours', every: 1, minute: 30 }],
    ['0..23/4:15', { kind: 'hours', every: 4, minute: 15 }],
    ['weekly', { kind: 'weekly', days: [0], time: '00:00' }],
    ['monthly', { kind: 'monthly', day: 1, time: '00:00' }],
    ['*-*~1 02:30', { kind: 'monthly', day: 'last', time: '02:30' }],
    ['Mon,Tue,wed 5:7', { kind: 'weekly', days: [0, 1, 2], time: '05:07' }]
  ])('is found in %s, however it is written', (text, form) => expect(formOf(text)).toEqual(form))

  it.each([
    '02:00:30', '02:00 UTC', '0/5:00', '0..12/4:15', '1/4:00', '0/4:0/30', '1,2:00', '2:00,30', 'Mon *-*-1 02:00', '*-*-31 02:00', '*-*~2 02:00',
    '*-*-1,15 02:00', '*-2-1 02:00', '2026-*-* 02:00', 'Mon 0/4:00', 'minutely', 'yearly', 'no calendar'
  ])('is not found in %s, which stays as it is written', (text) => expect(formOf(text)).toEqual({ kind: 'calendar', text })) // prettier-ignore
})

describe('a schedule in words', () => {
  it.each([
    ['02:00', 'every day at 02:00'],
    ['0/4:15', 'every 4 hours at :15'],
    ['hourly', 'every hour at :00'],
    ['Mon..Fri 22:00', 'Mon to Fri at 22:00'],
    ['Sat,Sun 22:00', 'Sat and Sun at 22:00'],
    ['Mon,Wed,Fri..Sun 22:00', 'Mon, Wed and Fri to Sun at 22:00'],
    ['Sun 03:00', 'every Sun at 03:00'],
    ['*-*-01 04:00', 'on the 1st of every month at 04:00'],
    ['*-*-12 04:00', 'on the 12th of every month at 04:00'],
    ['*-*-22 04:00', 'on the 22nd of every month at 04:00'],
    ['*-*-23 04:00', 'on the 23rd of every month at 04:00'],
    ['*-*~1 04:00', 'on the last day of every month at 04:00'],
    ['*:0/15', '*:0/15'],
    ['02:00 UTC', '02:00 UTC']
  ])('%s: %s', (text, words) => expect(scheduleWords(text)).toBe(words))
})
