import { planOf, runBlocks, type RunBlock } from './calendar-days.ts'
import type { Calendar } from './calendar.ts'

const DAY_MS = 86_400_000
const YEAR_MS = 366 * DAY_MS

/**
 * The longest time between two runs that follow each other, the first of them within the coming year or as said; where the
 * next two are later than that, the time between those. Undefined where there are no two more. Throws RangeError at a zone that is not
 * known here.
 */
export function longestGapMs(calendar: Calendar, timeZone: string, from: Date, withinMs = YEAR_MS): number | undefined {
  const plan = planOf(calendar, timeZone)
  const usual = longestStep({ shift: 0, times: plan.dayTimes }, Infinity)
  const end = (from.getTime() + withinMs) / 1000
  let longest = 0
  let last: number | undefined
  for (const block of runBlocks(plan, from)) {
    if (longest > 0 && last !== undefined && last > end) break
    const first = block.shift + (block.times[0] ?? 0)
    longest = Math.max(longest, first - (last ?? first))
    last = lastOf(block)
    const isUsual = block.times === plan.dayTimes && last <= end
    longest = Math.max(longest, isUsual ? usual : longestStep(block, longest > 0 ? end : Infinity))
  }
  return longest > 0 ? longest * 1000 : undefined
}

const lastOf = ({ shift, times }: RunBlock): number => shift + (times.at(-1) ?? 0)

/** Between two of them, the first not after `end`. */
const longestStep = ({ shift, times }: RunBlock, end: number): number =>
  times.reduce((longest, time, at) => {
    const before = times[at - 1] ?? time
    return shift + before > end ? longest : Math.max(longest, time - before)
  }, 0)
