import { formatDuration } from '../../../shared/format.ts'
import { expectedWithinMs } from '../../../shared/schedule/expectation.ts'
import { numberIn } from './keep-form.ts'
import { calendarText, type WhenForm } from './when-form.ts'

/** After how long without a good point a VM is an alarm where the policy does not say: `30 h`. */
export function standardAlarm(when: WhenForm, timeZone: string, now: Date): string | undefined {
  const jitterSeconds = Math.round((numberIn(when.jitterMinutes, 0, 1440) ?? 0) * 60)
  const withinMs = expectedWithinMs({ calendar: calendarText(when), jitterSeconds }, timeZone, now)
  return withinMs === undefined ? undefined : formatDuration(withinMs)
}
