import type { PointFate, VmFate } from '../../../shared/model/policy.ts'

/** A point's fate, and whose point it is. */
export interface VmPointFate {
  readonly vm: VmFate['vm']
  readonly fate: PointFate
}

/** Every point of all of them, newest first. */
export const fatesOf = (vms: readonly VmFate[]): readonly VmPointFate[] =>
  vms
    .flatMap(({ vm, points }) => points.map((fate) => ({ vm, fate })))
    .sort((a, b) => b.fate.takenAt.localeCompare(a.fate.takenAt))

/** Those of which something goes: all of it, or its RAM. */
export const fatesGoing = (vms: readonly VmFate[]): readonly VmPointFate[] =>
  fatesOf(vms).filter(({ fate }) => isGoing(fate))

export const isGoing = ({ keep, memory }: PointFate): boolean => !keep || memory === 'dropped'

export interface FateTotals {
  readonly kept: number
  readonly keptBytes: number
  readonly going: number
  readonly freesBytes: number
  readonly memoryDropped: number
}

export function totalsOf(fates: readonly PointFate[]): FateTotals {
  const kept = fates.filter(({ keep }) => keep)
  const bytes = (of: (fate: PointFate) => number): number => fates.reduce((sum, fate) => sum + of(fate), 0)
  const freesBytes = bytes((fate) => fate.freesBytes)
  return {
    kept: kept.length,
    keptBytes: bytes(({ sizeBytes }) => sizeBytes) - freesBytes,
    going: fates.length - kept.length,
    freesBytes,
    memoryDropped: kept.filter(({ memory }) => memory === 'dropped').length
  }
}
