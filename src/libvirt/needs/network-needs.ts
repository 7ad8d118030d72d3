import type { Element } from '@xmldom/xmldom'
import { fail } from '../../shared/failure.ts'
import { isPrivate, subnetOf } from '../address-range.ts'
import { OF_THE_HOST } from '../network-xml.ts'
import { attribute, elementsIn, parseXml } from '../xml.ts'
import type { Need } from './need.ts'
import { listTheRest } from './needs-of.ts'
import { readPciAddress, readRoute, readTrust } from './pieces.ts'
import { each, Reading, TEXT } from './reading.ts'

/**
 * What a definition of a network is called, and what it asks of its host. libvirt writes it into the settings of dnsmasq and
 * the firewall, so that every element, attribute and text that is not known here is listed, whatever stands in it.
 *
 * @throws `bad-output` if it is none
 */
export function needsOfNetwork(xml: string): { readonly name: string; readonly needs: readonly Need[] } {
  const root = parseXml(xml, 'network XML').documentElement ?? undefined
  if (root?.tagName !== 'network') return fail({ kind: 'bad-output', what: 'network XML', detail: 'no <network>' })
  const reading = new Reading()
  readPart(reading, root, '')
  for (const forward of each(root, 'forward')) readForward(reading, forward)
  const isOfHost = each(root, 'forward').some((forward) => OF_THE_HOST.includes(attribute(forward, 'mode') ?? ''))
  for (const bridge of each(root, 'bridge')) readBridge(reading, bridge, isOfHost)
  for (const part of [root, ...each(root, 'portgroup')]) readTrust(reading, part)
  for (const ip of each(root, 'ip')) readAddress(reading, ip)
  for (const route of each(root, 'route')) readRoute(reading, route)
  for (const domain of each(root, 'domain')) readDomainName(reading, domain)
  listTheRest(reading, root, () => true)
  return { name: reading.text(each(root, 'name')[0]) ?? '', needs: reading.needs }
}

const RATES = {
  bandwidth: '',
  'bandwidth/inbound': 'average peak burst floor',
  'bandwidth/outbound': 'average peak burst floor'
}
const PORTS = {
  ...RATES,
  virtualport: 'type',
  'virtualport/parameters': 'managerid typeid typeidversion instanceid profileid interfaceid',
  vlan: 'trunk',
  'vlan/tag': 'id nativeMode'
}

/** Names, addresses and rates, by element: they shape the network, and name nothing that the host has. */
const PLAIN: Readonly<Record<string, string>> = {
  '': 'ipv6 trustGuestRxFilters connections',
  name: TEXT,
  uuid: TEXT,
  title: TEXT,
  description: TEXT,
  mac: 'address',
  mtu: 'size',
  domain: 'name localOnly',
  dns: 'enable forwardPlainNames',
  'dns/forwarder': 'addr domain',
  'dns/txt': 'name value',
  'dns/srv': 'service protocol domain target port priority weight',
  'dns/host': 'ip',
  'dns/host/hostname': TEXT,
  route: '',
  port: 'isolated',
  ...PORTS,
  portgroup: 'name default trustGuestRxFilters',
  ...Object.fromEntries(Object.entries(PORTS).map(([path, names]) => [`portgroup/${path}`, names])),
  forward: 'mode managed',
  'forward/nat': 'ipv6',
  'forward/nat/address': 'start end',
  'forward/nat/port': 'start end',
  'forward/interface': 'connections',
  'forward/pf': '',
  'forward/address': 'type connections',
  'forward/driver': 'name model',
  bridge: 'stp delay macTableManager',
  ip: 'family address netmask prefix localPtr',
  'ip/tftp': '',
  'ip/dhcp': '',
  'ip/dhcp/range': 'start end',
  'ip/dhcp/range/lease': 'expiry unit',
  'ip/dhcp/host': 'id mac name ip',
  'ip/dhcp/host/lease': 'expiry unit',
  'ip/dhcp/bootp': 'file server'
}

function readPart(reading: Reading, part: Element, path: string): void {
  // Of another namespace, and libvirt's notes: both are dealt with for every definition.
  if ((part.namespaceURI ?? '') !== '' || path === 'metadata') return
  if (!Object.hasOwn(PLAIN, path))
    reading.add(part, {
      kind: 'unknown',
      name: part.tagName,
      value: 'a part of a network that Stillpoint does not know'
    })
  reading.plain(part, ...(PLAIN[path] ?? '').split(' '))
  for (const child of elementsIn(part))
    readPart(reading, child, path === '' ? child.tagName : `${path}/${child.tagName}`)
}

/** Zones that let guests do what they do without one. */
const USUAL_ZONES = ['libvirt', 'libvirt-routed', 'libvirt-nat']

/** A name that the kernel gives a device, or libvirt's own pattern; the others would be a path below its settings. */
const isBridgeName = (name: string): boolean =>
  /^[\w.-]{1,15}$|^[\w.-]{1,13}%d$/.test(name) && !['all', 'default', '.', '..'].includes(name)

/** Bridges that libvirt makes under these names, nobody takes for something else. */
const OWN_BRIDGE = /^virbr([\w.-]{0,10}|%d)$/

function readBridge(reading: Reading, bridge: Element, isOfHost: boolean): void {
  const source = reading.attribute(bridge, 'name')
  const zone = reading.attribute(bridge, 'zone')
  if (zone !== undefined && !USUAL_ZONES.includes(zone))
    reading.add(bridge, { kind: 'privilege', what: `firewall zone ${zone}` })
  if (source !== undefined && !isBridgeName(source))
    reading.add(bridge, { kind: 'unknown', name: 'bridge name', value: source })
  else if (source !== undefined && !isOfHost && !OWN_BRIDGE.test(source))
    reading.add(bridge, { kind: 'privilege', what: `a new bridge ${source}` })
  reading.add(bridge, { kind: 'interface', mac: undefined, type: 'bridge', source, mode: undefined, tap: undefined })
}

/** By which device of the host it leads outside; of `hostdev` the guests get these devices themselves. */
function readForward(reading: Reading, forward: Element): void {
  const mode = reading.attribute(forward, 'mode') ?? 'nat'
  for (const at of [forward, ...each(forward, 'interface'), ...each(forward, 'pf')]) {
    const source = reading.attribute(at, 'dev')
    if (source === undefined) continue
    if (mode === 'hostdev') reading.add(at, { kind: 'device', bus: 'net', id: source })
    else reading.add(at, { kind: 'interface', mac: undefined, type: 'direct', source, mode, tap: undefined })
  }
  for (const address of each(forward, 'address'))
    reading.add(address, { kind: 'device', bus: 'pci', id: readPciAddress(reading, address) })
}

/** The host has this address and reaches the rest of the subnet by it; what guests may fetch lies in a folder of the host. */
function readAddress(reading: Reading, ip: Element): void {
  const [address, mask] = [attribute(ip, 'address') ?? '', attribute(ip, 'prefix') ?? attribute(ip, 'netmask')]
  const range = subnetOf(address, attribute(ip, 'prefix'), attribute(ip, 'netmask'))
  if (range === undefined || !isPrivate(range))
    reading.add(ip, { kind: 'privilege', what: `host address ${address}${mask === undefined ? '' : `/${mask}`}` })
  for (const tftp of each(ip, 'tftp'))
    reading.add(tftp, {
      kind: 'folder',
      path: reading.attribute(tftp, 'root') ?? '',
      readOnly: true,
      driver: 'tftp'
    })
}

/** The host itself then asks this network for names of that domain. */
function readDomainName(reading: Reading, domain: Element): void {
  if (reading.attribute(domain, 'register') === 'yes')
    reading.add(domain, { kind: 'privilege', what: `name resolution of ${attribute(domain, 'name') ?? ''}` })
}
