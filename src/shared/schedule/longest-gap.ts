import { planOf, runDays, type DayRuns } from './calendar-days.ts'
import type { Calendar } from './calendar.ts'

const YEAR_SECONDS = 366 * 86_400

/**
 * The longest time between two runs that follow each other, of those that begin in the coming year, or of the next two
 * if they are later; undefined where there are no two more. Throws RangeError at a zone that is not known here.
 */
export function longestGapMs(calendar: Calendar, timeZone: string, from: Date): number | undefined {
  const plan = planOf(calendar, timeZone)
  const usual = longestStep(plan.times)
  const end = from.getTime() / 1000 + YEAR_SECONDS
  let longest = 0
  let last: number | undefined
  for (const day of runDays(plan, from)) {
    const first = day.shift + (day.times[0] ?? 0)
    longest = Math.max(longest, first - (last ?? first))
    if (longest > 0 && first > end) break
    longest = Math.max(longest, day.times === plan.times ? usual : longestStep(day.times))
    last = lastOf(day)
  }
  return longest > 0 ? longest * 1000 : undefined
}

const lastOf = ({ shift, times }: DayRuns): number => shift + (times.at(-1) ?? 0)

const longestStep = (times: readonly number[]): number =>
  times.reduce((longest, time, at) => Math.max(longest, time - (times[at - 1] ?? time)), 0)
