import { safeText, shorten } from '../../shared/safe-text.ts'
import type { Need, NeedOf } from '../../libvirt/needs/need.ts'

/** What a need wants of this host, to be read behind "asks". */
export const sayNeed = (need: Need): string => shorten(safeText(wordsFor(need)), 400)

function wordsFor(need: Need): string {
  switch (need.kind) {
    case 'disk':
      return forDisk(need)
    case 'file':
      return `to ${need.writes ? 'write to' : 'read'} ${need.path} (${need.what})`
    case 'firmware':
      if (need.what === 'variables') return `to write firmware variables to ${need.path}`
      return `to read firmware from ${need.path}${need.writes === true ? ', and write to it' : ''}`
    case 'tpm':
      return `for a TPM of this host (${need.backend}${need.path === undefined ? '' : ` ${need.path}`})`
    case 'emulator':
      return `to be run by ${need.path}`
    case 'interface':
      if (need.type === 'user')
        return 'for a network card in user mode, which reaches what listens on this host for itself alone'
      return `for a network card that takes ${[need.type, need.mode, need.source, need.tap].filter(Boolean).join(' ')}`
    case 'listen':
      return `to be reached at ${listenPlace(need)}${need.port === undefined ? '' : `, port ${need.port}`} (${need.by}${need.hasPassword === false ? ', without a password' : ''})`
    case 'socket':
      return need.how === 'listens'
        ? `to make the socket ${need.to} (${need.by})`
        : `to talk to ${need.to} (${need.by})`
    case 'device':
      return `for a device of this host: ${need.bus} ${need.id}`
    case 'folder':
      return `to see the folder ${need.path} of this host${need.readOnly ? '' : ', and write to it'} (${need.driver})`
    case 'program':
      return `to run ${need.path} on this host (${need.what})`
    case 'label':
      return need.type === 'none'
        ? 'to run without a security label'
        : `for the security label ${[need.model, need.type, need.label].filter(Boolean).join(' ')}`
    case 'partition':
      return `to run in the resource partition ${need.path}`
    case 'privilege':
      return `for ${need.what}`
    case 'foreign':
      return `QEMU, past libvirt, for: ${need.text}`
    case 'prefixed':
      return `for what libvirt reads as its own by another name, a prefix or a namespace: ${need.text}`
    case 'control':
      return `for a value with line ends or other control characters in it: ${need.in} ${need.value}`
    case 'unknown':
      return `for what Stillpoint does not know: ${need.name} ${need.value}`
    case 'secret':
    case 'machine':
    case 'cpu':
    case 'memory':
    case 'pin':
    case 'feature':
      return `for ${need.kind}`
  }
}

const listenPlace = ({ address = '', network }: NeedOf<'listen'>): string =>
  network === undefined ? (address === '' ? 'any address' : address) : `this host's address in network ${network}`

function forDisk({ target, device, type, source, format = 'raw', readOnly, role }: NeedOf<'disk'>): string {
  const kind = type === 'file' ? '' : `${type} `
  const what = role === 'image' ? `${device} ${target}` : `${device} ${target}, ${role}`
  const as = format === 'raw' ? '' : `, as ${format}`
  return `to ${readOnly || device === 'cdrom' ? 'read' : 'read and write'} ${kind}${source} (${what}${as})`
}
