import type { Element } from '@xmldom/xmldom'
import { readDevicePath } from './port-needs.ts'
import type { ListenNeed } from './need.ts'
import { each, type Reading } from './reading.ts'
import { wholeNumber } from '../numbers.ts'

/** VNC, SPICE and other screens: where they listen, on which ports, with which graphics of the host. */
export function readScreen(reading: Reading, screen: Element): void {
  const type = reading.attribute(screen, 'type') ?? ''
  reading.add(screen, { kind: 'feature', what: 'graphics', name: type })
  reading.plain(screen, 'passwdValidTo', 'connected', 'keymap')
  if (type === 'dbus') reading.add(screen, { kind: 'privilege', what: 'a screen on a message bus' })
  readSockets(reading, screen, type)
  if (['vnc', 'spice', 'rdp'].includes(type)) readPorts(reading, screen, type)
  const authority = reading.attribute(screen, 'xauth')
  if (authority !== undefined)
    reading.add(screen, { kind: 'file', what: 'certificate', path: authority, writes: false })
  const display = reading.attribute(screen, 'display')
  if (display !== undefined)
    reading.add(screen, { kind: 'socket', by: type, to: `display ${display}`, how: 'connects' })
  const bus = reading.attribute(screen, 'address')
  if (bus !== undefined) reading.add(screen, { kind: 'socket', by: type, to: bus, how: 'connects' })
  readDevicePath(reading, screen, 'rendernode')
  readRendering(reading, screen, type)
}

/** On which graphics processor of the host; where none is named, libvirt chooses one. */
function readRendering(reading: Reading, screen: Element, type: string): void {
  const parts = each(screen, 'gl')
  for (const gl of parts) readDevicePath(reading, gl, 'rendernode')
  const isNamed = parts.some((gl) => gl.hasAttribute('rendernode'))
  const isOn = type === 'egl-headless' || parts.some((gl) => reading.attribute(gl, 'enable') === 'yes')
  if (isOn && !isNamed) reading.add(screen, { kind: 'device', bus: 'graphics', id: 'any' })
}

function readSockets(reading: Reading, screen: Element, by: string): void {
  for (const at of [screen, ...each(screen, 'listen')]) {
    const path = reading.attribute(at, 'socket')
    if (path !== undefined) reading.add(at, { kind: 'socket', by, to: path, how: 'listens' })
  }
}

const PORTS: readonly (readonly [string, ListenNeed['purpose']])[] = [
  ['port', 'screen'],
  ['tlsPort', 'TLS'],
  ['websocket', 'websocket']
]

/** One for each port and address. Without a fixed port there is one for each address, since it still listens there. */
function readPorts(reading: Reading, screen: Element, by: string): void {
  const hasPassword = (reading.attribute(screen, 'passwd') ?? '') !== ''
  const automatic = reading.attribute(screen, 'autoport') === 'yes'
  const ports = PORTS.flatMap(([name, purpose]) => {
    const port = wholeNumber(reading.attribute(screen, name), 0)
    return port > 0 && !(automatic && purpose !== 'websocket') ? [{ port, purpose }] : []
  })
  for (const { address, network } of addressesOf(reading, screen))
    for (const { port, purpose } of ports.length > 0 ? ports : [{ port: undefined, purpose: 'screen' as const }])
      reading.add(screen, { kind: 'listen', by, address, port, network, purpose, hasPassword })
}

/** The attribute is the address of the first element, said once more. */
function addressesOf(reading: Reading, screen: Element): Pick<ListenNeed, 'address' | 'network'>[] {
  const listens = each(screen, 'listen')
  const said = listens.flatMap((listen): Pick<ListenNeed, 'address' | 'network'>[] => {
    const type = reading.attribute(listen, 'type') ?? 'address'
    const [address, network] = [reading.attribute(listen, 'address'), reading.attribute(listen, 'network')]
    // Of a network it is the host's own address there, and libvirt's to find out.
    if (type === 'network') return [{ address: undefined, network }]
    return type === 'none' || type === 'socket' ? [] : [{ address, network: undefined }]
  })
  const own = reading.attribute(screen, 'listen')
  const isSaid = own === undefined || said.some(({ address, network }) => address === own || network !== undefined)
  if (!isSaid) return [{ address: own, network: undefined }, ...said]
  return listens.length === 0 ? [{ address: undefined, network: undefined }] : said
}
