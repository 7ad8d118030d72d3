import type { Core } from '../core.ts'
import type { HostPolicies, PolicyListing } from '../../../shared/views/policy-view.ts'
import { storesOn, withPlace } from '../hosts/host-book.ts'
import { knownPolicies, rememberPolicies } from './known-policies.ts'

/** Of one host, as its policies name them: all of them are asked for their points, and what each has is held and kept. */
const MOST_STORES = 20

/** What a host says of its policies. Remembered; stores that only a policy knew are known from then on. @throws what asking fails with */
export async function readPolicies(core: Core, host: string): Promise<HostPolicies> {
  const listing = await (await core.connections.engine(host)).call('policies', {})
  const asOf = new Date().toISOString()
  await rememberPolicies(core.folder, host, listing)
  learnStores(core, host, listing)
  return viewOf(host, listing, asOf, true)
}

/** What it last said, as of then. Undefined: it never did. */
export function lastPolicies(core: Core, host: string): HostPolicies | undefined {
  const known = knownPolicies(core.folder, host)
  return known && viewOf(host, known.listing, known.asOf, false)
}

const viewOf = (host: string, listing: PolicyListing, asOf: string, reachable: boolean): HostPolicies => ({
  ...listing,
  host,
  asOf,
  reachable
})

function learnStores(core: Core, host: string, { policies }: PolicyListing): void {
  const before = core.settings.read()
  const learnt = (settings: typeof before): typeof before =>
    policies.reduce(
      (all, { policy }) =>
        storesOn(all, host).length < MOST_STORES ? withPlace(all, { kind: 'host', host, dir: policy.store }) : all,
      settings
    )
  if (learnt(before) !== before) core.settings.update(learnt)
}
