import type { Element } from '@xmldom/xmldom'
import { readLabels } from './pieces.ts'
import { each, type Reading } from './reading.ts'

/** Serial ports, consoles, channels and whatever else ends in a character device of the host. */
export function readPort(reading: Reading, port: Element): void {
  const type = reading.attribute(port, 'type') ?? 'pty'
  reading.plain(port, 'tty')
  for (const target of each(port, 'target')) reading.plain(target, 'name', 'address', 'port', 'type', 'state')
  if (type === 'spicevmc' || type === 'spiceport' || type === 'qemu-vdagent')
    reading.add(port, { kind: 'feature', what: 'channel', name: type })
  if (type === 'dbus') reading.add(port, { kind: 'feature', what: 'channel', name: type })
  for (const source of each(port, 'source')) readEnd(reading, source, type, port.tagName)
  for (const log of each(port, 'log')) readFile(reading, log, 'file', 'log')
}

function readEnd(reading: Reading, source: Element, type: string, by: string): void {
  readLabels(reading, source)
  if (type === 'unix') readSocket(reading, source, by)
  else if (type === 'tcp' || type === 'udp') readAddress(reading, source, by)
  else if (type === 'file' || type === 'pipe') readFile(reading, source, 'path', 'port')
  else if (type === 'dev') readDevicePath(reading, source, 'path')
  else if (type === 'nmdm') for (const name of ['master', 'slave']) readDevicePath(reading, source, name)
  // libvirt takes the terminal that the host gives it.
  else if (type === 'pty') reading.plain(source, 'path')
  else if (type === 'spiceport' || type === 'dbus') reading.plain(source, 'channel')
}

/** A socket of the host: made there, unless it is said that somebody is there already. */
export function readSocket(reading: Reading, at: Element, by: string): void {
  const path = reading.attribute(at, 'path')
  const how = reading.attribute(at, 'mode') === 'connect' ? 'connects' : 'listens'
  if (path !== undefined) reading.add(at, { kind: 'socket', by, to: path, how })
}

function readAddress(reading: Reading, source: Element, by: string): void {
  const [address, service] = [reading.attribute(source, 'host'), reading.attribute(source, 'service')]
  const listens = reading.attribute(source, 'mode') === 'bind'
  if (listens)
    reading.add(source, { kind: 'listen', ...portOf(by, service), address, network: undefined, purpose: 'port' })
  else reading.add(source, { kind: 'socket', by, to: `${address ?? ''}:${service ?? ''}`, how: 'connects' })
}

/** A service may go by a name of the host's own list. */
const portOf = (by: string, service = ''): { by: string; port: number | undefined } =>
  /^\d{1,5}$/.test(service) ? { by, port: Number(service) } : { by: `${by} ${service}`.trim(), port: undefined }

function readFile(reading: Reading, at: Element, name: string, what: 'port' | 'log'): void {
  const path = reading.attribute(at, name)
  if (path !== undefined) reading.add(at, { kind: 'file', what, path, writes: true })
}

export function readDevicePath(reading: Reading, at: Element, name: string): void {
  const id = reading.attribute(at, name)
  if (id !== undefined) reading.add(at, { kind: 'device', bus: 'dev', id })
}
