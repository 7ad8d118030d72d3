import type { Expect } from './cover.ts'
import type { Schedule } from './model/policy.ts'
import { expectedWithinMs } from './schedule/expectation.ts'
import { isTimeZone } from './schedule/time-zone.ts'

const HOUR_MS = 3_600_000
const MOST_KEPT = 1000
const kept = new Map<string, number | undefined>()

/** What the policy says itself, else what its schedule comes to. */
export const promisedAge: Expect = ({ expectEveryHours, schedule }, timeZone, now) =>
  expectEveryHours === undefined ? bySchedule(schedule, timeZone, now) : expectEveryHours * HOUR_MS

/** A year of runs is gone through for it: once for each schedule and day. */
function bySchedule(schedule: Schedule, timeZone: string, now: Date): number | undefined {
  const { calendar, jitterSeconds, window } = schedule
  const day = now.toISOString().slice(0, 10)
  const key = JSON.stringify([day, timeZone, calendar, jitterSeconds, window])
  if (kept.has(key)) return kept.get(key)
  const zone = isTimeZone(timeZone) ? timeZone : 'UTC'
  const ageMs = expectedWithinMs(schedule, zone, new Date(`${day}T00:00:00Z`))
  if (kept.size >= MOST_KEPT) kept.clear()
  kept.set(key, ageMs)
  return ageMs
}
