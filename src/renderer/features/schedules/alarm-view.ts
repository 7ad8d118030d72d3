import { formatDuration } from '../../../shared/format.ts'
import { expectedWithinMs } from '../../../shared/schedule/expectation.ts'
import type { Policy } from '../../../shared/model/policy.ts'
import { numberIn } from './keep-form.ts'
import { calendarText, type WhenForm } from './when-form.ts'

/** After how long without a good point a VM is an alarm where the policy does not say: `30 h`. */
export function standardAlarm(when: WhenForm, timeZone: string, now: Date): string | undefined {
  const jitterSeconds = Math.round((numberIn(when.jitterMinutes, 0, 1440) ?? 0) * 60)
  const withinMs = expectedWithinMs({ calendar: calendarText(when), jitterSeconds }, timeZone, now)
  return withinMs === undefined ? undefined : formatDuration(withinMs)
}

const HOUR_MS = 3_600_000

/** After how long without a good point a VM of this policy is an alarm. Undefined: never. */
export const alarmAfterMs = (
  { expectEveryHours, schedule }: Pick<Policy, 'expectEveryHours' | 'schedule'>,
  timeZone: string,
  now: Date
): number | undefined =>
  expectEveryHours === undefined ? expectedWithinMs(schedule, timeZone, now) : expectEveryHours * HOUR_MS
