import type { Element } from '@xmldom/xmldom'
import { onceEach } from '../shared/once-each.ts'
import { editDomain } from './domain-xml-edit.ts'
import { portDevices, toTerminal } from './ports.ts'
import { attribute, childAt, childrenOf, parseXml } from './xml.ts'

/** Something of the host, beside disks and networks, that a definition hands to the guest. */
export interface HostDevice {
  /** As an operator names it: `usb:1d6b:fffe`, `pci:0000:01:00.0`, `mdev:<uuid>`, `folder:/srv/share`, `file:/var/log/x`. */
  readonly name: string
  /** In words: `the USB device 1d6b:fffe`. */
  readonly what: string
  /** Any of these shows that it is here. Empty: there is no telling. */
  readonly paths: readonly string[]
  /** Of a USB device: what is plugged in is looked through for it. */
  readonly usb?: { readonly vendor: string; readonly product: string }
  /** The guest sees it go, so that RAM does not fit without it. */
  readonly isSeen: boolean
  /** The VM can do without. */
  readonly canGo: boolean
}

/** Everything of the kind that a definition names, in its order. */
export function hostDevicesIn(xml: string): HostDevice[] {
  const root = parseXml(xml, 'domain XML').documentElement ?? undefined
  const devices = childAt(root, 'devices')
  const found = [
    ...childrenOf(devices, 'hostdev').map(passedThrough),
    ...childrenOf(devices, 'interface').map(virtualFunction),
    ...childrenOf(devices, 'filesystem').map(sharedFolder),
    ...childrenOf(devices, 'input').map(inputDevice),
    ...childrenOf(devices, 'rng').map(randomSource),
    ...childrenOf(devices, 'tpm').map(ownTpm),
    ...portDevices(devices).flatMap(({ what, device }) => portFiles(what, device)),
    ...bootFiles(childAt(root, 'os'))
  ].filter((device) => device !== undefined)
  return onceEach(found, ({ name }) => name)
}

const SEEN = { isSeen: true, canGo: true }

function passedThrough(device: Element): HostDevice | undefined {
  const source = childAt(device, 'source')
  const type = attribute(device, 'type')
  if (type === 'usb') return usbDevice(source)
  if (type === 'pci') return pciDevice(childAt(source, 'address'))
  if (type === 'mdev') {
    const uuid = attribute(childAt(source, 'address'), 'uuid') ?? ''
    return {
      name: `mdev:${uuid}`,
      what: `the mediated device ${uuid}`,
      paths: [`/sys/bus/mdev/devices/${uuid}`],
      ...SEEN
    }
  }
  const adapter = attribute(childAt(source, 'adapter'), 'name')
  if (type === 'scsi' && adapter !== undefined)
    return {
      name: `scsi:${adapter}`,
      what: `the SCSI adapter ${adapter}`,
      paths: [`/sys/class/scsi_host/${adapter.replace(/^scsi_/, '')}`],
      ...SEEN
    }
  return capability(source)
}

/** `mode='capabilities'`: a block or character device, which the definition names by its path. */
function capability(source: Element | undefined): HostDevice | undefined {
  const path = childAt(source, 'block')?.textContent ?? childAt(source, 'char')?.textContent ?? undefined
  return path === undefined ? undefined : { name: `file:${path}`, what: `the device ${path}`, paths: [path], ...SEEN }
}

/** `0x1d6b` is `1d6b`. */
const hex = (text: string | undefined, digits: number): string => {
  const value = Number(text ?? 0)
  return Number.isInteger(value) && value >= 0 ? value.toString(16).padStart(digits, '0') : '?'
}

function usbDevice(source: Element | undefined): HostDevice | undefined {
  const [vendor, product] = ['vendor', 'product'].map((name) => attribute(childAt(source, name), 'id'))
  if (vendor !== undefined && product !== undefined) {
    const usb = { vendor: hex(vendor, 4), product: hex(product, 4) }
    const id = `${usb.vendor}:${usb.product}`
    return { name: `usb:${id}`, what: `the USB device ${id}`, paths: [], usb, ...SEEN }
  }
  const address = childAt(source, 'address')
  if (address === undefined) return undefined
  const [bus, number] = ['bus', 'device'].map((name) => String(Number(attribute(address, name) ?? 0)).padStart(3, '0'))
  const path = `/dev/bus/usb/${bus ?? ''}/${number ?? ''}`
  return { name: `usb:${bus ?? ''}.${number ?? ''}`, what: `the USB device at ${path}`, paths: [path], ...SEEN }
}

function pciDevice(address: Element | undefined): HostDevice | undefined {
  if (address === undefined) return undefined
  const part = (name: string, digits: number): string => hex(attribute(address, name), digits)
  const at = `${part('domain', 4)}:${part('bus', 2)}:${part('slot', 2)}.${part('function', 1)}`
  return { name: `pci:${at}`, what: `the PCI device ${at}`, paths: [`/sys/bus/pci/devices/${at}`], ...SEEN }
}

/** A network card that is a piece of one of the host's. */
function virtualFunction(card: Element): HostDevice | undefined {
  return attribute(card, 'type') === 'hostdev' ? pciDevice(childAt(card, 'source', 'address')) : undefined
}

function sharedFolder(share: Element): HostDevice | undefined {
  const dir = attribute(childAt(share, 'source'), 'dir')
  return dir === undefined
    ? undefined
    : { name: `folder:${dir}`, what: `the shared folder ${dir}`, paths: [dir], ...SEEN }
}

function inputDevice(input: Element): HostDevice | undefined {
  const source = childAt(input, 'source')
  const path = attribute(source, 'evdev') ?? attribute(source, 'dev')
  return path === undefined
    ? undefined
    : { name: `file:${path}`, what: `the input device ${path}`, paths: [path], ...SEEN }
}

function randomSource(rng: Element): HostDevice | undefined {
  const backend = childAt(rng, 'backend')
  const path = attribute(backend, 'model') === 'random' ? (backend?.textContent?.trim() ?? '') : ''
  return path === ''
    ? undefined
    : { name: `file:${path}`, what: `the source of random numbers ${path}`, paths: [path], ...SEEN }
}

function ownTpm(tpm: Element): HostDevice | undefined {
  const backend = childAt(tpm, 'backend')
  if (attribute(backend, 'type') !== 'passthrough') return undefined
  const path = attribute(childAt(backend, 'device'), 'path') ?? '/dev/tpm0'
  return { name: `file:${path}`, what: `the host's TPM ${path}`, paths: [path], ...SEEN }
}

/** Files and sockets are made as the VM starts, if their folder is there; devices and pipes have to be there themselves. */
function portFiles(what: string, port: Element): HostDevice[] {
  const type = attribute(port, 'type')
  const path = attribute(childAt(port, 'source'), 'path')
  const log = attribute(childAt(port, 'log'), 'file')
  const isBound = type === 'unix' && attribute(childAt(port, 'source'), 'mode') !== 'connect'
  const files: HostDevice[] = []
  const add = (file: string, isMade: boolean): void => {
    const known = { name: `file:${file}`, isSeen: false, canGo: true }
    if (isMade) files.push({ ...known, what: `the folder for ${file} (its ${what})`, paths: [folderOf(file)] })
    else files.push({ ...known, what: `${file} (its ${what})`, paths: [file] })
  }
  if (path?.startsWith('/') === true && type === 'file') add(path, true)
  // libvirt makes the folders of its own sockets.
  if (path?.startsWith('/') === true && type === 'unix' && !LIBVIRTS_OWN.test(path)) add(path, isBound)
  if (path?.startsWith('/') === true && (type === 'dev' || type === 'pipe')) add(path, false)
  if (log?.startsWith('/') === true) add(log, true)
  return files
}

export const LIBVIRTS_OWN = /^(\/var\/lib|\/run|\/var\/run)\/libvirt\//

const folderOf = (path: string): string => path.slice(0, Math.max(1, path.lastIndexOf('/')))

const BOOT_FILES = { kernel: 'its kernel', initrd: 'its initrd', dtb: 'its device tree' }

function bootFiles(os: Element | undefined): HostDevice[] {
  return Object.entries(BOOT_FILES).flatMap(([tag, what]) => {
    const path = childAt(os, tag)?.textContent?.trim() ?? ''
    return path.startsWith('/')
      ? [{ name: `file:${path}`, what: `${what} ${path}`, paths: [path], isSeen: true, canGo: false }]
      : []
  })
}

/** The definition without these devices. Ports stay in the guest, and lead to a terminal of the host. */
export function withoutDevices(xml: string, names: readonly string[]): string {
  const isMeant = (device: HostDevice | undefined): boolean => device !== undefined && names.includes(device.name)
  return editDomain(xml, (root) => {
    const devices = childAt(root, 'devices')
    const readers = {
      hostdev: passedThrough,
      interface: virtualFunction,
      filesystem: sharedFolder,
      input: inputDevice,
      rng: randomSource,
      tpm: ownTpm
    }
    for (const [tag, read] of Object.entries(readers))
      for (const element of childrenOf(devices, tag)) if (isMeant(read(element))) devices?.removeChild(element)
    for (const { device } of portDevices(devices)) disconnect(device, names)
  })
}

function disconnect(port: Element, names: readonly string[]): void {
  if (names.includes(`file:${attribute(childAt(port, 'source'), 'path') ?? ''}`)) toTerminal(port)
  for (const log of childrenOf(port, 'log'))
    if (names.includes(`file:${attribute(log, 'file') ?? ''}`)) port.removeChild(log)
}
