import { isFailure } from '../../shared/failure.ts'
import { safeText } from '../../shared/safe-text.ts'
import { holds, rangeText, type AddressRange } from '../../libvirt/address-range.ts'
import { itemOf } from '../../libvirt/needs/item.ts'
import type { Need, NeedOf } from '../../libvirt/needs/need.ts'
import { needsOfNetwork } from '../../libvirt/needs/network-needs.ts'
import { parseNetwork } from '../../libvirt/network-xml.ts'
import type { Checklist } from './checklist.ts'
import { sayNeed } from './need-words.ts'

export interface MadeNetwork {
  readonly made: { readonly name: string; readonly xml: string }
  /** What is not as it was, in words. */
  readonly changes: readonly string[]
}

export interface NetworkRules {
  /** What the operator allows the point, by name. */
  readonly allowed: ReadonlySet<string>
  /** Whom this host asks for names. */
  readonly nameServers: readonly string[]
}

/**
 * A network that a point would make on this host: it must be the one that it is called, and want nothing of the host but a
 * bridge and a way outside, unless the operator allows that by name.
 */
export function checkNetwork(
  { made: { name, xml }, changes }: MadeNetwork,
  { allowed, nameServers }: NetworkRules,
  list: Checklist
): void {
  const network = readNetwork(xml)
  if (network?.name !== name) {
    list.problem(
      'networks',
      `the definition of network ${name} in the point is that of ${network === undefined ? 'nothing' : `another network, "${network.name}"`}`,
      'make the network with virsh net-define, then restore again'
    )
    return
  }
  const unsafe = UNSAFE.find(({ kind }) => network.needs.some((need) => need.kind === kind))
  if (unsafe !== undefined) {
    const places = network.needs.filter(({ kind }) => kind === unsafe.kind).map(({ where }) => where)
    list.problem(
      'networks',
      `the definition of network ${name} in the point has ${unsafe.what}: ${safeText([...new Set(places)].join(', '))}`,
      'do not trust this point; make the network with virsh net-define, then restore again'
    )
    return
  }
  const { ranges } = parseNetwork(xml)
  const said = [sayNetwork(network.needs, ranges), ...changes].join('; ')
  list.warning('networks', `Network ${name} will be made as it was on the point's host: ${said}`)
  for (const need of [...network.needs, ...serversIn(ranges, nameServers)])
    if (!isOfNetworks(need) && !allowed.has(itemOf(need)))
      list.refused(`network ${name} of the point asks ${sayNeed(need)} [${need.where}]`, itemOf(need))
}

const UNSAFE = [
  // libvirt writes such values into the settings of dnsmasq as they are: a line end begins an order to a root program.
  { kind: 'control', what: 'line ends or other control characters in its values' },
  // libvirt reads there what is passed over here.
  { kind: 'prefixed', what: 'attributes with a prefix, or elements of another namespace' }
] as const

function readNetwork(xml: string): ReturnType<typeof needsOfNetwork> | undefined {
  try {
    return needsOfNetwork(xml)
  } catch (error) {
    if (isFailure(error, 'bad-output')) return undefined
    throw error
  }
}

/** A bridge, and a device that it leads outside by, beside the host: what networks are for. */
const isOfNetworks = (need: Need): boolean => need.kind === 'interface' && need.mode !== 'passthrough'

/** Names are then asked for in the network, which a guest may answer. */
const serversIn = (ranges: readonly AddressRange[], servers: readonly string[]): Need[] =>
  servers
    .filter((server) => ranges.some((range) => holds(range, server)))
    .map((server) => ({ where: 'ip', kind: 'privilege', what: `the addresses of the name server ${server}` }))

function sayNetwork(needs: readonly Need[], ranges: readonly AddressRange[]): string {
  const cards = needs.filter((need): need is Need & NeedOf<'interface'> => need.kind === 'interface')
  const bridges = cards.flatMap(({ type, source }) => (type === 'bridge' && source !== undefined ? [source] : []))
  const ways = cards.flatMap(({ type, mode, source = '' }) => (type === 'direct' ? [`${mode ?? ''} by ${source}`] : []))
  const made = [...bridges.map((bridge) => `bridge ${bridge}`), ...ways]
  const addresses = ranges.map((range) => `addresses of ${rangeText(range)}`)
  return [...(made.length === 0 ? ['a bridge of its own'] : made), ...addresses].join(', ')
}
