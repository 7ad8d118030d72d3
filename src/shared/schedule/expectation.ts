import type { Schedule } from '../model/policy.ts'
import { parseCalendar, type Calendar } from './calendar.ts'
import { FIELDS, valuesOf } from './component.ts'
import { longestGapMs } from './longest-gap.ts'
import { closedMs, type Window } from './window.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const FORTNIGHT_MS = 14 * DAY_MS

/**
 * How old a VM's newest good point may be before it is silence: the longest time between two runs ahead, with
 * their jitter and time for the work. Undefined where the calendar expects no two more runs, or cannot be understood.
 */
export function expectedWithinMs(schedule: Schedule, timeZone: string, from: Date): number | undefined {
  const betweenMs = longestBetweenMs(schedule.calendar, timeZone, from)
  return betweenMs === undefined ? undefined : withinMs(betweenMs, schedule)
}

/** The longest time between two runs ahead, to the minute. What else there is to a schedule does not change it. */
export function longestBetweenMs(calendarText: string, timeZone: string, from: Date): number | undefined {
  const calendar = parseCalendar(calendarText)
  return 'problem' in calendar ? undefined : longestAhead(bySeconds(calendar), timeZone, from)
}

export function withinMs(betweenMs: number, { jitterSeconds, window }: Omit<Schedule, 'calendar'>): number {
  const gapMs = throughClosedHours(betweenMs, window)
  return gapMs + jitterSeconds * 1000 + slackMs(gapMs)
}

/** Of several runs within a minute the first and the last: a day of seconds would be 86,400 runs to go through. */
function bySeconds(calendar: Calendar): Calendar {
  const seconds = calendar.second.flatMap((each) => valuesOf(each, FIELDS.second.last))
  if (seconds.length <= 2) return calendar
  const ends = [Math.min(...seconds), Math.max(...seconds)]
  return { ...calendar, second: ends.map((at) => ({ start: at, stop: at, repeat: 1 })) }
}

/** A night that the clock leaves out in spring must not make the alarm late all year; months are not all as long. */
function longestAhead(calendar: Calendar, timeZone: string, from: Date): number | undefined {
  const soonMs = longestGapMs(calendar, timeZone, from, FORTNIGHT_MS)
  return soonMs === undefined || soonMs > 8 * DAY_MS ? longestGapMs(calendar, timeZone, from) : soonMs
}

/** Runs out of the allowed hours back nothing up. Those that come once a day or less often are meant to be within them. */
const throughClosedHours = (gapMs: number, window: Window | undefined): number =>
  window === undefined ? gapMs : Math.max(gapMs, Math.min(gapMs + closedMs(window), 24 * HOUR_MS))

/** A quarter of the time between, but never less than an hour or more than twelve. */
const slackMs = (gapMs: number): number => Math.min(Math.max(gapMs / 4, HOUR_MS), 12 * HOUR_MS)
