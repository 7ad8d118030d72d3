import type { Calendar } from './calendar.ts'
import { FIELDS, fromMonthEnd, valuesOf, type Component, type Field } from './component.ts'
import { timeZone, type TimeZone } from './time-zone.ts'

const DAY = 86_400

/** A calendar worked out: what a day is asked, and what is alike on every day. Days are counted since 1970. */
export interface Plan {
  readonly calendar: Calendar
  readonly zone: TimeZone
  readonly years: readonly number[]
  readonly months: readonly number[]
  /** Seconds of the day, in order. */
  readonly times: readonly number[]
}

/** The runs of one day: `shift` and each of `times` together are seconds since 1970, in order. */
export interface DayRuns {
  readonly shift: number
  readonly times: readonly number[]
}

/** Throws RangeError at a zone that is not known here. */
export function planOf(calendar: Calendar, hostZone: string): Plan {
  const [hours, minutes, seconds] = [
    values(FIELDS.hour, calendar.hour),
    values(FIELDS.minute, calendar.minute),
    values(FIELDS.second, calendar.second)
  ]
  return {
    calendar,
    zone: timeZone(calendar.timeZone ?? hostZone),
    years: values(FIELDS.year, calendar.year),
    months: values(FIELDS.month, calendar.month),
    times: hours.flatMap((hour) => minutes.flatMap((minute) => seconds.map((each) => (hour * 60 + minute) * 60 + each)))
  }
}

const ANY: readonly Component[] = [{ start: 0, stop: undefined, repeat: 1 }]

function values({ first, last }: Field, components: readonly Component[] = ANY): number[] {
  const all = components.flatMap((each) => valuesOf(each, last))
  return [...new Set(all)].filter((each) => each >= first).sort((a, b) => a - b)
}

/** The runs after a time, day by day, until the calendar ends. Days without any are left out. */
export function* runDays(plan: Plan, after: Date): Generator<DayRuns> {
  const start = plan.zone.civil(after.getTime() / 1000)
  for (const day of matchingDays(plan, start.day)) {
    const runs = day > start.day ? dayRuns(plan, day) : later(plan, start, after)
    if (runs.times.length > 0) yield runs
  }
}

/** All runs of a day that matches. */
export function dayRuns({ zone, times }: Plan, day: number): DayRuns {
  const offset = zone.steadyOffset(day)
  if (offset !== undefined) return { shift: day * DAY - offset, times }
  return { shift: 0, times: times.flatMap((time) => zone.instants(day * DAY + time).slice(0, 1)) }
}

/**
 * systemd looks for what the clock shows next, so that of a time shown twice the first counts; begun after that, the second.
 */
function later({ zone, times }: Plan, start: { day: number; seconds: number }, after: Date): DayRuns {
  const civil = times.map((time) => start.day * DAY + time).filter((time) => time > start.seconds)
  const isLater = (instant: number): boolean => instant * 1000 > after.getTime()
  return { shift: 0, times: civil.flatMap((time) => zone.instants(time).filter(isLater).slice(0, 1)) }
}

/** Whether the calendar wants anything on that day, clocks that are set aside. */
export function matchesDay({ calendar, years, months }: Plan, day: number): boolean {
  const date = new Date(day * DAY * 1000)
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth() + 1]
  if (!years.includes(year) || !months.includes(month) || !isOnWeekday(calendar, day)) return false
  return datesOf(calendar, dayNumber(year, month + 1, 1) - dayNumber(year, month, 1)).includes(date.getUTCDate())
}

function* matchingDays({ calendar, years, months }: Plan, from: number): Generator<number> {
  for (const year of years)
    for (const month of months) {
      const first = dayNumber(year, month, 1)
      const length = dayNumber(year, month + 1, 1) - first
      if (first + length <= from) continue
      for (const date of datesOf(calendar, length))
        if (first + date - 1 >= from && isOnWeekday(calendar, first + date - 1)) yield first + date - 1
    }
}

const dayNumber = (year: number, month: number, date: number): number => Date.UTC(year, month - 1, date) / 1000 / DAY

/** 1 January 1970 was a Thursday. */
const isOnWeekday = ({ weekdays }: Calendar, day: number): boolean =>
  weekdays.length === 0 || weekdays.includes((day + 3) % 7)

function datesOf({ day, fromMonthEnd: fromEnd }: Calendar, length: number): number[] {
  const field = { ...FIELDS.day, last: length }
  return values(field, fromEnd ? day?.map((each) => fromMonthEnd(each, length)) : day)
}
