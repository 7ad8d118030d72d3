import type { Policy } from '../model/policy.ts'
import { nextRuns, parseCalendar } from './calendar.ts'

type Planned = Pick<Policy, 'schedule' | 'pausedUntil'>

/** When the calendar wants the policy next, jitter aside; behind its pause where it is paused. Undefined: never. */
export function nextRunAt({ schedule, pausedUntil }: Planned, timeZone: string, now: Date): string | undefined {
  const calendar = parseCalendar(schedule.calendar)
  if ('problem' in calendar) return undefined
  const after = Math.max(now.getTime(), pausedUntil === undefined ? 0 : Date.parse(pausedUntil))
  return nextRuns(calendar, timeZone, new Date(after), 1)[0]?.toISOString()
}
