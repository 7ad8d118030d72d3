import { failureOf } from '../../shared/failure.ts'
import { describeFailure } from '../../shared/failure-words.ts'
import type { PointId, Uuid } from '../../shared/model/ids.ts'
import type { Policy, PrunePlan, Pruned, VmFate } from '../../shared/model/policy.ts'
import { planRetention } from '../../shared/retention/plan-retention.ts'
import type { Shell } from '../../shared/shell.ts'
import { listPoints } from '../../store/point-store.ts'
import { listTrash } from '../../store/trash.ts'
import { hostTimeZone } from '../tell/host-time.ts'
import { restoreOf } from './being-restored.ts'
import { clockNow, hostClockProblem } from './clock.ts'
import { requireKnownStore } from './known-stores.ts'
import { pointsOfPolicy, type VmPoints } from './policy-points.ts'
import { pruneVm, type PruneStep, type Pruning } from './prune-vm.ts'

/** A good point that a run has just taken. */
export interface FreshPoint {
  readonly vm: Uuid
  readonly point: PointId
}

/** What the rules would do now; touches nothing. */
export async function planPrune(shell: Shell, policy: Policy): Promise<PrunePlan> {
  const { store } = policy
  const listing = await listPoints(store)
  const times = listing.points.map(({ takenAt }) => takenAt)
  const refused = await whyNothing(shell, policy, times)
  const vms = (await pointsOfPolicy(store, listing, policy.id)).map((each) => fateOf(each, policy))
  const trash = (await listTrash(store)).filter(({ note }) => note?.policy.id === policy.id)
  return {
    vms: vms.sort((a, b) => a.vm.name.localeCompare(b.vm.name)),
    freesBytes: vms.flatMap(({ points }) => points).reduce((sum, { freesBytes }) => sum + freesBytes, 0),
    ...(refused !== undefined && { refused }),
    trash: { points: trash.length, bytes: trash.reduce((sum, { bytes }) => sum + bytes, 0) }
  }
}

function fateOf({ vm, points }: VmPoints, policy: Policy): VmFate {
  const restore = restoreOf(vm.uuid)
  return {
    vm,
    points: planRetention(points, policy.keep, { timeZone: hostTimeZone(), excludeDisks: policy.excludeDisks }),
    ...(restore !== undefined && { refused: `it is being restored by job ${restore}` })
  }
}

/**
 * Does it, for the VMs that have just got these good new points. `journal` has each step on disk before it is taken. Never
 * throws: what goes wrong is in `refused`, and the points are then where they were.
 */
export async function prune(
  shell: Shell,
  policy: Policy,
  fresh: readonly FreshPoint[],
  journal: (step: PruneStep) => void
): Promise<Pruned> {
  const pruned: Pruned = { trashed: [], removed: [], memoryDropped: [], freedBytes: 0, refused: [] }
  try {
    await pruneAll(shell, policy, fresh, { policy, now: clockNow(), timeZone: hostTimeZone(), pruned, journal })
  } catch (error) {
    pruned.refused.push(inWords(error))
  }
  return pruned
}

async function pruneAll(shell: Shell, policy: Policy, fresh: readonly FreshPoint[], pruning: Pruning): Promise<void> {
  const { refused } = pruning.pruned
  const { points } = await listPoints(policy.store)
  const times = points.map(({ takenAt }) => takenAt)
  const why = await whyNothing(shell, policy, times)
  if (why !== undefined) {
    refused.push(why)
    return
  }
  for (const { vm, point } of fresh) {
    const name = points.find(({ id }) => id === point)?.vm.name ?? vm
    await pruneVm(pruning, { uuid: vm, name }, point).catch((error: unknown) =>
      refused.push(`${name}: ${inWords(error)}`)
    )
  }
}

async function whyNothing(shell: Shell, { store }: Policy, pointTimes: readonly string[]): Promise<string | undefined> {
  const other = await requireKnownStore(store).then(() => undefined, inWords)
  return other ?? (await hostClockProblem(shell, pointTimes, clockNow()))
}

function inWords(error: unknown): string {
  const { title, explanation } = describeFailure(failureOf(error))
  return explanation === '' ? title : `${title}: ${explanation}`
}
