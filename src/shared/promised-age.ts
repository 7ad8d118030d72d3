import type { Expect } from './cover.ts'
import { longestBetweenMs, withinMs } from './schedule/expectation.ts'
import { isTimeZone } from './schedule/time-zone.ts'

const HOUR_MS = 3_600_000
/** Calendars of a host that are reckoned in a day: twice as many as it has, of which most are alike. */
const MOST_OF_HOST = 200

interface Reckoned {
  readonly day: string
  readonly betweenMs: Map<string, number | undefined>
}
/** By host: one that makes up more has what it promises unknown, and no other less. */
const ofHosts = new Map<string, Reckoned>()

/** What the policy says itself, else what its schedule comes to. */
export const promisedAge: Expect = ({ expectEveryHours, schedule }, { host, timeZone }, now) => {
  if (expectEveryHours !== undefined) return expectEveryHours * HOUR_MS
  const between = betweenMs(schedule.calendar, host, timeZone, now)
  return between === undefined ? undefined : withinMs(between, schedule)
}

/** A year of runs is gone through for it: once for each calendar and day. */
function betweenMs(calendar: string, host: string, timeZone: string, now: Date): number | undefined {
  const day = now.toISOString().slice(0, 10)
  const last = ofHosts.get(host)
  const known = last?.day === day ? last : { day, betweenMs: new Map<string, number | undefined>() }
  ofHosts.set(host, known)
  const key = `${timeZone}\0${calendar}`
  if (!known.betweenMs.has(key) && known.betweenMs.size < MOST_OF_HOST)
    known.betweenMs.set(
      key,
      longestBetweenMs(calendar, isTimeZone(timeZone) ? timeZone : 'UTC', new Date(`${day}T00:00:00Z`))
    )
  return known.betweenMs.get(key)
}
