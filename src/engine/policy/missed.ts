import type { Policy, RunReport } from '../../shared/model/policy.ts'
import { parseCalendar, type Calendar } from '../../shared/schedule/calendar.ts'
import { missedRuns, scheduledFor } from '../../shared/schedule/missed.ts'

/** Each of these is told with its reason, the others are counted. */
const TOLD = 50

export interface Timing {
  readonly timeZone: string
  readonly now: Date
  /** When this host was last started. */
  readonly bootedAt: Date
  /** Earlier runs of the policy, newest first. */
  readonly earlier: readonly RunReport[]
  /** By which a run began. Undefined: nobody can tell. */
  readonly calendarOf: (run: RunReport) => string | undefined
}

export type Due = Pick<RunReport, 'scheduledFor' | 'missed' | 'missedCount'>

/** What a run that the timer has started is for, and what the calendar wanted since the one before and did not get. */
export function due(policy: Policy, timing: Timing): Due {
  const calendar = parsed(policy.schedule.calendar)
  const scheduled = calendar && scheduledFor(calendar, timing.timeZone, timing.now)
  if (calendar === undefined || scheduled === undefined) return { missed: [], missedCount: 0 }
  const lastScheduled = countsFrom(policy, timing)
  const { runs, count } =
    lastScheduled === undefined
      ? { runs: [], count: 0 }
      : missedRuns({ calendar, timeZone: timing.timeZone, lastScheduled, scheduled, limit: TOLD })
  return {
    scheduledFor: scheduled.toISOString(),
    missed: runs.map((at) => ({ at: at.toISOString(), reason: whyMissed(at, timing) })),
    missedCount: count
  }
}

/**
 * What the run before was for. What an earlier calendar wanted is no concern of this one, so it counts from the policy's
 * change where that brought it, and not from any other change. What a clock that was ahead has noted does not count.
 */
function countsFrom({ schedule, changedAt }: Policy, { earlier, calendarOf, now }: Timing): Date | undefined {
  const isPast = (at: string | undefined): at is string => at !== undefined && Date.parse(at) <= now.getTime()
  const last = earlier.find((run) => isPast(run.scheduledFor))
  const isOfThis = last !== undefined && calendarOf(last) === schedule.calendar
  const starts = [last?.scheduledFor, isOfThis ? undefined : changedAt].filter(isPast)
  return starts.length === 0 ? undefined : new Date(Math.max(...starts.map(Date.parse)))
}

function whyMissed(at: Date, { earlier, bootedAt }: Timing): string {
  if (earlier.some((run) => coversTime(run, at))) return 'the run before was still going'
  return at < bootedAt ? 'the host was off' : 'the host was asleep, or its clock was changed'
}

/** A run that was interrupted has ended some time before its recovery noted it. */
const coversTime = ({ startedAt, endedAt, reason = '' }: RunReport, at: Date): boolean =>
  !reason.startsWith('interrupted') &&
  Date.parse(startedAt) <= at.getTime() &&
  at.getTime() < (endedAt === undefined ? Infinity : Date.parse(endedAt))

function parsed(text: string): Calendar | undefined {
  const calendar = parseCalendar(text)
  return 'problem' in calendar ? undefined : calendar
}
