import type { PointFate } from '../../../shared/model/policy.ts'

const RULES = ['pinned', 'last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const
export type Rule = (typeof RULES)[number] | 'others' | 'gone'
const LANES: readonly Rule[] = [...RULES, 'others', 'gone']

export interface Dot {
  readonly id: string
  /** From now (0) to the oldest (1), so that a day counts more the younger it is. */
  readonly place: number
  readonly hasMemory: boolean
}
export interface Lane {
  readonly rule: Rule
  readonly dots: readonly Dot[]
}
export interface Ladder {
  readonly lanes: readonly Lane[]
  readonly ticks: readonly { readonly label: string; readonly place: number }[]
}

const HOUR_MS = 3_600_000
const DAY_H = 24
const TICKS = [
  ['1 h', 1],
  ['1 d', DAY_H],
  ['1 wk', 7 * DAY_H],
  ['1 mo', 30 * DAY_H],
  ['6 mo', 183 * DAY_H],
  ['1 y', 365 * DAY_H],
  ['5 y', 1826 * DAY_H]
] as const

/** More dots in a lane are no longer dots. */
const MOST_DOTS = 120

/** Points on one lane per rule that keeps them, by age. `now`: of simulated points the moment of the newest. */
export function ladderOf(points: readonly PointFate[], now: Date): Ladder {
  const ageHours = ({ takenAt }: PointFate): number => Math.max(0, (now.getTime() - Date.parse(takenAt)) / HOUR_MS)
  const oldest = Math.max(DAY_H, ...points.slice(-1).map(ageHours), ...points.map(ageHours))
  const placeOf = (hours: number): number => Math.log1p(hours) / Math.log1p(oldest)
  const byRule = Map.groupBy(points, ruleOf)
  const lanes = LANES.flatMap((rule) => {
    const ofRule = byRule.get(rule) ?? []
    return ofRule.length === 0 ? [] : [{ rule, dots: ofRule.map((point) => dotOf(point, placeOf(ageHours(point)))) }]
  })
  const ticks = TICKS.filter(([, hours]) => hours <= oldest * 1.02)
  return {
    lanes: lanes.map((lane) => ({ ...lane, dots: thinned(lane.dots) })),
    ticks: ticks.map(([label, hours]) => ({ label, place: Math.min(1, placeOf(hours)) }))
  }
}

const dotOf = ({ id, memory }: PointFate, place: number): Dot => ({ id, place, hasMemory: memory === 'kept' })

/** Evenly, and the first and the last are always there. */
function thinned(dots: readonly Dot[]): readonly Dot[] {
  if (dots.length <= MOST_DOTS) return dots
  const step = (dots.length - 1) / (MOST_DOTS - 1)
  return Array.from({ length: MOST_DOTS }, (_, n) => dots[Math.round(n * step)]).filter((dot) => dot !== undefined)
}

/** The rule that keeps it, by the first word of why. */
function ruleOf({ keep, reasons }: PointFate): Rule {
  if (!keep) return 'gone'
  const word = reasons[0]?.split(' ')[0]
  return RULES.find((rule) => rule === word) ?? 'others'
}

/** How many of the points each rule keeps, for a legend. */
export const countsOf = (points: readonly PointFate[]): ReadonlyMap<Rule, number> =>
  new Map([...Map.groupBy(points, ruleOf)].map(([rule, of]) => [rule, of.length]))
