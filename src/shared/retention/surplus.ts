import type { KeepRules } from '../model/policy.ts'
import { flawsOf } from './coverage.ts'
import { planRetention, type RetainedPoint, type RetentionSetting } from './plan-retention.ts'

/** A point that no rule keeps, and what has to be as good as it before it may go ahead of a new one. */
export interface Surplus {
  readonly id: string
  /** Why no rule keeps it. */
  readonly why: string
  /** Whole points that are newer, newest first; so many of them as the floor says must be proven good by their hashes. */
  readonly newer: readonly string[]
}

/** What may make room in a full store before there is a new point: oldest first. */
export function surplusOf(
  points: readonly RetainedPoint[],
  rules: KeepRules,
  setting: RetentionSetting
): readonly Surplus[] {
  const flaws = flawsOf(points, setting.excludeDisks)
  const fates = planRetention(points, rules, setting)
  return fates
    .flatMap(({ id, keep, reasons }, index) => {
      if (keep) return []
      const newer = fates.slice(0, index).flatMap((fate) => (flaws.has(fate.id) ? [] : [fate.id]))
      return newer.length < rules.floor ? [] : [{ id, why: reasons.join(', '), newer }]
    })
    .reverse()
}
