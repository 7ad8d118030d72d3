import type { KeepRules } from '../../../src/shared/model/policy.ts'
import type { RetainedPoint } from '../../../src/shared/retention/plan-retention.ts'
import { planRetention } from '../../../src/shared/retention/plan-retention.ts'

export const GRACE = { graceHours: 24 }
/** Rules without a floor to speak of, so that only the counts are seen. */
export const counts = (rules: Partial<KeepRules>): KeepRules => ({ floor: 1, ...GRACE, ...rules })

/** `2026-11-22T20:17:44Z` as the id of a point of that instant. */
export const idAt = (at: string, tail = '000000'): string =>
  `${new Date(at).toISOString().replaceAll(/[-:]|\.\d+/g, '')}-${tail}`

export const pointAt = (at: string, change: Partial<RetainedPoint> = {}): RetainedPoint => ({
  id: idAt(at),
  takenAt: new Date(at).toISOString(),
  sizeBytes: 1000,
  pinned: false,
  good: true,
  disks: [{ target: 'vda', source: '/images/web.qcow2' }],
  ...change
})

/** Times of what stays, oldest first. */
export const survivors = (points: readonly RetainedPoint[], rules: KeepRules, timeZone = 'UTC'): string[] =>
  survivingPoints(points, rules, timeZone).map(({ takenAt }) => takenAt.replace('.000Z', 'Z'))

export function survivingPoints(points: readonly RetainedPoint[], rules: KeepRules, timeZone = 'UTC'): RetainedPoint[] {
  const kept = new Set(planRetention(points, rules, { timeZone }).flatMap(({ id, keep }) => (keep ? [id] : [])))
  return points.filter(({ id }) => kept.has(id)).sort((a, b) => a.takenAt.localeCompare(b.takenAt))
}
