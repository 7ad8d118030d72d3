import type { Element } from '@xmldom/xmldom'
import { attribute } from '../xml.ts'
import { readPciAddress, readRom, readRoute, readTrust } from './pieces.ts'
import { each, type Reading } from './reading.ts'
import { wholeNumber } from '../numbers.ts'

/** A network card: what it is plugged into, and whatever of the host is run, opened or taken for it. */
export function readInterface(reading: Reading, card: Element): void {
  const type = reading.attribute(card, 'type') ?? ''
  const mac = attribute(each(card, 'mac')[0], 'address')?.toLowerCase()
  for (const at of each(card, 'mac')) reading.plain(at, 'address')
  const taps = tapsOf(reading, card)
  const sources = each(card, 'source')
  for (const source of sources) {
    const mode = reading.attribute(source, 'mode')
    const its = sourceOf(reading, source, type)
    for (const tap of taps) reading.add(source, { kind: 'interface', mac, type, source: its, mode, tap })
    // What a VM that runs is plugged into by now.
    reading.plain(source, 'portid', 'portgroup', 'bridge')
  }
  for (const tap of sources.length === 0 ? taps : [])
    reading.add(card, { kind: 'interface', mac, type, source: undefined, mode: undefined, tap })
  for (const name of ['script', 'downscript'])
    for (const script of each(card, name)) {
      const path = reading.attribute(script, 'path') ?? ''
      reading.add(script, { kind: 'program', what: 'network script', path })
    }
  readTrust(reading, card)
  for (const mtu of each(card, 'mtu')) readFrames(reading, mtu)
  readBackend(reading, card)
  readForwards(reading, card)
  // Of the guest's end.
  for (const at of [...each(card, 'ip'), ...each(card, 'route')]) reading.plainAll(at)
  for (const source of sources) readHostEnd(reading, source)
  for (const filter of each(card, 'filterref')) {
    reading.add(filter, { kind: 'feature', what: 'network filter', name: reading.attribute(filter, 'filter') ?? '' })
    reading.plainAll(filter)
  }
  for (const port of each(card, 'virtualport')) reading.plainAll(port)
  readRom(reading, card)
}

function sourceOf(reading: Reading, source: Element, type: string): string | undefined {
  if (type === 'network' || type === 'bridge') return reading.attribute(source, type)
  if (type === 'vhostuser') return reading.attribute(source, 'path')
  if (type === 'hostdev')
    return each(source, 'address')
      .map((address) => readPciAddress(reading, address))
      .join(' ')
  if (type === 'internal') return reading.attribute(source, 'name')
  if (['direct', 'vdpa', 'ethernet', 'vds', 'user'].includes(type)) return reading.attribute(source, 'dev')
  const [address, port] = [reading.attribute(source, 'address'), reading.attribute(source, 'port')]
  const local = each(source, 'local').map(
    (end) => `${reading.attribute(end, 'address') ?? ''}:${reading.attribute(end, 'port') ?? ''}`
  )
  return [`${address ?? ''}:${port ?? ''}`, ...local].join(' from ')
}

/** What addresses and routes the host gets by this cable. */
function readHostEnd(reading: Reading, source: Element): void {
  for (const ip of each(source, 'ip')) {
    const [address = '', prefix = '', peer = ''] = ['address', 'prefix', 'peer'].map((name) =>
      reading.attribute(ip, name)
    )
    reading.plain(ip, 'family')
    reading.add(ip, { kind: 'privilege', what: ['host address', [address, prefix].join('/'), peer].join(' ').trim() })
  }
  for (const route of each(source, 'route')) readRoute(reading, route)
}

/** As libvirt calls what it makes; it gives such a name anew, whatever a definition says. */
const GENERATED = /^(vnet|macvtap|macvlan)\d+$/

/** The host's end of the cable. libvirt makes it, but for one that is called by a name: there may be one of that name. */
function tapsOf(reading: Reading, card: Element): (string | undefined)[] {
  const named = each(card, 'target').flatMap((target) => {
    const dev = reading.attribute(target, 'dev')
    const isManaged = reading.attribute(target, 'managed') !== 'no'
    return dev !== undefined && (!isManaged || !GENERATED.test(dev)) ? [dev] : []
  })
  return named.length === 0 ? [undefined] : named
}

/** The bridge takes over the smallest of its cards': of less than this IPv6 is gone from it, and everybody on it is slow. */
const SMALLEST_MTU = 1280

function readFrames(reading: Reading, mtu: Element): void {
  const size = reading.attribute(mtu, 'size') ?? ''
  if (!/^\d+$/.test(size) || Number(size) < SMALLEST_MTU)
    reading.add(mtu, { kind: 'privilege', what: `an MTU of ${size} for its bridge` })
}

const USUAL: Readonly<Record<string, string>> = { tap: '/dev/net/tun', vhost: '/dev/vhost-net' }

function readBackend(reading: Reading, card: Element): void {
  for (const backend of each(card, 'backend')) {
    for (const [name, usual] of Object.entries(USUAL)) {
      const id = reading.attribute(backend, name)
      if (id !== undefined && id !== usual) reading.add(backend, { kind: 'device', bus: 'net', id })
    }
    const log = reading.attribute(backend, 'logFile')
    if (log !== undefined) reading.add(backend, { kind: 'file', what: 'log', path: log, writes: true })
    const host = reading.attribute(backend, 'hostname')
    if (host !== undefined) reading.plain(backend, 'fqdn')
  }
}

/** Ports of the host that lead into the guest. */
function readForwards(reading: Reading, card: Element): void {
  for (const forward of each(card, 'portForward')) {
    const address = reading.attribute(forward, 'address')
    reading.plain(forward, 'dev')
    const ranges = each(forward, 'range').filter((range) => attribute(range, 'exclude') !== 'yes')
    const ports = ranges.map((range) => wholeNumber(attribute(range, 'start'), 0))
    for (const port of ports.length > 0 ? ports : [undefined])
      reading.add(forward, { kind: 'listen', by: 'network card', address, port, network: undefined, purpose: 'port' })
  }
}
