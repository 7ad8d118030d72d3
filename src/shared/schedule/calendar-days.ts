import type { Calendar } from './calendar.ts'
import { FIELDS, fromMonthEnd, valuesOf, type Component, type Field } from './component.ts'
import { timeZone, type TimeZone } from './time-zone.ts'

const HOUR = 3600
const DAY = 24 * HOUR

/** A calendar worked out: what a day is asked, and what is alike on every day. Days are counted since 1970. */
export interface Plan {
  readonly calendar: Calendar
  readonly zone: TimeZone
  readonly years: readonly number[]
  readonly months: readonly number[]
  readonly hours: readonly number[]
  /** Seconds of the hour, in order, and of the day. */
  readonly hourTimes: readonly number[]
  readonly dayTimes: readonly number[]
}

/** Runs of a day or of an hour of it: `shift` and each of `times` together are seconds since 1970, in order. */
export interface RunBlock {
  readonly shift: number
  readonly times: readonly number[]
}

/** A calendar is worked out once and asked thousands of times; it never changes. */
const plans = new WeakMap<Calendar, Map<string, Plan>>()

/** Throws RangeError at a zone that is not known here. */
export function planOf(calendar: Calendar, hostZone: string): Plan {
  const known = plans.get(calendar) ?? new Map<string, Plan>()
  plans.set(calendar, known)
  const plan = known.get(hostZone) ?? newPlan(calendar, hostZone)
  known.set(hostZone, plan)
  return plan
}

function newPlan(calendar: Calendar, hostZone: string): Plan {
  const seconds = values(FIELDS.second, calendar.second)
  const hours = values(FIELDS.hour, calendar.hour)
  const hourTimes = values(FIELDS.minute, calendar.minute).flatMap((minute) =>
    seconds.map((each) => minute * 60 + each)
  )
  return {
    calendar,
    zone: timeZone(calendar.timeZone ?? hostZone),
    years: values(FIELDS.year, calendar.year),
    months: values(FIELDS.month, calendar.month),
    hours,
    hourTimes,
    dayTimes: hours.flatMap((hour) => hourTimes.map((time) => hour * HOUR + time))
  }
}

/** What the components let through, in order; without any, the whole field. */
function values({ first, last }: Field, components?: readonly Component[]): readonly number[] {
  if (components === undefined) return valuesOf({ start: first, stop: last, repeat: 1 }, last)
  const all = components.flatMap((each) => valuesOf(each, last))
  return [...new Set(all)].filter((each) => each >= first).sort((a, b) => a - b)
}

interface Begin {
  readonly at: Date
  /** What the clocks show then. */
  readonly civil: number
}

/** The runs after a time, block by block, until the calendar ends. */
export function* runBlocks(plan: Plan, after: Date): Generator<RunBlock> {
  const start = plan.zone.civil(after.getTime() / 1000)
  for (const day of matchingDays(plan, start.day))
    for (const block of blocksOfDay(plan, day, day > start.day ? undefined : { at: after, civil: start.seconds }))
      if (block.times.length > 0) yield block
}

/** All runs of a day that matches, or those after a time on it. */
export function* blocksOfDay(plan: Plan, day: number, after?: Begin): Generator<RunBlock> {
  const offset = after === undefined ? plan.zone.steadyOffset(day * DAY, (day + 1) * DAY) : undefined
  if (offset !== undefined) yield { shift: day * DAY - offset, times: plan.dayTimes }
  else for (const hour of plan.hours) yield hourBlock(plan, day * DAY + hour * HOUR, after)
}

/**
 * systemd looks for what the clocks show next. So of a time that they show twice the first counts, or, begun after that, the
 * second; and one that they leap over is left out.
 */
function hourBlock({ zone, hourTimes }: Plan, hour: number, after?: Begin): RunBlock {
  const times = after === undefined ? hourTimes : hourTimes.filter((time) => hour + time > after.civil)
  const offset = zone.steadyOffset(hour, hour + HOUR)
  if (offset !== undefined) return { shift: hour - offset, times }
  const isLater = (instant: number): boolean => after === undefined || instant * 1000 > after.at.getTime()
  return {
    shift: 0,
    times: times.flatMap((time) =>
      zone
        .instants(hour + time)
        .filter(isLater)
        .slice(0, 1)
    )
  }
}

/** Whether the calendar wants anything on that day, clocks that are set aside. */
export function matchesDay({ calendar, years, months }: Plan, day: number): boolean {
  const date = new Date(day * DAY * 1000)
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth() + 1]
  if (!years.includes(year) || !months.includes(month) || !isOnWeekday(calendar, day)) return false
  return datesOf(calendar, dayNumber(year, month + 1, 1) - dayNumber(year, month, 1)).includes(date.getUTCDate())
}

function* matchingDays({ calendar, years, months }: Plan, from: number): Generator<number> {
  const firstYear = new Date(from * DAY * 1000).getUTCFullYear()
  for (const year of years.filter((each) => each >= firstYear))
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

function datesOf({ day, fromMonthEnd: fromEnd }: Calendar, length: number): readonly number[] {
  const field = { ...FIELDS.day, last: length }
  return values(field, fromEnd ? day?.map((each) => fromMonthEnd(each, length)) : day)
}
