import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nextRuns, normalForm, timerForm } from '../../../src/shared/schedule/calendar.ts'
import { calendarOf, problemOf } from './calendar-of.ts'
import { expressions } from './expressions.ts'
import { analyze, analyzeAll, type Analyzed, stamps, systemdVersion, WITHOUT_SYSTEMD } from './systemd-analyze.ts'
import { PLACES, REFUSED, WANTED } from './wanted.ts'

const EARLY = new Date('2026-01-01')

/** Of what a timer is given: of what was written, systemd loses some times. */
function expectAgreement(expression: string, zone: string, after: Date, count: number): void {
  const calendar = calendarOf(expression)
  const { normalForm, runs } = analyze(timerForm(calendar), zone, after, count)
  expect([timerForm(calendar), stamps(nextRuns(calendar, zone, after, count))]).toEqual([normalForm, runs])
}

/** What systemd says of all of them: asked once, when the first test wants to know. */
function asked(expressions: readonly string[], zone: string, after: Date, count: number) {
  let answers: ReadonlyMap<string, Analyzed> | undefined
  const ask = () =>
    analyzeAll(expressions, zone, after, count).map((said, at) => [expressions[at] ?? '', said] as const)
  return () => (answers ??= new Map(ask()))
}

const besideSystemd = describe.skipIf(systemdVersion === undefined)

besideSystemd(`a calendar beside systemd ${systemdVersion ?? `(${WITHOUT_SYSTEMD})`}`, () => {
  const written = asked(WANTED, 'UTC', EARLY, 1)
  it.each(WANTED)('is written as systemd writes it: %s', (expression) =>
    expect(normalForm(calendarOf(expression))).toBe(written().get(expression)?.normalForm)
  )

  describe.each(PLACES)('in %s', (zone, moments) => {
    describe.each(moments)('from %s', (moment) => {
      const forms = new Map(WANTED.map((expression) => [expression, timerForm(calendarOf(expression))]))
      const answers = asked([...new Set(forms.values())], zone, new Date(moment), 12)
      it.each(WANTED)('elapses when systemd says: %s', (expression) => {
        const form = forms.get(expression) ?? ''
        const { normalForm, runs } = answers().get(form) ?? {}
        expect([form, stamps(nextRuns(calendarOf(expression), zone, new Date(moment), 12))]).toEqual([normalForm, runs])
      })
    })
  })

  it('elapses when systemd says, whatever is made up, in any of the zones from any moment', () => {
    const moment = fc.date({ min: new Date('2017-01-01'), max: new Date('2035-12-31'), noInvalidDate: true })
    const place = fc.tuple(fc.constantFrom(...PLACES.map(([zone]) => zone)), moment)
    const agrees = fc.property(expressions, place, (expression, [zone, date]) =>
      expectAgreement(expression, zone, new Date(Math.floor(date.getTime() / 1000) * 1000), 6)
    )
    fc.assert(agrees, { numRuns: 80 })
  })

  const refused = asked(REFUSED, 'Europe/Berlin', EARLY, 1)
  it.each(REFUSED)('is refused by both: “%s”', (expression) => {
    expect(refused().get(expression)).toEqual({ normalForm: undefined, runs: [] })
    expect(problemOf(expression)).toMatch(/\.$/)
  })

  const HERE_ALONE = ['*:*:0.5', '02:00 CET', '@1395716396']
  const taken = asked(HERE_ALONE, 'Europe/Berlin', EARLY, 1)
  it.each(HERE_ALONE)('is refused here alone: “%s”', (expression) => {
    expect(taken().get(expression)?.normalForm).toBeDefined()
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
