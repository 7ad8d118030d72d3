import type { Policy } from '../../shared/model/policy.ts'
import { nextRuns, parseCalendar } from '../../shared/schedule/calendar.ts'

/** When the calendar wants the policy next, jitter aside; behind its pause where it is paused. Undefined: never. */
export function nextRunAt({ schedule, pausedUntil }: Policy, now: Date, zone: string): string | undefined {
  const calendar = parseCalendar(schedule.calendar)
  if ('problem' in calendar) return undefined
  const after = Math.max(now.getTime(), pausedUntil === undefined ? 0 : Date.parse(pausedUntil))
  return nextRuns(calendar, zone, new Date(after), 1)[0]?.toISOString()
}
