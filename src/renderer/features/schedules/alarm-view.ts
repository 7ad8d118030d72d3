import { formatDuration } from '../../../shared/format.ts'
import { expectedWithinMs } from '../../../shared/schedule/expectation.ts'
import { parseCalendar } from '../../../shared/schedule/calendar.ts'
import { numberIn } from './keep-form.ts'
import { calendarText, type WhenForm } from './when-form.ts'

/** After how long without a good point a VM is an alarm where the policy does not say: `30 h`. */
export function standardAlarm(when: WhenForm, timeZone: string, now: Date): string | undefined {
  const calendar = calendarText(when)
  if ('problem' in parseCalendar(calendar)) return undefined
  const jitterSeconds = Math.round((numberIn(when.jitterMinutes, 0, 1440) ?? 0) * 60)
  return formatDuration(expectedWithinMs({ calendar, jitterSeconds }, timeZone, now))
}
