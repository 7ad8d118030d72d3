import type { Component } from './component.ts'
import { planOf, runBlocks, type RunBlock } from './calendar-days.ts'
import { calendarFrom } from './calendar-grammar.ts'
import { boundedCalendar, textOf } from './calendar-text.ts'
import { NotACalendar } from './field-grammar.ts'

/** What `OnCalendar=` says, as systemd.time(7) has it; whole seconds only. A field that is undefined is `*`. */
export interface Calendar {
  /** 0 is Monday; empty: any. */
  readonly weekdays: readonly number[]
  readonly year: readonly Component[] | undefined
  readonly month: readonly Component[] | undefined
  readonly day: readonly Component[] | undefined
  /** Days count from the end of the month: 1 is the last. */
  readonly fromMonthEnd: boolean
  readonly hour: readonly Component[] | undefined
  readonly minute: readonly Component[] | undefined
  readonly second: readonly Component[]
  /** IANA name or `UTC`, where the expression names one. */
  readonly timeZone: string | undefined
}

export interface CalendarProblem {
  /** A sentence for the operator. */
  readonly problem: string
}

/** The calendar, or what is wrong with the expression. Refuses a little that systemd takes: fractions of seconds, `CET`, `@0`. */
export function parseCalendar(text: string): Calendar | CalendarProblem {
  try {
    return calendarFrom(text)
  } catch (error) {
    if (error instanceof NotACalendar) return { problem: error.message }
    throw error
  }
}

/** As `systemd-analyze calendar` writes it. */
export const normalForm = (calendar: Calendar): string => textOf(calendar)

/** As a timer has to say it, so that systemd finds every one of its times. */
export const timerForm = (calendar: Calendar): string => textOf(boundedCalendar(calendar))

/**
 * The next times after `after`, at most `count`; fewer where the calendar ends. `timeZone` is the host's, and gives way to
 * one in the expression. As systemd has it, a time that the clock leaps over is left out, and of one that it shows twice
 * the first counts. Throws RangeError at a zone that is not known here.
 */
export function nextRuns(calendar: Calendar, timeZone: string, after: Date, count: number): Date[] {
  const runs: Date[] = []
  for (const { shift, times } of runBlocks(planOf(calendar, timeZone), after))
    for (const time of times) {
      if (runs.length >= count) return runs
      runs.push(new Date((shift + time) * 1000))
    }
  return runs
}

/** What the calendar wants strictly between two times: the first `limit` of it, and how many in all. */
export function runsBetween(
  calendar: Calendar,
  timeZone: string,
  after: Date,
  until: Date,
  limit: number
): { runs: Date[]; count: number } {
  const runs: Date[] = []
  let count = 0
  for (const block of runBlocks(planOf(calendar, timeZone), after)) {
    const inside = before(block, until)
    for (const time of inside.slice(0, limit - runs.length)) runs.push(new Date((block.shift + time) * 1000))
    count += inside.length
    if (inside.length < block.times.length) break
  }
  return { runs, count }
}

/** All of the block, without a copy, where all of it is before. */
function before({ shift, times }: RunBlock, until: Date): readonly number[] {
  const end = until.getTime() / 1000 - shift
  return (times.at(-1) ?? 0) < end ? times : times.filter((time) => time < end)
}
