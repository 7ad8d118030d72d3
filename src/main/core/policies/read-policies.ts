import type { Core } from '../core.ts'
import { ENGINE_LIMITS } from '../../../shared/engine-limits.ts'
import type { HostPolicies, PolicyListing } from '../../../shared/views/policy-view.ts'
import { storesOn, withPlace } from '../hosts/host-book.ts'
import { knownPolicies, rememberPolicies } from './known-policies.ts'

/** What a host says of its policies. Remembered; stores that only a policy knew are known from then on. @throws what asking fails with */
export async function readPolicies(core: Core, host: string): Promise<HostPolicies> {
  const listing = await (await core.connections.engine(host)).call('policies', {})
  const asOf = new Date().toISOString()
  await rememberPolicies(core.folder, host, listing)
  learnStores(core, host, listing)
  return viewOf(core, { ...listing, host, asOf, reachable: true })
}

/** What it last said, as of then. Undefined: it never did. */
export function lastPolicies(core: Core, host: string): HostPolicies | undefined {
  const known = knownPolicies(core.folder, host)
  return known && viewOf(core, { ...known.listing, host, asOf: known.asOf, reachable: false })
}

function viewOf(core: Core, said: HostPolicies): HostPolicies {
  const asked = new Set(storesOn(core.settings.read(), said.host))
  if (asked.size < ENGINE_LIMITS.stores) return said
  const storesLeftOut = [...new Set(said.policies.map(({ policy }) => policy.store))].filter((dir) => !asked.has(dir))
  return storesLeftOut.length === 0 ? said : { ...said, storesLeftOut }
}

function learnStores(core: Core, host: string, { policies }: PolicyListing): void {
  const before = core.settings.read()
  const learnt = (settings: typeof before): typeof before =>
    policies.reduce(
      (all, { policy }) =>
        storesOn(all, host).length < ENGINE_LIMITS.stores
          ? withPlace(all, { kind: 'host', host, dir: policy.store })
          : all,
      settings
    )
  if (learnt(before) !== before) core.settings.update(learnt)
}
