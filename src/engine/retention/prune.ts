import { fail } from '../../shared/failure.ts'
import type { PointId, Uuid } from '../../shared/model/ids.ts'
import type { Policy, PrunePlan, Pruned, RunEntry } from '../../shared/model/policy.ts'
import type { Shell } from '../../shared/shell.ts'

export type PruneStep = Omit<Extract<RunEntry, { type: 'prune' }>, 'n' | 'at'>

/** A good point that a run has just taken. */
export interface FreshPoint {
  readonly vm: Uuid
  readonly point: PointId
}

/** What the rules would do now; touches nothing. */
export const planPrune = (_shell: Shell, _policy: Policy): Promise<PrunePlan> =>
  Promise.resolve().then(() => fail({ kind: 'usage', message: 'retention is not there yet' }))

/** Does it, for the VMs that have just got these good new points. `journal` has each step on disk before it is taken. */
export const prune = (
  _shell: Shell,
  _policy: Policy,
  _fresh: readonly FreshPoint[],
  _journal: (step: PruneStep) => void
): Promise<Pruned> => Promise.resolve({ trashed: [], removed: [], memoryDropped: [], freedBytes: 0, refused: [] })
