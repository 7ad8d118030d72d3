import type { Element } from '@xmldom/xmldom'
import type { SecretNeed } from './need.ts'
import { each, type Reading } from './reading.ts'

/** Secrets that libvirt keeps, by UUID or usage: of encryption, and of a login. */
export function readSecrets(reading: Reading, at: Element): void {
  for (const secret of each(at, 'encryption', 'secret')) readSecret(reading, secret, 'encryption')
  for (const secret of each(at, 'auth', 'secret')) readSecret(reading, secret, 'login')
}

export function readSecret(reading: Reading, secret: Element, of: SecretNeed['of']): void {
  const uuid = reading.attribute(secret, 'uuid') ?? reading.attribute(secret, 'secret')
  reading.add(secret, { kind: 'secret', uuid, usage: reading.attribute(secret, 'usage'), of })
}

/** Security labels: under which the VM runs, or that a source gets. */
export function readLabels(reading: Reading, at: Element): void {
  for (const label of each(at, 'seclabel')) {
    const model = reading.attribute(label, 'model') ?? ''
    const type = reading.attribute(label, 'type') ?? (reading.attribute(label, 'relabel') === 'no' ? 'none' : 'dynamic')
    const texts = ['label', 'baselabel', 'imagelabel'].flatMap((name) => each(label, name))
    const said = texts.map((text) => `${text.tagName} ${reading.text(text) ?? ''}`)
    reading.add(label, { kind: 'label', model, type, label: said.join(', ') })
  }
}

/** A number as libvirt reads it, `010` being 8, in so many hexadecimal digits. What is none stays as it is. */
export function hexOf(text: string, digits: number): string {
  if (!/^(0x[0-9a-f]+|0[0-7]*|[1-9]\d*)$/i.test(text)) return text
  const isOctal = /^0[0-7]+$/.test(text)
  return (isOctal ? Number.parseInt(text, 8) : Number(text)).toString(16).padStart(digits, '0')
}

/** `0000:01:00.0` */
export function readPciAddress(reading: Reading, address: Element): string {
  const part = (name: string, digits: number): string => hexOf(reading.attribute(address, name) ?? '0', digits)
  return `${part('domain', 4)}:${part('bus', 2)}:${part('slot', 2)}.${part('function', 1)}`
}

/** Code that the guest's firmware runs, out of a file. */
export function readRom(reading: Reading, device: Element): void {
  for (const rom of each(device, 'rom')) {
    const path = reading.attribute(rom, 'file')
    if (path !== undefined) reading.add(rom, { kind: 'file', what: 'option ROM', path, writes: false })
  }
}

/** The host sends what is for these addresses into the network. */
export function readRoute(reading: Reading, route: Element): void {
  const said = ['address', 'prefix', 'netmask', 'gateway', 'family', 'metric'].map((name) =>
    reading.attribute(route, name)
  )
  const [address = '', prefix, netmask, gateway = ''] = said
  const mask = prefix ?? netmask
  reading.add(route, {
    kind: 'privilege',
    what: `host route ${address}${mask === undefined ? '' : `/${mask}`} by ${gateway}`
  })
}

/** The host's own device then takes whatever addresses the guest says it has. */
export function readTrust(reading: Reading, at: Element): void {
  if (reading.attribute(at, 'trustGuestRxFilters') === 'yes')
    reading.add(at, { kind: 'privilege', what: 'trust in the MAC addresses that the guest names' })
}
