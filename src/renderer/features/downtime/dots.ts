import { downMs, type Downtime } from '../../../shared/downtimes.ts'

/** One mark of the chart. */
export interface Dot {
  /** Epoch, ms. */
  readonly at: number
  readonly ms: number
  readonly entry: Downtime
  /** Others that fall on the same spot and are not drawn. */
  readonly hidden: number
}

/** The scale is logarithmic: nothing on it is shorter, and what is longer stands at its upper edge. */
const SHORTEST_MS = 1
const LONGEST_MS = 24 * 3_600_000

const DAY_MS = 24 * 3_600_000
/** So long the history of a hundred VMs goes back. */
const OLDEST_MS = 2 * 365 * DAY_MS

/**
 * Of what the chart has room for: the chart is one for all hosts, and the clock of one, or what it says of it, must not press the marks
 * of the others into one line.
 */
export const dotsOf = (entries: readonly Downtime[], now: Date): readonly Dot[] =>
  measured(entries).filter(({ at }) => at >= now.getTime() - OLDEST_MS && at <= now.getTime() + DAY_MS)

/** How many there are that are not on the chart: older than two years, or of time to come. */
export const offChart = (entries: readonly Downtime[], now: Date): number =>
  measured(entries).length - dotsOf(entries, now).length

const measured = (entries: readonly Downtime[]): readonly Dot[] =>
  entries.flatMap((entry) => {
    const ms = downMs(entry)
    if (ms === undefined) return []
    return [{ at: Date.parse(entry.at), ms: Math.min(Math.max(ms, SHORTEST_MS), LONGEST_MS), entry, hidden: 0 }]
  })

export interface Scale {
  readonly fromAt: number
  readonly toAt: number
  /** Powers of ten that hold all dots and the budget. */
  readonly lowMs: number
  readonly highMs: number
  readonly ticksMs: readonly number[]
}

const HOUR_MS = 3_600_000

export function scaleOf(dots: readonly Dot[], budgetMs: number): Scale {
  const values = [...dots.map(({ ms }) => ms), budgetMs]
  const times = dots.map(({ at }) => at)
  const low = Math.floor(Math.log10(least(values)))
  const high = Math.max(low + 1, Math.ceil(Math.log10(greatest(values))))
  const [fromAt, toAt] = [least(times), greatest(times)]
  const margin = Math.max(HOUR_MS, (toAt - fromAt) / 40)
  return {
    fromAt: fromAt - margin,
    toAt: toAt + margin,
    lowMs: 10 ** low,
    highMs: 10 ** high,
    ticksMs: Array.from({ length: high - low + 1 }, (_, n) => 10 ** (low + n))
  }
}

// Spreading ten thousand arguments is more than some engines take.
const least = (values: readonly number[]): number => values.reduce((a, b) => Math.min(a, b), Infinity)
const greatest = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), -Infinity)

/** One dot for each spot: of many jobs the picture stays the same, and the page quick. The longest is kept. */
export function thinned(dots: readonly Dot[], scale: Scale, columns: number, rows: number): readonly Dot[] {
  const spots = new Map<number, Dot>()
  for (const dot of dots) {
    const spot = columnOf(dot, scale, columns) * rows + rowOf(dot, scale, rows)
    const there = spots.get(spot)
    if (there === undefined) spots.set(spot, dot)
    else spots.set(spot, { ...(dot.ms > there.ms ? dot : there), hidden: there.hidden + 1 })
  }
  return [...spots.values()]
}

const columnOf = ({ at }: Dot, { fromAt, toAt }: Scale, columns: number): number =>
  Math.floor(((at - fromAt) / (toAt - fromAt)) * columns)

const rowOf = ({ ms }: Dot, { lowMs, highMs }: Scale, rows: number): number =>
  Math.floor((Math.log(ms / lowMs) / Math.log(highMs / lowMs)) * (rows - 1))
