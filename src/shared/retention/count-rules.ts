import type { KeepRules } from '../model/policy.ts'
import { PERIOD_RULES, periodsOf } from './periods.ts'

interface Countable {
  readonly id: string
  readonly takenAt: string
}

const COUNTS = ['last', ...PERIOD_RULES] as const

/** Without a single count there is no rule, and then everything stays. */
export const hasCounts = (rules: KeepRules): boolean => COUNTS.some((rule) => (rules[rule] ?? 0) > 0)

/**
 * Which points the counts keep, and by which of them: id to `daily 2026-11-24`. Points come newest first.
 *
 * Counted as by Proxmox Backup Server (`pbs-datastore/src/prune.rs`, and "Pruning" in its manual): rules go from the shortest
 * period to the longest; each keeps the newest point of so many periods, and only periods with points count. A period in
 * which an earlier rule keeps a point is passed over. What a rule has counted away, as it is not the newest of its period,
 * is out for the rules that follow.
 */
export function keptByCounts(
  points: readonly Countable[],
  rules: KeepRules,
  timeZone: string
): ReadonlyMap<string, string> {
  const kept = new Map<string, string>()
  const out = new Set<string>()
  const last = rules.last ?? 0
  for (const [index, { id }] of points.slice(0, last).entries()) kept.set(id, `last ${index + 1} of ${last}`)
  const dated = points.map((point) => ({ id: point.id, periods: periodsOf(point.takenAt, timeZone) }))
  for (const rule of PERIOD_RULES) {
    const inPeriods = dated.map(({ id, periods }) => ({ id, period: periods[rule] }))
    countPeriods(inPeriods, rules[rule] ?? 0, { kept, out, words: (period) => `${rule} ${period}` })
  }
  return kept
}

interface Counting {
  readonly kept: Map<string, string>
  readonly out: Set<string>
  readonly words: (period: string) => string
}

function countPeriods(
  points: readonly { readonly id: string; readonly period: string }[],
  count: number,
  { kept, out, words }: Counting
): void {
  const covered = new Set(points.filter(({ id }) => kept.has(id)).map(({ period }) => period))
  const counted = new Set<string>()
  for (const { id, period } of points) {
    if (kept.has(id) || out.has(id) || covered.has(period)) continue
    if (counted.has(period)) out.add(id)
    else if (counted.size >= count) return
    else {
      counted.add(period)
      kept.set(id, words(period))
    }
  }
}
