import type { Policy, Schedule } from '../../../shared/model/policy.ts'
import { knownZone } from '../../../shared/host-time.ts'
import { nextRuns, parseCalendar } from '../../../shared/schedule/calendar.ts'
import { isWithin } from '../../../shared/schedule/window.ts'
import { clockChanges, type ClockChange } from './clock-changes.ts'
import { pausedNow } from './policy-words.ts'

export interface NextRunsShown {
  readonly runs: readonly { readonly at: string; readonly isOutside: boolean }[]
  readonly changes: readonly ClockChange[]
  /** `until`: undefined where it is for good, and there are no runs. */
  readonly paused: { readonly until?: string } | undefined
}

const SHOWN = 5

type Timed = Pick<Schedule, 'calendar' | 'window'> & Pick<Policy, 'pausedUntil'>

/** The next five times that a schedule names and no pause leaves out; undefined while its expression is none. */
export function nextRunsShown(timed: Timed, timeZone: string, now: Date): NextRunsShown | undefined {
  const calendar = parseCalendar(timed.calendar)
  if ('problem' in calendar) return undefined
  const zone = knownZone(timeZone)
  const paused = pausedNow(timed, now)
  if (paused !== undefined && paused.until === undefined) return { runs: [], changes: [], paused }
  const { window } = timed
  return {
    runs: nextRuns(calendar, zone, new Date(paused?.until ?? now), SHOWN).map((at) => ({
      at: at.toISOString(),
      isOutside: window !== undefined && !isWithin(window, zone, at)
    })),
    changes: clockChanges(calendar, zone, now),
    paused
  }
}
