import { fail } from '../../shared/failure.ts'
import type { Policy, PrunePlan, Pruned, RunEntry } from '../../shared/model/policy.ts'
import type { Shell } from '../../shared/shell.ts'

type PruneStep = Omit<Extract<RunEntry, { type: 'prune' }>, 'n' | 'at'>

/** What the rules would do now; touches nothing. */
export const planPrune = (_shell: Shell, _policy: Policy): Promise<PrunePlan> =>
  Promise.resolve().then(() => fail({ kind: 'usage', message: 'retention is not there yet' }))

/** Does it, for these VMs, which have just got a good new point. `journal` has each step on disk before it is taken. */
export const prune = (
  _shell: Shell,
  _policy: Policy,
  _vms: readonly string[],
  _journal: (step: PruneStep) => void
): Promise<Pruned> => Promise.resolve({ trashed: [], removed: [], memoryDropped: [], freedBytes: 0, refused: [] })
