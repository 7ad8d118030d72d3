import { createHash } from 'node:crypto'
import type { DiskNeed, FirmwareNeed, ForeignNeed, ListenNeed, Need } from './need.ts'

/**
 * A need in one word, as an operator types it: `read=/srv/a.iso`, `device=pci:0000:01:00.0`. Needs of one word are the very
 * same to a host, wherever they stand: what is read, written, run, opened or taken.
 */
export function itemOf(need: Need): string {
  const item = said(need)
  // What cannot be typed, or read at a glance, has a short one that stands for just this.
  return /^[\x20-\x7e]{1,160}$/.test(item) ? item : `${item.slice(0, item.indexOf('='))}=#${digest(item)}`
}

function said(need: Need): string {
  switch (need.kind) {
    case 'disk':
      return diskItem(need)
    case 'file':
      return `${need.writes ? 'write' : 'read'}=${need.path}`
    case 'firmware':
      return firmwareItem(need)
    case 'secret':
      return `secret=${need.uuid ?? need.usage ?? ''}`
    case 'tpm':
      return `tpm=${need.backend}${need.path === undefined ? '' : `:${need.path}`}`
    case 'emulator':
      return `emulator=${need.path}`
    case 'machine':
      return `machine=${need.type}:${need.arch}:${need.machine}`
    case 'cpu':
      return `cpu=${need.model ?? need.mode}`
    case 'memory':
      return `memory=${need.bytes}`
    case 'pin':
      return `${need.what}=${need.set}`
    case 'interface':
      return `card=${[need.type, need.mode, need.source, need.tap].filter(Boolean).join(':')}`
    case 'listen':
      return listenItem(need)
    case 'socket':
      return `${need.how === 'listens' ? 'make-socket' : 'connect'}=${need.to}`
    case 'device':
      return `device=${need.bus}:${need.id}`
    case 'folder':
      return `${need.readOnly ? 'see' : 'share'}=${need.driver === 'path' ? '' : `${need.driver}:`}${need.path}`
    case 'program':
      return `run=${need.path}`
    case 'feature':
      return `${need.what.replaceAll(' ', '-')}=${need.name}`
    case 'label':
      return `${need.where.startsWith('devices/') ? 'source-label' : 'label'}=${[need.model, need.type, need.label].filter(Boolean).join(':')}`
    case 'partition':
      return `partition=${need.path}`
    case 'privilege':
      return `privilege=${need.what.replaceAll(' ', '-')}`
    case 'foreign':
      return `${QEMU.test(need.namespace) ? 'qemu' : 'foreign'}-${wordIn(need.name)}=#${digest(foreignKey(need))}`
    case 'prefixed':
      return `prefixed=${need.text}`
    case 'control':
      return `control=${need.in} ${need.value}`
    case 'unknown':
      return `${wordIn(need.name)}=${need.value}`
  }
}

/** The port of a screen is anybody's choice; whether it is open to everybody who comes is not. */
const listenItem = ({ by, address = '', network, purpose, port, hasPassword }: ListenNeed): string =>
  [
    `listen=${by}`,
    network === undefined ? address : `network ${network}`,
    ...(purpose === 'port' ? [port ?? ''] : []),
    ...(hasPassword === true ? ['password'] : [])
  ].join(':')

/**
 * A medium is read, a disk is written to; whether it is called a file or a device is one to who has the path. As what it is read
 * is not: the first bytes of a qcow2 image may name any other file.
 */
const diskItem = ({ type, source, format = 'raw', readOnly, device }: DiskNeed): string =>
  `${readOnly || device === 'cdrom' ? 'read' : 'write'}=${format === 'raw' ? '' : `${format}:`}${plain(type, source)}`

const firmwareItem = ({ what, type, path, format = 'raw', writes }: FirmwareNeed): string => {
  const as = format === 'raw' ? '' : `${format}:`
  return what === 'variables' ? `write=${as}${plain(type, path)}` : `${writes === true ? 'write' : 'read'}=${as}${path}`
}

const plain = (type: string, path: string): string => (type === 'file' || type === 'block' ? path : `${type}:${path}`)

export const QEMU = /^http:\/\/libvirt\.org\/schemas\/domain\/qemu\//

/** All of it, in this order: half of the arguments of a program are others. */
const foreignKey = ({ namespace, name, text }: ForeignNeed): string => JSON.stringify([namespace, name, text])

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16)

const wordIn = (name: string): string => name.replace(/[^A-Za-z0-9]+/g, '-')
