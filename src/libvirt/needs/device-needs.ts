import type { Element } from '@xmldom/xmldom'
import { attribute } from '../xml.ts'
import { readDisk } from './disk-needs.ts'
import { readInterface } from './interface-needs.ts'
import type { FileNeed } from './need.ts'
import { hexOf, readLabels, readPciAddress, readRom, readSecret } from './pieces.ts'
import { readDevicePath, readPort } from './port-needs.ts'
import { each, readTogether, saidBy, type Reading } from './reading.ts'
import { readScreen } from './screen-needs.ts'

type Reader = (reading: Reading, device: Element) => void

/** What is wholly inside of the guest. */
const inGuest: Reader = () => undefined

/** Every kind of device that libvirt knows. One that is not here is listed as unknown, whatever it says. */
const DEVICES: Readonly<Record<string, Reader>> = {
  emulator: (reading, at) => reading.add(at, { kind: 'emulator', path: reading.text(at) ?? '' }),
  disk: readDisk,
  interface: readInterface,
  graphics: readScreen,
  serial: readPort,
  parallel: readPort,
  console: readPort,
  channel: readPort,
  redirdev: readPort,
  smartcard: readSmartcard,
  hostdev: readHostDevice,
  filesystem: readFolder,
  rng: readRandom,
  memory: readMemoryModule,
  shmem: readShared,
  input: readInput,
  tpm: readTpm,
  audio: readAudio,
  sound: (reading, at) => reading.add(at, { kind: 'feature', what: 'sound', name: attribute(at, 'model') ?? '' }),
  video: readVideo,
  lease: readLease,
  pstore: (reading, at) => each(at, 'path').forEach((path) => readFile(reading, path, 'memory', true)),
  controller: inGuest,
  hub: inGuest,
  redirfilter: inGuest,
  watchdog: readWatchdog,
  panic: inGuest,
  memballoon: inGuest,
  nvram: inGuest,
  iommu: inGuest,
  vsock: (reading, at) => each(at, 'cid').forEach((cid) => reading.plain(cid, 'address')),
  crypto: inGuest
}

export function readDevice(reading: Reading, device: Element): void {
  const reader = DEVICES[device.tagName]
  if (reader !== undefined && Object.hasOwn(DEVICES, device.tagName)) reader(reading, device)
  else reading.add(device, { kind: 'unknown', name: device.tagName, value: 'a device that Stillpoint does not know' })
}

function readFile(reading: Reading, at: Element, what: FileNeed['what'], writes: boolean): void {
  const path = reading.text(at)
  if (path !== undefined) reading.add(at, { kind: 'file', what, path, writes })
}

function readSmartcard(reading: Reading, card: Element): void {
  const mode = reading.attribute(card, 'mode')
  if (mode === 'host') reading.add(card, { kind: 'device', bus: 'smartcard', id: 'host' })
  for (const name of each(card, 'certificate')) readFile(reading, name, 'certificate', false)
  for (const path of each(card, 'database')) readFile(reading, path, 'smartcard database', false)
  readPort(reading, card)
}

function readHostDevice(reading: Reading, device: Element): void {
  const bus = reading.attribute(device, 'type') ?? ''
  for (const source of each(device, 'source')) {
    readLabels(reading, source)
    reading.plainAll(source)
    for (const part of readTogether(source, PARTS))
      reading.add(source, { kind: 'device', bus, id: hostDeviceId(reading, source, bus, part) })
  }
  readRom(reading, device)
}

const PARTS = ['address', 'vendor', 'product', 'block', 'char', 'interface', 'adapter']

type Part = (name: string) => Element | undefined

/** As it is said; all of it is read. */
function hostDeviceId(reading: Reading, source: Element, bus: string, part: Part): string {
  const address = part('address')
  if (bus === 'pci' && address !== undefined) return readPciAddress(reading, address)
  if (bus === 'mdev') return attribute(address, 'uuid') ?? ''
  if (bus === 'usb') return usbId(part)
  const path = ['block', 'char', 'interface'].map((name) => part(name)?.textContent?.trim()).find(Boolean)
  const named = ['wwpn', 'name', 'dev'].map((name) => attribute(source, name)).find(Boolean)
  const server = each(source, 'host').map((host) => attribute(host, 'name') ?? '')
  const unit = ['bus', 'target', 'unit'].map((name) => attribute(address, name)).filter((word) => word !== undefined)
  return [path, attribute(part('adapter'), 'name'), ...unit, named, ...server].filter(Boolean).join(':')
}

function usbId(part: Part): string {
  const id = (name: string): string => {
    const said = attribute(part(name), 'id')
    return said === undefined ? '' : hexOf(said, 4)
  }
  const address = part('address')
  const ids = id('vendor') === '' ? '' : `${id('vendor')}:${id('product')}`
  const place = address === undefined ? '' : `${attribute(address, 'bus') ?? ''}.${attribute(address, 'device') ?? ''}`
  return [ids, place].filter((word) => word !== '').join('@')
}

function readFolder(reading: Reading, share: Element): void {
  const [type, readOnly] = [reading.attribute(share, 'type') ?? 'mount', each(share, 'readonly').length > 0]
  const drivers = saidBy(reading, each(share, 'driver'), 'type')
  for (const target of each(share, 'target')) reading.plain(target, 'dir')
  for (const binary of each(share, 'binary')) {
    const path = reading.attribute(binary, 'path')
    if (path !== undefined) reading.add(binary, { kind: 'program', what: 'file server', path })
  }
  for (const source of each(share, 'source')) {
    const socket = reading.attribute(source, 'socket')
    if (socket !== undefined) reading.add(source, { kind: 'socket', by: 'shared folder', to: socket, how: 'connects' })
    const names = ['dir', 'file', 'dev', 'name', 'pool', 'volume', 'usage'].map((name) =>
      reading.attribute(source, name)
    )
    const path = names.filter((name) => name !== undefined).join('/')
    for (const driver of path === '' ? [] : type === 'mount' ? drivers : [type])
      reading.add(source, { kind: 'folder', path, readOnly, driver: driver ?? 'path' })
  }
}

function readRandom(reading: Reading, device: Element): void {
  for (const backend of each(device, 'backend')) {
    const model = reading.attribute(backend, 'model') ?? 'random'
    if (model === 'random') readFile(reading, backend, 'random numbers', false)
    else if (model === 'egd') readPort(reading, backend)
  }
}

function readMemoryModule(reading: Reading, module: Element): void {
  for (const source of each(module, 'source'))
    for (const path of each(source, 'path')) readFile(reading, path, 'memory', true)
}

/** Memory that other programs of the host see as well. */
function readShared(reading: Reading, memory: Element): void {
  const name = reading.attribute(memory, 'name') ?? ''
  const servers = each(memory, 'server')
  for (const server of servers)
    reading.add(server, {
      kind: 'socket',
      by: 'shared memory',
      to: reading.attribute(server, 'path') ?? `shmem ${name}`,
      how: 'connects'
    })
  if (servers.length === 0) reading.add(memory, { kind: 'device', bus: 'shared memory', id: name })
}

function readInput(reading: Reading, input: Element): void {
  for (const source of each(input, 'source'))
    for (const name of ['evdev', 'dev']) {
      const id = reading.attribute(source, name)
      if (id !== undefined) reading.add(source, { kind: 'device', bus: 'input', id })
    }
}

function readTpm(reading: Reading, tpm: Element): void {
  for (const backend of each(tpm, 'backend')) {
    const type = reading.attribute(backend, 'type') ?? 'emulator'
    const places = [...each(backend, 'device'), ...each(backend, 'source')]
    const paths = places.flatMap((at) => ['path', 'file', 'dir'].flatMap((name) => reading.attribute(at, name) ?? []))
    // Which one counts depends on what libvirt reads first.
    for (const path of paths.length === 0 ? [undefined] : paths)
      reading.add(backend, { kind: 'tpm', backend: type, path })
    for (const key of each(backend, 'encryption')) readSecret(reading, key, 'TPM')
    for (const profile of each(backend, 'profile')) reading.plain(profile, 'source', 'name')
    const debug = reading.attribute(backend, 'debug')
    if (debug !== undefined) reading.plain(backend, 'debug')
  }
}

function readAudio(reading: Reading, audio: Element): void {
  const type = reading.attribute(audio, 'type') ?? ''
  const path = reading.attribute(audio, 'path')
  if (path !== undefined) reading.add(audio, { kind: 'file', what: 'sound recording', path, writes: true })
  const server = reading.attribute(audio, 'serverName')
  if (server !== undefined) reading.add(audio, { kind: 'socket', by: `sound (${type})`, to: server, how: 'connects' })
  readDevicePath(reading, audio, 'dev')
  for (const end of [...each(audio, 'input'), ...each(audio, 'output')]) {
    readDevicePath(reading, end, 'dev')
    readDevicePath(reading, end, 'connectPorts')
    reading.plain(end, 'name', 'clientName')
  }
}

function readVideo(reading: Reading, video: Element): void {
  for (const driver of each(video, 'driver'))
    if (reading.attribute(driver, 'name') === 'vhostuser')
      reading.add(driver, { kind: 'privilege', what: 'a program of this host for its graphics' })
  for (const model of each(video, 'model')) {
    reading.add(model, { kind: 'feature', what: 'video', name: attribute(model, 'type') ?? '' })
    for (const acceleration of each(model, 'acceleration')) readDevicePath(reading, acceleration, 'rendernode')
  }
}

/** The guest makes it act whenever it likes; a dump of its memory fills a disk of the host. */
function readWatchdog(reading: Reading, watchdog: Element): void {
  if (reading.attribute(watchdog, 'action') === 'dump')
    reading.add(watchdog, { kind: 'privilege', what: 'dumps of its memory' })
}

/** A lock that a manager of the host keeps. */
function readLease(reading: Reading, lease: Element): void {
  for (const target of each(lease, 'target')) {
    const path = reading.attribute(target, 'path')
    if (path !== undefined) reading.add(target, { kind: 'file', what: 'lock', path, writes: true })
  }
  for (const name of ['lockspace', 'key']) for (const text of each(lease, name)) reading.text(text)
}
