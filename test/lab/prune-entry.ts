import { text } from 'node:stream/consumers'
import { knowStore } from '../../src/engine/retention/known-stores.ts'
import { planPrune, prune, type FreshPoint } from '../../src/engine/retention/prune.ts'
import { Policy, type PrunePlan, type Pruned } from '../../src/shared/model/policy.ts'
import { localShell } from '../../src/shell/local.ts'

/** What the lab asks of the engine's own prune, without a run round it. */
export interface PruneAsked {
  readonly policy: Policy
  readonly fresh: readonly FreshPoint[]
  /** As saving the policy does. */
  readonly know?: boolean
}
export interface PruneAnswer {
  readonly plan: PrunePlan
  readonly pruned: Pruned
  readonly steps: readonly string[]
}

const { policy: asked, fresh, know } = JSON.parse(await text(process.stdin)) as PruneAsked
const policy = Policy.parse(asked)
const shell = localShell()
if (know === true) await knowStore(policy.store, false)
const plan = await planPrune(shell, policy)
const steps: string[] = []
const pruned = await prune(shell, policy, fresh, ({ action, point, done }) =>
  steps.push(`${done ? 'done' : 'begun'} ${action} ${point}`)
)
process.stdout.write(JSON.stringify({ plan, pruned, steps } satisfies PruneAnswer))
