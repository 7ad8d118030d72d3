import { formatTime } from '../../../shared/format.ts'
import type { Scale } from './dots.ts'

type Span = Pick<Scale, 'fromAt' | 'toAt'>

const HOUR_MS = 3_600_000
const MOST = 7
const STEPS_HOURS = [1, 3, 6, 12, 24, 48, 96, 168, 336, 720, 1440, 2880, 8760, 17_520, 43_800]

/** Round moments of this computer's time zone within the span, a handful of them: full hours, or midnights. */
export function timeTicks(span: Span): readonly number[] {
  const hours = stepHours(span)
  const tick = new Date(span.fromAt)
  tick.setHours(0, 0, 0, 0)
  const ticks: number[] = []
  // Stepping by the calendar, not by milliseconds: where clocks change, midnights stay midnights.
  for (; tick.getTime() <= span.toAt; tick.setHours(tick.getHours() + hours))
    if (tick.getTime() >= span.fromAt) ticks.push(tick.getTime())
  return ticks
}

function stepHours({ fromAt, toAt }: Span): number {
  const longest = STEPS_HOURS.at(-1) ?? 1
  return STEPS_HOURS.find((hours) => (toAt - fromAt) / (hours * HOUR_MS) <= MOST) ?? longest
}

/** The day; within a day or two the time as well. */
export function tickText(at: number, span: Span): string {
  const text = formatTime(new Date(at).toISOString())
  return stepHours(span) < 24 ? text.slice(5, 16) : text.slice(0, 10)
}
