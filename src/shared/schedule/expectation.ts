import type { Schedule } from '../model/policy.ts'
import { parseCalendar } from './calendar.ts'
import { longestGapMs } from './longest-gap.ts'

const HOUR_MS = 3_600_000

/**
 * How old a VM's newest good point may be before it is silence: the longest time between two runs of the coming year, with
 * their jitter and time for the work. Undefined where the calendar expects no two more runs, or cannot be understood.
 */
export function expectedWithinMs(schedule: Schedule, timeZone: string, from: Date): number | undefined {
  const calendar = parseCalendar(schedule.calendar)
  const gapMs = 'problem' in calendar ? undefined : longestGapMs(calendar, timeZone, from)
  return gapMs === undefined ? undefined : gapMs + schedule.jitterSeconds * 1000 + slackMs(gapMs)
}

/** A quarter of the time between, but never less than an hour or more than twelve. */
const slackMs = (gapMs: number): number => Math.min(Math.max(gapMs / 4, HOUR_MS), 12 * HOUR_MS)
