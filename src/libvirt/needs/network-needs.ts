import type { Element } from '@xmldom/xmldom'
import { fail } from '../../shared/failure.ts'
import { elementsIn, parseXml } from '../xml.ts'
import type { Need } from './need.ts'
import { listTheRest } from './needs-of.ts'
import { readPciAddress } from './pieces.ts'
import { each, Reading } from './reading.ts'

/** What a definition of a network is called, and what it asks of its host. @throws `bad-output` if it is none */
export function needsOfNetwork(xml: string): { readonly name: string; readonly needs: readonly Need[] } {
  const root = parseXml(xml, 'network XML').documentElement ?? undefined
  if (root?.tagName !== 'network') return fail({ kind: 'bad-output', what: 'network XML', detail: 'no <network>' })
  const reading = new Reading()
  for (const part of elementsIn(root)) readPart(reading, part)
  listTheRest(reading, root)
  return { name: reading.text(each(root, 'name')[0]) ?? '', needs: reading.needs }
}

/** Names, addresses and rates: they shape the network, and name nothing that the host has. */
const PLAIN = 'name uuid title description mac mtu domain dns route bandwidth virtualport vlan portgroup port'.split(
  ' '
)

function readPart(reading: Reading, part: Element): void {
  if (PLAIN.includes(part.tagName)) reading.plainAll(part)
  else if (part.tagName === 'forward') readForward(reading, part)
  else if (part.tagName === 'bridge') readBridge(reading, part)
  else if (part.tagName === 'ip') readAddress(reading, part)
  else if (part.tagName !== 'metadata' && (part.namespaceURI ?? '') === '')
    reading.add(part, {
      kind: 'unknown',
      name: part.tagName,
      value: 'a part of a network that Stillpoint does not know'
    })
}

function readBridge(reading: Reading, bridge: Element): void {
  const source = reading.attribute(bridge, 'name')
  reading.plain(bridge, 'zone')
  reading.add(bridge, { kind: 'interface', mac: undefined, type: 'bridge', source, mode: undefined, tap: undefined })
}

/** By which device of the host it leads outside; of `hostdev` the guests get these devices themselves. */
function readForward(reading: Reading, forward: Element): void {
  const mode = reading.attribute(forward, 'mode') ?? 'nat'
  for (const nat of each(forward, 'nat')) reading.plainAll(nat)
  for (const at of [forward, ...each(forward, 'interface'), ...each(forward, 'pf')]) {
    const source = reading.attribute(at, 'dev')
    if (source === undefined) continue
    if (mode === 'hostdev') reading.add(at, { kind: 'device', bus: 'net', id: source })
    else reading.add(at, { kind: 'interface', mac: undefined, type: 'direct', source, mode, tap: undefined })
  }
  for (const address of each(forward, 'address'))
    reading.add(address, { kind: 'device', bus: 'pci', id: readPciAddress(reading, address) })
}

/** Address and leases are the network's own; what guests may fetch lies in a folder of the host. */
function readAddress(reading: Reading, ip: Element): void {
  reading.plain(ip, 'address', 'netmask')
  for (const dhcp of each(ip, 'dhcp')) reading.plainAll(dhcp)
  for (const tftp of each(ip, 'tftp'))
    reading.add(tftp, {
      kind: 'folder',
      path: reading.attribute(tftp, 'root') ?? '',
      readOnly: true,
      driver: 'tftp'
    })
}
