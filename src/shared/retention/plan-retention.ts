import type { KeepRules, PointFate } from '../model/policy.ts'
import { hasCounts, keptByCounts } from './count-rules.ts'
import { flawsOf, type CoveringPoint } from './coverage.ts'

/** A point of one VM under one policy, as the rules see it. */
export interface RetainedPoint extends CoveringPoint {
  readonly sizeBytes: number
  /** Of these, RAM. Undefined: it holds none. */
  readonly memoryBytes?: number | undefined
  readonly pinned: boolean
  /** Its manifest is sound, its files have their sizes, and no check has found it damaged. */
  readonly good: boolean
  /** The point that its disks are built on. */
  readonly parent?: string | undefined
}

/**
 * What the rules say of each point, newest first. Counts on nothing but the points: time that passes without a new one
 * changes nothing, so that a VM whose backups fail keeps all it has.
 */
export function planRetention(
  points: readonly RetainedPoint[],
  rules: KeepRules,
  { timeZone, excludeDisks }: RetentionSetting
): PointFate[] {
  const flaws = flawsOf(points, excludeDisks)
  const sorted = [...points].sort(newestFirst).map((point) => ({ ...point, flaw: flaws.get(point.id) }))
  const reasons = withParents(sorted, reasonsToKeep(sorted, rules, timeZone))
  const memory = memoryKept(sorted, reasons, rules.memory)
  return sorted.map((point) => fateOf(point, reasons.get(point.id) ?? [], memory.has(point.id), rules))
}

export interface RetentionSetting {
  readonly timeZone: string
  /** Disks that the policy leaves out: no point lacks them. */
  readonly excludeDisks?: readonly string[] | undefined
}

interface JudgedPoint extends RetainedPoint {
  /** Undefined: a good point that holds all of its VM's disks, a whole one. */
  readonly flaw: string | undefined
}

type Reasons = ReadonlyMap<string, readonly string[]>

const newestFirst = (a: RetainedPoint, b: RetainedPoint): number =>
  Date.parse(b.takenAt) - Date.parse(a.takenAt) || b.id.localeCompare(a.id)

/** Only whole points count, and pinned ones, which stay anyway, use up no count. */
function reasonsToKeep(sorted: readonly JudgedPoint[], rules: KeepRules, timeZone: string): Reasons {
  const whole = sorted.filter(({ flaw }) => flaw === undefined)
  const counted = keptByCounts(
    whole.filter(({ pinned }) => !pinned),
    rules,
    timeZone
  )
  const floor = new Set(whole.slice(0, rules.floor).map(({ id }) => id))
  const isSafe = (point: RetainedPoint): boolean => enoughNewer(whole, point, rules.floor)
  return new Map(
    sorted.map((point) => [
      point.id,
      firstReasons(point, { rule: counted.get(point.id), inFloor: floor.has(point.id), isSafe, rules })
    ])
  )
}

const enoughNewer = (whole: readonly RetainedPoint[], point: RetainedPoint, floor: number): boolean =>
  whole.filter((other) => newestFirst(other, point) < 0).length >= floor

interface Judged {
  readonly rule: string | undefined
  readonly inFloor: boolean
  readonly isSafe: (point: RetainedPoint) => boolean
  readonly rules: KeepRules
}

function firstReasons(point: JudgedPoint, { rule, inFloor, isSafe, rules }: Judged): string[] {
  const reasons = [...(point.pinned ? ['pinned'] : []), ...(rule === undefined ? [] : [rule])]
  if (reasons.length > 0) return reasons
  if (!hasCounts(rules)) return ['no rule limits how long points stay']
  if (inFloor) return [`one of the last ${rules.floor} good points`]
  if (point.flaw !== undefined && !isSafe(point))
    return [`${point.flaw}, but fewer than ${rules.floor} good points are newer`]
  return []
}

/** A point that others are built on stays as long as they do. */
function withParents(sorted: readonly RetainedPoint[], reasons: Reasons): Reasons {
  const all = new Map(reasons)
  const byId = new Map(sorted.map((point) => [point.id, point]))
  const visit = (id: string): void => {
    const parent = byId.get(byId.get(id)?.parent ?? '')
    if (parent === undefined) return
    const wasKept = (all.get(parent.id) ?? []).length > 0
    if (wasKept) return
    all.set(parent.id, [`${id} is built on it`])
    visit(parent.id)
  }
  for (const { id } of sorted) if ((reasons.get(id) ?? []).length > 0) visit(id)
  return all
}

/** Damaged points are not rewritten: their RAM stays. That of others with a flaw stays too, and uses up no count. */
function memoryKept(sorted: readonly JudgedPoint[], reasons: Reasons, count: number | undefined): ReadonlySet<string> {
  const holding = sorted.filter(({ id, memoryBytes }) => memoryBytes !== undefined && reasons.get(id)?.length)
  const anyway = holding.filter(({ pinned, flaw }) => count === undefined || pinned || flaw !== undefined)
  const counted = holding.filter(({ pinned, flaw }) => !pinned && flaw === undefined).slice(0, count)
  return new Set([...anyway, ...counted].map(({ id }) => id))
}

function fateOf(point: JudgedPoint, reasons: readonly string[], keepsMemory: boolean, { floor }: KeepRules): PointFate {
  const keep = reasons.length > 0
  const memoryBytes = point.memoryBytes ?? 0
  const why = point.flaw === undefined ? 'no rule keeps it' : `${point.flaw}, and ${floor} good points are newer`
  return {
    id: point.id,
    takenAt: point.takenAt,
    sizeBytes: point.sizeBytes,
    keep,
    reasons: keep ? [...reasons] : [why],
    memory: point.memoryBytes === undefined ? 'none' : keepsMemory ? 'kept' : 'dropped',
    freesBytes: keep ? (keepsMemory ? 0 : memoryBytes) : point.sizeBytes
  }
}
