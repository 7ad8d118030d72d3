import { planOf, runBlocks, type RunBlock } from './calendar-days.ts'
import type { Calendar } from './calendar.ts'

const YEAR_SECONDS = 366 * 86_400

/**
 * The longest time between two runs that follow each other, of those that begin in the coming year, or of the next two
 * if they are later; undefined where there are no two more. Throws RangeError at a zone that is not known here.
 */
export function longestGapMs(calendar: Calendar, timeZone: string, from: Date): number | undefined {
  const plan = planOf(calendar, timeZone)
  const usual = longestStep(plan.dayTimes)
  const end = from.getTime() / 1000 + YEAR_SECONDS
  let longest = 0
  let last: number | undefined
  for (const block of runBlocks(plan, from)) {
    const first = block.shift + (block.times[0] ?? 0)
    longest = Math.max(longest, first - (last ?? first))
    if (longest > 0 && first > end) break
    longest = Math.max(longest, block.times === plan.dayTimes ? usual : longestStep(block.times))
    last = lastOf(block)
  }
  return longest > 0 ? longest * 1000 : undefined
}

const lastOf = ({ shift, times }: RunBlock): number => shift + (times.at(-1) ?? 0)

const longestStep = (times: readonly number[]): number =>
  times.reduce((longest, time, at) => Math.max(longest, time - (times[at - 1] ?? time)), 0)
