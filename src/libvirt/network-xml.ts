import type { Element } from '@xmldom/xmldom'
import { fail } from '../shared/failure.ts'
import { subnetOf, type AddressRange } from './address-range.ts'
import { attribute, childAt, childrenOf, parseXml, serializeXml, textOf } from './xml.ts'

/** What a network of libvirt takes of its host, by its definition. */
export interface NetworkXml {
  readonly name: string
  readonly uuid: string | undefined
  readonly mac: string | undefined
  /** libvirt makes it as the network starts. Undefined: it chooses a name. */
  readonly ownBridge: string | undefined
  /** A bridge of the host, which has to be there. */
  readonly hostBridge: string | undefined
  /** Devices of the host that cards are put on by macvtap. */
  readonly devices: readonly string[]
  readonly ranges: readonly AddressRange[]
}

const root = (xml: string): Element => {
  const network = parseXml(xml, 'network XML').documentElement ?? undefined
  return network?.tagName === 'network'
    ? network
    : fail({ kind: 'bad-output', what: 'network XML', detail: 'no <network>' })
}

/** Modes in which a network puts cards on what the host has, and makes nothing. */
export const OF_THE_HOST: readonly string[] = ['bridge', 'private', 'vepa', 'passthrough', 'hostdev']

/** @throws `bad-output` if it is no definition of a network */
export function parseNetwork(xml: string): NetworkXml {
  const network = root(xml)
  const bridge = attribute(childAt(network, 'bridge'), 'name')
  const forward = childAt(network, 'forward')
  const isOfHost = OF_THE_HOST.includes(attribute(forward, 'mode') ?? '')
  const devices = [attribute(forward, 'dev'), ...childrenOf(forward, 'interface').map((each) => attribute(each, 'dev'))]
  return {
    name: textOf(childAt(network, 'name')) ?? '',
    uuid: textOf(childAt(network, 'uuid'))?.toLowerCase(),
    mac: attribute(childAt(network, 'mac'), 'address')?.toLowerCase(),
    ownBridge: isOfHost ? undefined : bridge,
    hostBridge: isOfHost ? bridge : undefined,
    devices: isOfHost ? [...new Set(devices.filter((name) => name !== undefined))] : [],
    ranges: childrenOf(network, 'ip').flatMap(rangesOf)
  }
}

function rangesOf(ip: Element): AddressRange[] {
  const range = subnetOf(attribute(ip, 'address') ?? '', attribute(ip, 'prefix'), attribute(ip, 'netmask'))
  return range === undefined ? [] : [range]
}

/** The same network under another UUID, and without the names that something here has: libvirt chooses those. */
export function withoutTakenNames(
  xml: string,
  taken: { readonly uuid?: string; readonly bridge: boolean; readonly mac: boolean }
): string {
  const network = root(xml)
  const uuid = childAt(network, 'uuid')
  if (taken.uuid !== undefined && uuid !== undefined) uuid.textContent = taken.uuid
  if (taken.bridge) childAt(network, 'bridge')?.removeAttribute('name')
  if (taken.mac) for (const mac of childrenOf(network, 'mac')) network.removeChild(mac)
  return network.ownerDocument === null ? xml : serializeXml(network.ownerDocument)
}
