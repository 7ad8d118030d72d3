import type { Schedule } from '../model/policy.ts'
import { timeZone as zoneOf, type TimeZone } from './time-zone.ts'

/** Hours of the host in which backups may begin. Over midnight where it ends before it begins; all day where both are the same. */
export type Window = NonNullable<Schedule['window']>

const DAY = 86_400
const MINUTE = 60

const secondsOf = (time: string): number => (Number(time.slice(0, 2)) * 60 + Number(time.slice(3))) * MINUTE

/** How long a day of 24 hours is closed to backups. */
export function closedMs({ from, to }: Window): number {
  const open = secondsOf(to) - secondsOf(from)
  return (DAY - (open > 0 ? open : open + DAY)) * 1000
}

/** The first minute is in it, the last is not. Throws RangeError at a zone that is not known here. */
export function isWithin(window: Window, timeZone: string, at: Date): boolean {
  const time = zoneOf(timeZone).civil(at.getTime() / 1000).seconds % DAY
  const [from, to] = [secondsOf(window.from), secondsOf(window.to)]
  return from < to ? time >= from && time < to : time >= from || time < to
}

/**
 * When the clocks next show the end of it, strictly after a time. An end that they leap over is the moment of the leap; of one
 * that they show twice the first counts, unless that is past. Throws RangeError at a zone that is not known here.
 */
export function windowEnd(window: Window, timeZone: string, at: Date): Date {
  const zone = zoneOf(timeZone)
  const today = zone.civil(at.getTime() / 1000).day
  const ends = [0, 1, 2].flatMap((days) => endsOn(zone, (today + days) * DAY + secondsOf(window.to)))
  return new Date(ends.map((end) => end * 1000).find((end) => end > at.getTime()) ?? at.getTime() + DAY * 1000)
}

/** The first minute after a leap, where this one is leapt over. */
function endsOn(zone: TimeZone, civil: number): number[] {
  for (let later = civil; later < civil + DAY; later += MINUTE) {
    const instants = zone.instants(later)
    if (instants.length > 0) return instants
  }
  return []
}
