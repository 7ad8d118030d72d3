import type { Element } from '@xmldom/xmldom'
import type { Uuid } from '../shared/model/ids.ts'
import { editDomain, renameDomain } from './domain-xml-edit.ts'
import { parseDomain } from './domain-xml.ts'
import { LIBVIRTS_OWN } from './host-devices.ts'
import { automaticPort } from './ports.ts'
import { attribute, childAt, childrenOf } from './xml.ts'

export interface CopyIdentity {
  readonly name: string
  readonly uuid: Uuid
}

/**
 * A second VM out of a definition, to run beside the first on the same host: what only one of them can have (MAC addresses,
 * ports, sockets, log files, generation id) is made anew by libvirt, or gets a name of its own. Disks and NVRAM are the
 * caller's.
 */
export function copyDomain(xml: string, to: CopyIdentity): string {
  const former = parseDomain(xml).uuid
  return editDomain(renameDomain(xml, to), (root) => {
    // libvirt makes a new value of an empty one.
    for (const genid of childrenOf(root, 'genid')) genid.textContent = ''
    const devices = childAt(root, 'devices')
    for (const card of childrenOf(devices, 'interface')) renewCard(card)
    for (const screen of childrenOf(devices, 'graphics')) renewScreen(screen)
    for (const vsock of childrenOf(devices, 'vsock')) renewVsock(vsock)
    for (const tpm of childrenOf(devices, 'tpm')) renewTpm(tpm)
    for (const name of ['serial', 'parallel', 'console', 'channel'])
      for (const port of childrenOf(devices, name)) renewPort(port, (path) => ownPath(path, former, to.uuid))
  })
}

function renewCard(card: Element): void {
  remove(card, 'mac')
  // A tap that somebody made beforehand is the one thing that libvirt cannot make anew.
  if (attribute(card, 'type') !== 'ethernet') remove(card, 'target')
  for (const port of childrenOf(card, 'virtualport'))
    if (attribute(port, 'type') !== 'midonet')
      for (const name of ['interfaceid', 'instanceid']) childAt(port, 'parameters')?.removeAttribute(name)
}

/** Fixed ports and sockets become automatic ones; passwords and addresses stay. */
function renewScreen(screen: Element): void {
  for (const element of [screen, ...childrenOf(screen, 'listen')]) element.removeAttribute('socket')
  automaticPort(screen)
}

function renewVsock(vsock: Element): void {
  for (const cid of childrenOf(vsock, 'cid')) {
    cid.removeAttribute('address')
    cid.setAttribute('auto', 'yes')
  }
}

/** Its state lies where libvirt looks for it by UUID. */
function renewTpm(tpm: Element): void {
  for (const backend of childrenOf(tpm, 'backend'))
    if (attribute(backend, 'type') === 'emulator') remove(backend, 'source')
}

function renewPort(port: Element, rename: (path: string) => string): void {
  for (const log of childrenOf(port, 'log')) renewAttribute(log, 'file', rename)
  const isFile = attribute(port, 'type') === 'file'
  for (const source of childrenOf(port, 'source')) {
    const binds = attribute(port, 'type') === 'unix' && attribute(source, 'mode') !== 'connect'
    if (binds && LIBVIRTS_OWN.test(attribute(source, 'path') ?? '')) port.removeChild(source)
    else if (isFile || binds) renewAttribute(source, 'path', rename)
  }
}

function renewAttribute(element: Element, name: string, rename: (value: string) => string): void {
  const value = attribute(element, name)
  if (value !== undefined) element.setAttribute(name, rename(value))
}

/** `/log/<former>.log` becomes `/log/<uuid>.log`, `/log/web.log` becomes `/log/web-<uuid>.log`. */
function ownPath(path: string, former: string, uuid: string): string {
  if (path.includes(former)) return path.replaceAll(former, uuid)
  const [, stem = path, ending = ''] = /^(.*[^/.])(\.[^/.]*)$/.exec(path) ?? []
  return `${stem}-${uuid}${ending}`
}

function remove(element: Element, name: string): void {
  for (const child of childrenOf(element, name)) element.removeChild(child)
}
