import type { Element } from '@xmldom/xmldom'
import type { DiskNeed } from './need.ts'
import { readLabels, readPciAddress, readSecrets } from './pieces.ts'
import { each, saidBy, type Reading } from './reading.ts'

/** Everything that a disk or a drive asks: its source, what lies below it, its keys, and who watches over reservations. */
export function readDisk(reading: Reading, disk: Element): void {
  const [target] = each(disk, 'target')
  const head = {
    target: reading.attribute(target, 'dev') ?? '',
    device: reading.attribute(disk, 'device') ?? 'disk',
    readOnly: each(disk, 'readonly').length > 0
  }
  for (const name of ['serial', 'vendor', 'product', 'wwn']) for (const text of each(disk, name)) reading.text(text)
  if (reading.attribute(disk, 'rawio') === 'yes') reading.add(disk, { kind: 'privilege', what: 'raw I/O' })
  if (reading.attribute(disk, 'sgio') === 'unfiltered')
    reading.add(disk, { kind: 'privilege', what: 'unfiltered SCSI commands' })
  const heads = saidBy(reading, each(disk, 'driver'), 'type').map((format) => ({ ...head, format }))
  readImage(reading, disk, heads, 'image')
  readMirror(reading, disk, head)
  readSecrets(reading, disk)
}

type Head = Pick<DiskNeed, 'target' | 'device' | 'format' | 'readOnly'>

/** Of an image that is not the disk's own; more than one where it says two formats. */
const headsOf = (reading: Reading, image: Element, head: Omit<Head, 'format'>): Head[] =>
  saidBy(reading, each(image, 'format'), 'type').map((format) => ({ ...head, format }))

/**
 * A disk, or an image in its backing chain, which says its source in the same way. Each element is read once, for all the
 * formats that it is said to have: chains nest.
 */
function readImage(reading: Reading, image: Element, heads: readonly Head[], role: DiskNeed['role']): void {
  const type = reading.attribute(image, 'type') ?? 'file'
  for (const source of each(image, 'source')) readSource(reading, source, type, heads, role)
  for (const below of each(image, 'backingStore')) readImage(reading, below, belowOf(reading, below, heads), 'below')
}

/** What is below is only read; of which disk it is all heads say alike. */
const belowOf = (reading: Reading, below: Element, [head]: readonly Head[]): Head[] =>
  head === undefined ? [] : headsOf(reading, below, { ...head, readOnly: true })

function readMirror(reading: Reading, disk: Element, head: Omit<Head, 'format'>): void {
  for (const mirror of each(disk, 'mirror')) {
    const file = reading.attribute(mirror, 'file')
    const heads = headsOf(reading, mirror, head)
    if (file !== undefined)
      for (const its of heads) reading.add(mirror, { kind: 'disk', ...its, type: 'file', role: 'mirror', source: file })
    readImage(reading, mirror, heads, 'mirror')
  }
}

function readSource(
  reading: Reading,
  source: Element,
  type: string,
  heads: readonly Head[],
  role: DiskNeed['role']
): void {
  const named = sourceOf(reading, source, type)
  if (named !== undefined)
    for (const head of heads) reading.add(source, { kind: 'disk', ...head, type, role, source: named })
  readSecrets(reading, source)
  readLabels(reading, source)
  for (const reservations of each(source, 'reservations')) readReservations(reading, reservations)
  for (const store of each(source, 'dataStore')) {
    const [head] = heads
    readImage(reading, store, head === undefined ? [] : headsOf(reading, store, head), 'data')
  }
  for (const file of [...each(source, 'knownHosts'), ...each(source, 'config')]) readLoginFile(reading, file)
  for (const identity of each(source, 'identity')) readLoginFile(reading, identity)
}

/** Undefined: a drive without a medium. */
function sourceOf(reading: Reading, source: Element, type: string): string | undefined {
  if (type === 'file') return reading.attribute(source, 'file')
  if (type === 'block' || type === 'vhostvdpa') return reading.attribute(source, 'dev')
  if (type === 'dir') return reading.attribute(source, 'dir')
  if (type === 'vhostuser') return reading.attribute(source, 'path')
  if (type === 'nvme')
    return each(source, 'address')
      .map((address) => readPciAddress(reading, address))
      .join(' ')
  if (type === 'volume') return volumeOf(reading, source)
  return type === 'network' ? serverOf(reading, source) : undefined
}

function volumeOf(reading: Reading, source: Element): string | undefined {
  const [pool, volume] = [reading.attribute(source, 'pool'), reading.attribute(source, 'volume')]
  return pool === undefined && volume === undefined ? undefined : `${pool ?? ''}/${volume ?? ''}`
}

/** `nbd:export at 198.18.0.2:10809` */
function serverOf(reading: Reading, source: Element): string | undefined {
  const protocol = reading.attribute(source, 'protocol')
  const name = reading.attribute(source, 'name')
  const query = reading.attribute(source, 'query')
  const hosts = each(source, 'host').map((host) => addressOf(reading, host))
  for (const part of [...each(source, 'cookies', 'cookie'), ...each(source, 'initiator', 'iqn')])
    reading.plain(part, 'name', '#text')
  if (protocol === undefined && name === undefined && hosts.length === 0) return undefined
  const what = `${protocol ?? ''}:${name ?? ''}${query === undefined ? '' : `?${query}`}`
  return hosts.length === 0 ? what : `${what} at ${hosts.join(' ')}`
}

function addressOf(reading: Reading, host: Element): string {
  const [socket, name, port] = ['socket', 'name', 'port'].map((each) => reading.attribute(host, each))
  return socket ?? `${name ?? ''}${port === undefined ? '' : `:${port}`}`
}

/** A daemon of the host that keeps reservations of a LUN. */
function readReservations(reading: Reading, reservations: Element): void {
  for (const source of each(reservations, 'source')) {
    const path = reading.attribute(source, 'path')
    const how = reading.attribute(source, 'mode') === 'server' ? 'listens' : 'connects'
    if (path !== undefined) reading.add(source, { kind: 'socket', by: 'reservations', to: path, how })
  }
}

/** Keys, known hosts and settings by which a server is spoken to. */
function readLoginFile(reading: Reading, at: Element): void {
  for (const name of ['path', 'file', 'keyfile', 'agentsock']) {
    const path = reading.attribute(at, name)
    if (path !== undefined) reading.add(at, { kind: 'file', what: 'login', path, writes: false })
  }
}
