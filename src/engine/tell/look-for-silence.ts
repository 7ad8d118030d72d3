import type { Policy, RunReport } from '../../shared/model/policy.ts'
import type { Shell } from '../../shared/shell.ts'
import { listNamedDomains } from '../../libvirt/domains.ts'
import { timeOfId } from '../../shared/model/ids.ts'
import { oneLine } from '../../shared/safe-text.ts'
import { listPoints } from '../../store/point-store.ts'
import { requireKnownStore } from '../retention/known-stores.ts'
import { listRuns } from '../policy/runs.ts'
import type { SilentVm } from './message.ts'
import { silentVms } from './silence.ts'

/** Asks libvirt, stores and runs of this host which of its VMs are silent. */
export async function lookForSilence(
  shell: Shell,
  policies: readonly Policy[],
  now: Date,
  zone: string
): Promise<SilentVm[]> {
  if (policies.length === 0) return []
  const vms = await listNamedDomains(shell)
  const lastGood = await newestGood(policies, now)
  return silentVms({ policies, vms, lastGood, lastRun: lastRuns(policies) }, now, zone)
}

interface Good {
  readonly vm: string
  readonly takenAt: string
}

/**
 * By VM. Of a store that cannot be read now, or is another one, what its policies' runs have noted holds. One that a clock
 * which was ahead has dated hides none that was taken since.
 */
async function newestGood(policies: readonly Policy[], now: Date): Promise<ReadonlyMap<string, string>> {
  const newest = new Map<string, string>()
  for (const [store, users] of Map.groupBy(policies, ({ store }) => store))
    for (const { vm, takenAt } of (await goodIn(store)) ?? users.flatMap(notedBy))
      if (Date.parse(takenAt) <= now.getTime() && takenAt > (newest.get(vm) ?? '')) newest.set(vm, takenAt)
  return newest
}

/** A point in which a check found damage is not good, one that was never checked is. */
async function goodIn(store: string): Promise<Good[] | undefined> {
  try {
    await requireKnownStore(store)
    const { points, marks } = await listPoints(store)
    const good = points.filter(({ id }) => marks[id]?.verified?.good !== false)
    return good.map(({ vm, takenAt }) => ({ vm: vm.uuid, takenAt }))
  } catch (error) {
    console.error(oneLine(`store ${store}: ${String(error)}`))
    return undefined
  }
}

const notedBy = ({ id }: Policy): Good[] =>
  listRuns({ policy: id, limit: Infinity })
    .flatMap(({ vms }) => vms)
    .flatMap(({ vm, point }) => (point === undefined ? [] : [{ vm: vm.uuid, takenAt: timeOfId(point) }]))

function lastRuns(policies: readonly Policy[]): ReadonlyMap<string, RunReport> {
  const ended = policies.flatMap(({ id }) => {
    const last = listRuns({ policy: id, limit: 2 }).find(({ endedAt }) => endedAt !== undefined)
    return last === undefined ? [] : [[id, last] as const]
  })
  return new Map(ended)
}
