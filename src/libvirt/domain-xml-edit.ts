import type { Document, Element, Node } from '@xmldom/xmldom'
import { fail } from '../shared/failure.ts'
import { BOOT_ROLES } from './domain-xml.ts'
import { attribute, childAt, childrenOf, elementsIn, parseXml, serializeXml, textOf } from './xml.ts'

/** Each takes a definition, persistent or out of a RAM image, and returns a changed one. */

/**
 * The disk reads this image file from now on. Its listed backing chain goes: where the image has a chain, libvirt looks
 * for itself; left in, `<backingStore/>` would end it and the guest would read holes.
 */
export function setDiskSource(
  xml: string,
  target: string,
  to: { path: string; format: string; type?: 'file' | 'block' }
): string {
  return editDisk(xml, target, (disk) => {
    const former = childAt(disk, 'source')
    // A login belonged to a network source; libvirt refuses it on a file.
    for (const name of ['backingStore', 'mirror', 'source', 'auth'])
      for (const child of childrenOf(disk, name)) disk.removeChild(child)
    const { type = 'file' } = to
    disk.setAttribute('type', type)
    const source = insertElement(disk, 'source', childAt(disk, 'target'))
    source.setAttribute(type === 'file' ? 'file' : 'dev', to.path)
    keepWhatTheContentNeeds(source, former)
    // Without a driver libvirt would take the image for raw.
    const driver = childAt(disk, 'driver') ?? insertElement(disk, 'driver', disk.firstChild ?? undefined)
    driver.setAttribute('name', 'qemu')
    driver.setAttribute('type', to.format)
  })
}

/**
 * What is said of the content, and who may touch it, holds wherever it lies: without `<encryption>` a guest would see
 * ciphertext, without `<slices>` another part of the file. How a server or a pool was reached does not, nor where a qcow2
 * image kept its data: a copy holds all in one file.
 */
const OF_THE_CONTENT = ['seclabel', 'encryption', 'reservations', 'slices']

function keepWhatTheContentNeeds(source: Element, former: Element | undefined): void {
  const policy = attribute(former, 'startupPolicy')
  if (policy !== undefined) source.setAttribute('startupPolicy', policy)
  for (const name of OF_THE_CONTENT) for (const child of childrenOf(former, name)) source.appendChild(child)
}

/** The disk's source is again what an earlier definition of the VM says: file, device or server, with its login. */
export function restoreDiskSource(xml: string, target: string, former: string): string {
  const before = diskIn(former, target)
  return editDisk(xml, target, (disk) => takeSource(disk, before))
}

/**
 * The same for every disk, wherever in the XML, that names this file: in a snapshot's record there are definitions inside.
 */
export function replaceDiskSource(xml: string, path: string, target: string, former: string): string {
  const before = diskIn(former, target)
  const document = parseXml(xml, 'snapshot XML')
  const edit = (element: Element): void => {
    if (element.tagName === 'disk' && attribute(childAt(element, 'source'), 'file') === path)
      takeSource(element, before)
    else elementsIn(element).forEach(edit)
  }
  if (document.documentElement !== null) edit(document.documentElement)
  return serializeXml(document)
}

const diskIn = (definition: string, target: string): Element =>
  diskIfIn(definition, target) ?? fail({ kind: 'not-found', what: 'disk', name: target })

const diskIfIn = (definition: string, target: string): Element | undefined =>
  disksOf(parseXml(definition, 'domain XML')).find((each) => targetOf(each) === target)

function takeSource(disk: Element, before: Element): void {
  // Where a definition has `<encryption>` beside its source, that of an overlay stands there too.
  for (const name of ['backingStore', 'mirror', 'source', 'auth', 'driver', 'encryption'])
    for (const child of childrenOf(disk, name)) disk.removeChild(child)
  disk.setAttribute('type', attribute(before, 'type') ?? 'file')
  for (const name of ['driver', 'auth', 'source', 'encryption'])
    for (const child of childrenOf(before, name)) {
      const copy = disk.ownerDocument?.importNode(child, true)
      if (copy !== undefined) disk.insertBefore(copy, childAt(disk, 'target') ?? null)
    }
}

/**
 * The same definition with a disk more, as another one of the guest has it (that of its RAM, for instance), but for what
 * only belongs to a VM that runs. Where it sits in the guest is libvirt's choice: its address may be taken here.
 */
export function addDiskOf(xml: string, target: string, from: string): string {
  const there = diskIfIn(from, target) ?? fail({ kind: 'not-found', what: 'disk', name: target })
  return insertDisk(xml, (document) => {
    const disk = document.importNode(there, true)
    for (const name of ['backingStore', 'mirror', 'address', 'alias', 'boot'])
      for (const child of childrenOf(disk, name)) disk.removeChild(child)
    childAt(disk, 'source')?.removeAttribute('index')
    return disk
  })
}

/** Behind the disks that are there. */
function insertDisk(xml: string, make: (document: Document) => Element): string {
  return editDomain(xml, (root) => {
    const devices = childAt(root, 'devices')
    if (devices === undefined || root.ownerDocument === null) return
    const last = childrenOf(devices, 'disk').at(-1)
    devices.insertBefore(make(root.ownerDocument), last === undefined ? devices.firstChild : last.nextSibling)
  })
}

/** An empty drive. */
export function ejectMedia(xml: string, target: string): string {
  return editDisk(xml, target, (disk) => {
    for (const name of ['backingStore', 'source']) for (const child of childrenOf(disk, name)) disk.removeChild(child)
  })
}

/**
 * The disk is added as another definition of the same guest has it. Without such a definition it is a plain disk of that
 * name, if the name says enough. Undefined: it does not.
 */
export function addDisk(
  xml: string,
  target: string,
  to: { path: string; format: string },
  like: string | undefined
): string | undefined {
  if (like !== undefined && hasDisk(like, target)) return setDiskSource(addDiskOf(xml, target, like), target, to)
  const bus = { vd: 'virtio', sd: 'sata', hd: 'ide', xvd: 'xen' }[/^(xvd|[vsh]d)/.exec(target)?.[1] ?? '']
  if (bus === undefined) return undefined
  const added = insertDisk(xml, (document) => {
    const disk = document.createElement('disk')
    disk.setAttribute('device', 'disk')
    const place = insertElement(disk, 'target', undefined)
    place.setAttribute('dev', target)
    place.setAttribute('bus', bus)
    return disk
  })
  return setDiskSource(added, target, to)
}

export const hasDisk = (xml: string, target: string): boolean => diskIfIn(xml, target) !== undefined

/** The program that runs the guest. */
export function setEmulator(xml: string, path: string): string {
  return editDomain(xml, (root) => {
    const emulator = childAt(root, 'devices', 'emulator')
    if (emulator !== undefined) emulator.textContent = path
  })
}

/** Another machine type of the same family. The guest sees another board. */
export function setMachine(xml: string, machine: string): string {
  return editDomain(xml, (root) => childAt(root, 'os', 'type')?.setAttribute('machine', machine))
}

/** The CPU as this host has it, so far as libvirt knows it, in place of the one that the definition asks for. */
export function setHostCpu(xml: string): string {
  return editDomain(xml, (root) => {
    const cpu = childAt(root, 'cpu')
    if (cpu === undefined) return
    for (const name of ['model', 'vendor', 'feature']) for (const child of childrenOf(cpu, name)) cpu.removeChild(child)
    for (const name of ['match', 'check', 'migratable']) cpu.removeAttribute(name)
    cpu.setAttribute('mode', 'host-model')
  })
}

const watchdogsOf = (root: Element | undefined, model: string): Element[] =>
  childrenOf(childAt(root, 'devices'), 'watchdog').filter((watchdog) => attribute(watchdog, 'model') === model)

export const hasWatchdog = (xml: string, model: string): boolean =>
  watchdogsOf(parseXml(xml, 'domain XML').documentElement ?? undefined, model).length > 0

export function withoutWatchdog(xml: string, model: string): string {
  return editDomain(xml, (root) => {
    for (const watchdog of watchdogsOf(root, model)) watchdog.parentNode?.removeChild(watchdog)
  })
}

export function removeDisk(xml: string, target: string): string {
  return editDisk(xml, target, (disk) => disk.parentNode?.removeChild(disk))
}

/** Its firmware variables lie in this file, whatever they lay on. */
export function setNvramPath(xml: string, path: string): string {
  return editDomain(xml, (root) => {
    const nvram = childAt(root, 'os', 'nvram')
    if (nvram === undefined) return
    if (!nvram.hasAttribute('type')) {
      nvram.textContent = path
      return
    }
    nvram.setAttribute('type', 'file')
    for (const source of childrenOf(nvram, 'source')) nvram.removeChild(source)
    insertElement(nvram, 'source', nvram.firstChild ?? undefined).setAttribute('file', path)
  })
}

/** The state of its TPM lies where libvirt keeps that of others. */
export function setTpmStateToDefault(xml: string): string {
  return editDomain(xml, (root) => {
    for (const tpm of childrenOf(childAt(root, 'devices'), 'tpm'))
      for (const backend of childrenOf(tpm, 'backend'))
        for (const source of attribute(backend, 'type') === 'emulator' ? childrenOf(backend, 'source') : [])
          backend.removeChild(source)
  })
}

/**
 * Where libvirt puts the sockets of channels that have no path of their own. They go by the number and the name of a VM
 * that runs, or did: it may be another one by now.
 */
const CHANNEL_SOCKET =
  /^(\/var\/lib|\/run|\/var\/run)\/libvirt\/qemu\/(channel\/(target\/)?([^/.][^/]*\/)?[^/.][^/]*|[^/.][^/]*\.agent)$/

/** libvirt makes the sockets of its channels anew for each start, as it does by itself where it knows the path for one of its own. */
export function setChannelSocketsToDefault(xml: string): string {
  return editDomain(xml, (root) => {
    for (const channel of childrenOf(childAt(root, 'devices'), 'channel')) {
      const isLibvirts =
        attribute(channel, 'type') === 'unix' && attribute(childAt(channel, 'target'), 'type') === 'virtio'
      for (const source of isLibvirts ? childrenOf(channel, 'source') : [])
        if (attribute(source, 'mode') === 'bind' && CHANNEL_SOCKET.test(attribute(source, 'path') ?? ''))
          source.removeAttribute('path')
    }
  })
}

/** Each file that it is started with, or that lies in a drive, and that is renamed here lies at its new path. */
export function setBootPaths(xml: string, pathsByFormer: ReadonlyMap<string, string>): string {
  return editDomain(xml, (root) => {
    for (const role of BOOT_ROLES)
      for (const element of childrenOf(childAt(root, 'os'), role)) {
        const path = pathsByFormer.get(textOf(element) ?? '')
        if (path !== undefined) element.textContent = path
      }
    for (const disk of childrenOf(childAt(root, 'devices'), 'disk').filter(isDrive)) {
      const source = childAt(disk, 'source')
      const path = pathsByFormer.get(attribute(source, 'file') ?? '')
      if (path !== undefined) source?.setAttribute('file', path)
    }
  })
}

const isDrive = (disk: Element): boolean => ['cdrom', 'floppy'].includes(attribute(disk, 'device') ?? '')

/** Another name, another UUID or both. A RAM image accepts neither. */
export function renameDomain(xml: string, to: { readonly name?: string; readonly uuid?: string }): string {
  return editDomain(xml, (root) => {
    for (const [tag, value] of Object.entries(to)) {
      const element = childAt(root, tag) ?? insertElement(root, tag, root.firstChild ?? undefined)
      element.textContent = value
    }
    // The UUID that the guest's firmware shows has to be the same.
    for (const entry of to.uuid === undefined ? [] : childrenOf(childAt(root, 'sysinfo', 'system'), 'entry'))
      if (attribute(entry, 'name') === 'uuid') entry.textContent = to.uuid ?? ''
  })
}

/** Before another child, or last. */
export function insertElement(parent: Element, name: string, before: Node | undefined): Element {
  const element =
    parent.ownerDocument?.createElement(name) ?? fail({ kind: 'bad-output', what: 'domain XML', detail: 'no document' })
  parent.insertBefore(element, before ?? null)
  return element
}

export function editDomain(xml: string, edit: (root: Element) => void): string {
  const document = parseXml(xml, 'domain XML')
  const root = document.documentElement
  if (root?.tagName !== 'domain') return fail({ kind: 'bad-output', what: 'domain XML', detail: 'no <domain>' })
  edit(root)
  return serializeXml(document)
}

function editDisk(xml: string, target: string, edit: (disk: Element) => unknown): string {
  const document = parseXml(xml, 'domain XML')
  const disk = disksOf(document).find((each) => targetOf(each) === target)
  if (disk === undefined) return fail({ kind: 'not-found', what: 'disk', name: target })
  edit(disk)
  return serializeXml(document)
}

const disksOf = (document: Document): Element[] =>
  childrenOf(childAt(document.documentElement ?? undefined, 'devices'), 'disk')

const targetOf = (disk: Element): string | undefined => attribute(childAt(disk, 'target'), 'dev')
