import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nextRuns, normalForm, runsBetween, timerForm } from '../../../src/shared/schedule/calendar.ts'
import { longestGapMs } from '../../../src/shared/schedule/longest-gap.ts'
import { calendarOf, problemOf } from './calendar-of.ts'
import { expressions } from './expressions.ts'
import { stamps } from './systemd-analyze.ts'
import { WANTED } from './wanted.ts'
import { comesToAnEnd } from '../../patience.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const BERLIN = 'Europe/Berlin'
const at = (text: string): Date => new Date(text)

describe('a calendar expression', () => {
  it('means the same in its normal form, and in that of a timer', () => {
    const same = fc.property(
      expressions,
      fc.date({ min: at('2020-01-01'), max: at('2030-01-01'), noInvalidDate: true }),
      (text, from) => {
        const calendar = calendarOf(text)
        const runs = nextRuns(calendar, BERLIN, from, 5)
        expect(calendarOf(normalForm(calendar))).toEqual(calendar)
        expect(timerForm(calendarOf(timerForm(calendar)))).toBe(timerForm(calendar))
        expect(nextRuns(calendarOf(timerForm(calendar)), BERLIN, from, 5)).toEqual(runs)
      }
    )
    fc.assert(same)
  })

  it.each([
    ['', 'Write when, for example Mon..Fri 22:00.'],
    ['0 2 * * 1-5', 'This is cron’s way of writing. systemd’s is for example Mon..Fri 22:00.'],
    ['*:*/15', '*/15 is cron’s way of writing. systemd’s is 0/15.'],
    ['24:00', 'The hour is a number from 0 to 23, not 24.'],
    ['0/24:00', '0/24 never comes a second time: write 0.'],
    ['*-*-5..1', '5..1 goes backwards.'],
    ['Fri..Mon 02:00', 'Fri..Mon goes backwards: the week ends with Sun.'],
    ['02:00 CET', '“CET” is no time zone that is known here: write UTC, or a name such as Europe/Berlin.'],
    ['12', '“12” is no time: write 22:00, or 0/4:30.'],
    ['1:2:3.5', '3.5: whole seconds only.']
  ])('that is wrong, as %j, is said to be in words', (text, problem) => expect(problemOf(text)).toBe(problem))

  it.each([
    'daily\n',
    'daily\nOnCalendar=hourly',
    '02:00\tUTC',
    '\u001b[2J',
    '\u202e00:20',
    '$(id):00',
    '%n',
    '02:00 ../../etc/passwd',
    `${'1,'.repeat(300)}1:00`
  ])('holds nothing that a unit file or a screen could take amiss: %j', (text) =>
    expect(problemOf(text)).not.toMatch(/[\p{Cc}\u202e]/u)
  )

  it.each(['constructor', 'toString', '__proto__', 'valueOf'])('is refused as %s, like any other word', (word) => {
    expect(problemOf(word)).toMatch(/Write|understood|Only/i)
  })

  it('never throws, whatever is typed', () => {
    const typed = fc.oneof(fc.string(), fc.stringMatching(/^[MonTue0-9:*\-~.,/ UTC]{0,30}$/))
    fc.assert(
      fc.property(typed, (text) => {
        expect(typeof (problemOf(text) ?? normalForm(calendarOf(text)))).toBe('string')
      })
    )
  })
})

describe('the next runs', () => {
  it('are found without going through all the time between, whatever is asked', () => {
    comesToAnEnd(() => {
      for (const text of WANTED) nextRuns(calendarOf(text), BERLIN, at('2026-10-24T23:20:00Z'), 5)
    })
  })

  it.each(['2020-01-01', '*-02-31', '2027-02-29', '2199-12-31'])('end with the calendar: %s', (text) =>
    expect(nextRuns(calendarOf(text), BERLIN, at('2026-01-01T00:00:00Z'), 5).length).toBe(
      text.startsWith('2199') ? 1 : 0
    )
  )

  it('leave out a time that the clocks leap over, and have once one that they show twice', () => {
    expect(stamps(nextRuns(calendarOf('02:30'), BERLIN, at('2026-03-28T12:00:00Z'), 1))).toEqual([
      '2026-03-30T00:30:00'
    ])
    expect(stamps(nextRuns(calendarOf('02:30'), BERLIN, at('2026-10-24T12:00:00Z'), 2))).toEqual([
      '2026-10-25T00:30:00',
      '2026-10-26T01:30:00'
    ])
  })

  it('are those of the zone that the expression names, whatever the host’s', () =>
    expect(stamps(nextRuns(calendarOf('02:00 UTC'), 'Asia/Kathmandu', at('2026-01-01T00:00:00Z'), 1))).toEqual([
      '2026-01-01T02:00:00'
    ]))

  it('are refused for a zone that is not known', () =>
    expect(() => nextRuns(calendarOf('daily'), 'Mars/Phobos', at('2026-01-01T00:00:00Z'), 1)).toThrow(RangeError))
})

describe('the runs between two times', () => {
  it('are those that follow each other from the first to the last, without either', () => {
    const span = fc.tuple(
      fc.date({ min: at('2024-01-01'), max: at('2028-01-01'), noInvalidDate: true }),
      fc.integer({ min: 0, max: 40 * DAY_MS })
    )
    const same = fc.property(expressions, span, (text, [after, length]) => {
      const until = new Date(after.getTime() + length)
      const runs = nextRuns(calendarOf(text), BERLIN, after, 500).filter((run) => run < until)
      fc.pre(runs.length < 500)
      expect(runsBetween(calendarOf(text), BERLIN, after, until, 500)).toEqual({ runs, count: runs.length })
      expect(runsBetween(calendarOf(text), BERLIN, after, until, 3)).toEqual({
        runs: runs.slice(0, 3),
        count: runs.length
      })
    })
    fc.assert(same)
  })

  it('are counted beyond the limit, without making a list of them', () => {
    const { runs, count } = runsBetween(
      calendarOf('minutely'),
      BERLIN,
      at('2026-01-01T00:00:00Z'),
      at('2036-01-01T00:00:00Z'),
      50
    )
    // Ten years hold 2 leap days; each year the clocks leap over 60 of them, and show 60 twice, which count once.
    expect([runs.length, count]).toEqual([50, (3652 * 24 - 10) * 60 - 1])
  })
})

/** Few enough in a year to be looked at one by one. */
const SPARSE = WANTED.filter((text) => {
  const year = runsBetween(calendarOf(text), BERLIN, at('2027-01-01'), at('2028-01-01'), 0).count
  return year > 0 && year < 1000
})

describe('the longest time between two runs', () => {
  it.each([
    ['minutely', HOUR_MS + 60_000],
    ['daily', 25 * HOUR_MS],
    ['02:30', 2 * DAY_MS - HOUR_MS],
    ['daily UTC', DAY_MS],
    ['Mon..Fri 22:00 UTC', 3 * DAY_MS],
    ['Mon,Wed,Fri 22:00 UTC', 3 * DAY_MS],
    ['0/4:15', 5 * HOUR_MS],
    ['monthly UTC', 31 * DAY_MS],
    ['*-02-29 UTC', 1461 * DAY_MS],
    ['*:0/15 UTC', 15 * 60_000]
  ])('of %s in Berlin', (text, gapMs) =>
    expect(longestGapMs(calendarOf(text), BERLIN, at('2026-01-10T12:00:00Z'))).toBe(gapMs)
  )

  it.each(['2020-01-01', '*-02-31', '2026-12-01 02:00'])('is unknown where there are no two more: %s', (text) =>
    expect(longestGapMs(calendarOf(text), BERLIN, at('2026-01-10T12:00:00Z'))).toBeUndefined()
  )

  it.each(SPARSE)('is what one finds by looking at each run of %s', (text) => {
    for (const from of ['2027-03-01T04:00:00Z', '2027-10-30T12:00:00Z'].map(at)) {
      const runs = nextRuns(calendarOf(text), BERLIN, from, 1500)
      expect(longestGapMs(calendarOf(text), BERLIN, from)).toBe(longestByHand(runs, from))
    }
  })
})

const isInYear = (run: Date, from: Date): boolean => run.getTime() <= from.getTime() + 366 * DAY_MS

function longestByHand(runs: readonly Date[], from: Date): number | undefined {
  const pairs = runs.slice(1).map((run, at) => [runs[at] ?? run, run] as const)
  const gaps = pairs.filter(([first]) => isInYear(first, from)).map(([first, next]) => next.getTime() - first.getTime())
  return gaps.length > 0 ? Math.max(...gaps) : undefined
}
