import type { Schedule } from '../../../shared/model/policy.ts'
import { knownZone } from '../../../shared/host-time.ts'
import { nextRuns, parseCalendar } from '../../../shared/schedule/calendar.ts'
import { isWithin } from '../../../shared/schedule/window.ts'
import { clockChanges, type ClockChange } from './clock-changes.ts'

export interface NextRunsShown {
  readonly runs: readonly { readonly at: string; readonly isOutside: boolean }[]
  readonly changes: readonly ClockChange[]
}

const SHOWN = 5

/** The next five times that a schedule names; undefined while its expression is none. */
export function nextRunsShown(
  { calendar: text, window }: Pick<Schedule, 'calendar' | 'window'>,
  timeZone: string,
  now: Date
): NextRunsShown | undefined {
  const calendar = parseCalendar(text)
  if ('problem' in calendar) return undefined
  const zone = knownZone(timeZone)
  return {
    runs: nextRuns(calendar, zone, now, SHOWN).map((at) => ({
      at: at.toISOString(),
      isOutside: window !== undefined && !isWithin(window, zone, at)
    })),
    changes: clockChanges(calendar, zone, now)
  }
}
