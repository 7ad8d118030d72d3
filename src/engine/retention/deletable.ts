import type { FailureOf } from '../../shared/failure.ts'
import type { Policy } from '../../shared/model/policy.ts'
import { surplusOf } from '../../shared/retention/surplus.ts'
import { listPoints } from '../../store/point-store.ts'
import { readManifest } from '../../store/manifest.ts'
import { listTrash, type Trashed } from '../../store/trash.ts'
import { policyFiles } from '../policy/policy-file.ts'
import { hostTimeZone } from '../tell/host-time.ts'
import { pointsOfPolicy } from './policy-points.ts'

type Deletable = NonNullable<FailureOf<'no-room'>['deletable']>

/** More than anybody wants to read of. */
const MOST = 20

/**
 * Points of a store whose deletion its operator may decide on: what lies in its trash, and what no rule of the policies of
 * this host keeps any more though nothing has thrown it away. Oldest first. What cannot be read is left out.
 */
export async function deletableIn(store: string): Promise<Deletable> {
  try {
    const { policies } = await policyFiles()
    const ours = policies.filter((policy) => policy.store === store)
    const surplus = (await Promise.all(ours.map(surplusOfPolicy))).flat()
    const trashed = (await Promise.all((await listTrash(store)).map(fromTrash))).flat()
    return [...trashed, ...surplus].sort((a, b) => a.point.localeCompare(b.point)).slice(0, MOST)
  } catch {
    return []
  }
}

async function surplusOfPolicy(policy: Policy): Promise<Deletable> {
  const vms = await pointsOfPolicy(policy.store, await listPoints(policy.store), policy.id)
  const setting = { timeZone: hostTimeZone(), excludeDisks: policy.excludeDisks }
  return vms.flatMap(({ vm, points }) =>
    surplusOf(points, policy.keep, setting).flatMap(({ id }) =>
      points
        .filter((point) => point.id === id)
        .map(({ takenAt, sizeBytes }) => ({ point: id, vm: vm.name, takenAt, sizeBytes }))
    )
  )
}

async function fromTrash({ dir, point, bytes, pinned }: Trashed): Promise<Deletable> {
  const manifest = pinned ? undefined : await readManifest(dir).catch(() => undefined)
  return manifest === undefined ? [] : [{ point, vm: manifest.vm.name, takenAt: manifest.takenAt, sizeBytes: bytes }]
}
