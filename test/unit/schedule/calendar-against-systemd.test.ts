import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nextRuns, normalForm, timerForm } from '../../../src/shared/schedule/calendar.ts'
import { calendarOf, problemOf } from './calendar-of.ts'
import { expressions } from './expressions.ts'
import { analyze, stamps, systemdVersion, WITHOUT_SYSTEMD } from './systemd-analyze.ts'
import { PLACES, REFUSED, WANTED } from './wanted.ts'

const EARLY = new Date('2026-01-01')

/** Of what a timer is given: of what was written, systemd loses some times. */
function expectAgreement(expression: string, zone: string, after: Date, count: number): void {
  const calendar = calendarOf(expression)
  const { normalForm, runs } = analyze(timerForm(calendar), zone, after, count)
  expect([timerForm(calendar), stamps(nextRuns(calendar, zone, after, count))]).toEqual([normalForm, runs])
}

const besideSystemd = describe.skipIf(systemdVersion === undefined)

besideSystemd(`a calendar beside systemd ${systemdVersion ?? `(${WITHOUT_SYSTEMD})`}`, () => {
  it.each(WANTED)('is written as systemd writes it: %s', (expression) =>
    expect(normalForm(calendarOf(expression))).toBe(analyze(expression, 'UTC', EARLY, 1).normalForm)
  )

  describe.each(PLACES)('in %s', (zone, moments) => {
    // Each from one of the moments, in turn, so that systemd is asked a few hundred times and not a thousand.
    it.each(WANTED.map((expression, at) => [expression, moments[at % moments.length] ?? '']))(
      'elapses when systemd says: %s from %s',
      (expression, moment) => expectAgreement(expression, zone, new Date(moment), 12)
    )
  })

  it('elapses when systemd says, whatever is made up, in any of the zones from any moment', () => {
    const moment = fc.date({ min: new Date('2017-01-01'), max: new Date('2035-12-31'), noInvalidDate: true })
    const place = fc.tuple(fc.constantFrom(...PLACES.map(([zone]) => zone)), moment)
    const agrees = fc.property(expressions, place, (expression, [zone, date]) =>
      expectAgreement(expression, zone, new Date(Math.floor(date.getTime() / 1000) * 1000), 6)
    )
    fc.assert(agrees, { numRuns: 80 })
  })

  it.each(REFUSED)('is refused by both: “%s”', (expression) => {
    expect(analyze(expression, 'Europe/Berlin', EARLY, 1).normalForm).toBeUndefined()
    expect(problemOf(expression)).toMatch(/\.$/)
  })

  it.each(['*:*:0.5', '02:00 CET', '@1395716396'])('is refused here alone: “%s”', (expression) => {
    expect(analyze(expression, 'Europe/Berlin', EARLY, 1).normalForm).toBeDefined()
    expect(problemOf(expression)).toMatch(/\.$/)
  })
})

/** As written, systemd 252 and 257 lose these; once none does, `timerForm` may go. */
besideSystemd('what a timer is given', () => {
  it.each([
    ['America/Sao_Paulo', '2018-11-04T01:00:00Z'],
    ['America/Santiago', '2026-09-05T23:30:00Z'],
    ['Africa/Cairo', '2026-04-23T20:30:00Z']
  ])('every 4 hours goes on over a day without a midnight in %s', (zone, moment) => {
    expectAgreement('0/4:15', zone, new Date(moment), 5)
    expect(nextRuns(calendarOf('0/4:15'), zone, new Date(moment), 5)).toHaveLength(5)
  })

  it('every 7 minutes has midnight too', () => {
    const after = new Date('2026-06-26T23:50:00Z')
    expectAgreement('*:0/7', 'UTC', after, 2)
    expect(stamps(nextRuns(calendarOf('*:0/7'), 'UTC', after, 2))).toEqual([
      '2026-06-26T23:56:00',
      '2026-06-27T00:00:00'
    ])
  })
})
