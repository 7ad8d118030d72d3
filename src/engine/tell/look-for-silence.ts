import type { Policy, RunReport } from '../../shared/model/policy.ts'
import type { Shell } from '../../shared/shell.ts'
import { listNamedDomains } from '../../libvirt/domains.ts'
import { listPoints } from '../../store/point-store.ts'
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
  const lastGood = await newestGood([...new Set(policies.map(({ store }) => store))])
  return silentVms({ policies, vms, lastGood, lastRun: lastRuns(policies) }, now, zone)
}

/** A point in which a check found damage is not good, one that was never checked is. */
async function newestGood(stores: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const newest = new Map<string, string>()
  for (const store of stores) {
    const { points, marks } = await listPoints(store)
    for (const { id, vm, takenAt } of points)
      if (marks[id]?.verified?.good !== false && takenAt > (newest.get(vm.uuid) ?? '')) newest.set(vm.uuid, takenAt)
  }
  return newest
}

function lastRuns(policies: readonly Policy[]): ReadonlyMap<string, RunReport> {
  const ended = policies.flatMap(({ id }) => {
    const last = listRuns({ policy: id, limit: 2 }).find(({ endedAt }) => endedAt !== undefined)
    return last === undefined ? [] : [[id, last] as const]
  })
  return new Map(ended)
}
