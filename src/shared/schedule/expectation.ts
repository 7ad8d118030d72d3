import type { Schedule } from '../model/policy.ts'
import { parseCalendar, type Calendar } from './calendar.ts'
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
  const calendar = parseCalendar(schedule.calendar)
  const betweenMs = 'problem' in calendar ? undefined : longestAhead(calendar, timeZone, from)
  if (betweenMs === undefined) return undefined
  const gapMs = throughClosedHours(betweenMs, schedule.window)
  return gapMs + schedule.jitterSeconds * 1000 + slackMs(gapMs)
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
