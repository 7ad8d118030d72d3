import { clockThere, dayThere } from '../../../shared/host-time.ts'
import { runsBetween, type Calendar } from '../../../shared/schedule/calendar.ts'

/** What a change of the clock does to a schedule. */
export interface ClockChange {
  /** `28 Mar 2027`. */
  readonly day: string
  /** The time that the calendar names, on the clock there: `02:30`. */
  readonly time: string
  /** `skipped`: the clock leaps over it. `twice`: the clock shows it twice, and the first counts. */
  readonly what: 'skipped' | 'twice'
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** More runs a day than this: one of them more or less is no news. */
const FEW = 6
const LONGEST_DAY_MS = 26 * HOUR_MS

/** Over the coming year, soonest first. */
export function clockChanges(calendar: Calendar, hostZone: string, from: Date): readonly ClockChange[] {
  const zone = calendar.timeZone ?? hostZone
  const wall = { ...calendar, timeZone: undefined }
  return daysOfChange(zone, from).flatMap((day) => changesOn(day, wall, zone))
}

/** Midnight in UTC of each day whose clock there is set. */
function daysOfChange(zone: string, from: Date): readonly Date[] {
  const noon = Math.floor(from.getTime() / DAY_MS) * DAY_MS + DAY_MS / 2
  const days = Array.from({ length: 366 }, (_, n) => new Date(noon + n * DAY_MS))
  return days
    .filter(
      (day, n) =>
        n > 0 && wallOf(day, zone) - day.getTime() !== wallOf(days[n - 1] ?? day, zone) - (days[n - 1] ?? day).getTime()
    )
    .map((day) => new Date(Math.floor(wallOf(day, zone) / DAY_MS) * DAY_MS))
}

/** What the clock there shows, as if it were UTC. */
function wallOf(at: Date, zone: string): number {
  const [hour = '0', minute = '0', second = '0'] = clockThere(at, zone).split(':')
  return Date.parse(`${dayThere(at, zone)} UTC`) + ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000
}

function changesOn(day: Date, wall: Calendar, zone: string): readonly ClockChange[] {
  const before = new Date(day.getTime() - 1)
  const wanted = runsBetween(wall, 'UTC', before, new Date(day.getTime() + DAY_MS), FEW + 1)
  if (wanted.count > FEW) return []
  const around = { from: new Date(day.getTime() - LONGEST_DAY_MS), to: new Date(day.getTime() + 2 * DAY_MS) }
  const real = runsBetween(wall, zone, around.from, around.to, 10 * FEW).runs
  return wanted.runs.flatMap((time) => {
    const what = fateOf(time.getTime(), real, zone)
    return what === undefined ? [] : [{ day: dayThere(time, 'UTC'), time: clockThere(time, 'UTC'), what }]
  })
}

function fateOf(time: number, real: readonly Date[], zone: string): ClockChange['what'] | undefined {
  const at = real.find((run) => wallOf(run, zone) === time)
  if (at === undefined) return 'skipped'
  const isShownAgain = [HOUR_MS / 2, HOUR_MS].some((later) => wallOf(new Date(at.getTime() + later), zone) === time)
  return isShownAgain ? 'twice' : undefined
}
