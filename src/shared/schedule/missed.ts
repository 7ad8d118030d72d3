import { blocksOfDay, matchesDay, planOf, type RunBlock } from './calendar-days.ts'
import { runsBetween, type Calendar } from './calendar.ts'

/**
 * What a run that began then is for: the latest time at or before it that the calendar wanted; undefined where there is none
 * since 1970. systemd begins later by the jitter, and long after when it catches up; however late, it runs once for all
 * that lies behind, and counts from there. Throws RangeError at a zone that is not known here.
 */
export function scheduledFor(calendar: Calendar, timeZone: string, startedAt: Date): Date | undefined {
  const plan = planOf(calendar, timeZone)
  for (let day = plan.zone.civil(startedAt.getTime() / 1000).day; day >= 0; day--) {
    const found = matchesDay(plan, day) ? lastUpTo([...blocksOfDay(plan, day)], startedAt) : undefined
    if (found !== undefined) return found
  }
  return undefined
}

function lastUpTo(blocks: readonly RunBlock[], at: Date): Date | undefined {
  for (const { shift, times } of blocks.toReversed()) {
    const time = times.findLast((each) => (shift + each) * 1000 <= at.getTime())
    if (time !== undefined) return new Date((shift + time) * 1000)
  }
  return undefined
}

/**
 * What the calendar wanted strictly between what the last run was for and what this one is for: the first `limit` of it, and
 * how many in all. None where this one is for nothing later, as after a clock that was set back.
 */
export function missedRuns({
  calendar,
  timeZone,
  lastScheduled,
  scheduled,
  limit
}: {
  calendar: Calendar
  timeZone: string
  lastScheduled: Date
  scheduled: Date
  limit: number
}): { runs: Date[]; count: number } {
  return runsBetween(calendar, timeZone, lastScheduled, scheduled, limit)
}
