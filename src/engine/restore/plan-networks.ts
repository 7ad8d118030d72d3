import * as z from 'zod'
import type { Shell } from '../../shared/shell.ts'
import type { DomainXml } from '../../libvirt/domain-xml.ts'
import { bridgeExists } from '../../libvirt/host.ts'
import { networkState } from '../../libvirt/networks.ts'
import { checkNetwork } from './check-network.ts'
import type { Checklist } from './checklist.ts'
import type { RestorePlan } from './restore-plan.ts'

type Networks = RestorePlan['networks']
const HostFile = z.object({ networks: z.array(z.object({ name: z.string(), xml: z.string() })) })

/**
 * `host` is the point's `host.json`: a network that is missing here is made as it was there. `domains`: the definition, and
 * that of the RAM, which may have a card more.
 */
export async function planNetworks(
  shell: Shell,
  host: string,
  domains: readonly DomainXml[],
  allowed: ReadonlySet<string>,
  list: Checklist
): Promise<Networks> {
  const known = knownNetworks(host)
  const networks: Networks = { define: [], start: [] }
  for (const name of sourcesOf(domains, 'network')) {
    const state = await networkState(shell, name)
    const kept = known.find((network) => network.name === name)
    if (state === undefined && kept === undefined)
      list.problem('networks', `network ${name} does not exist here`, `make it with virsh net-define`)
    else if (state !== undefined) list.ok('networks', `network ${name} ${state}`)
    if (state === undefined && kept !== undefined) {
      checkNetwork(kept, allowed, list)
      networks.define.push(kept)
    }
    if (state !== 'active') networks.start.push(name)
  }
  for (const name of sourcesOf(domains, 'bridge'))
    if (!bridgeExists(name))
      list.problem('networks', `bridge ${name} does not exist here`, `make it, then restore again`)
  return networks
}

/** None from a file that cannot be read: what is missing here is then a problem. */
function knownNetworks(host: string): Networks['define'] {
  try {
    return HostFile.parse(JSON.parse(host)).networks
  } catch {
    return []
  }
}

const sourcesOf = (domains: readonly DomainXml[], kind: string): string[] => [
  ...new Set(
    domains.flatMap(({ interfaces }) =>
      interfaces.flatMap(({ type, source }) => (type === kind && source !== undefined ? [source] : []))
    )
  )
]
