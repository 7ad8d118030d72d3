import { isIPv6 } from 'node:net'
import type { Element } from '@xmldom/xmldom'
import { fail } from '../../shared/failure.ts'
import { elementsIn, parseXml } from '../xml.ts'
import { readDevice } from './device-needs.ts'
import type { Need } from './need.ts'
import { readPlatform } from './platform-needs.ts'
import { each, isDeclaration, placeOf, Reading, sayAll, TEXT } from './reading.ts'

/**
 * Everything that a definition of a VM asks of its host: that of the next start, the running one, or the one inside a RAM
 * image. What nobody here knows is listed as unknown if it carries a path, a device or an address. @throws `bad-output` if it
 * is no definition
 */
export function needsOf(xml: string): readonly Need[] {
  const root = parseXml(xml, 'domain XML').documentElement ?? undefined
  if (root?.tagName !== 'domain') return fail({ kind: 'bad-output', what: 'domain XML', detail: 'no <domain>' })
  const reading = new Reading()
  readPlatform(reading, root)
  for (const devices of each(root, 'devices'))
    for (const device of elementsIn(devices)) if (isOurs(device)) readDevice(reading, device)
  listTheRest(reading, root)
  return reading.needs
}

/** libvirt's own elements are in no namespace. */
const isOurs = ({ namespaceURI }: Element): boolean => (namespaceURI ?? '') === ''

/**
 * What nothing has read so far: another namespace always, of libvirt's own what may name something of the host, or whatever
 * `isAsked` says. And, read or not, what has line ends and the like in it: libvirt writes such values into lines of settings.
 */
export function listTheRest(reading: Reading, at: Element, isAsked: IsAsked = namesHost): void {
  if (!isOurs(at)) {
    listForeign(reading, at)
    return
  }
  if (isMetadata(at)) return
  listPrefixed(reading, at)
  listControls(reading, at)
  if (isGuestAddress(at)) return
  for (const { name, value } of [...at.attributes])
    if (!hasPrefix(name) && !isDeclaration(name) && !isDealtWith(reading, at, name) && isAsked(name, value))
      reading.add(at, { kind: 'unknown', name: `${at.tagName} ${name}`, value })
  const text = ownText(at)
  if (text !== '' && !isDealtWith(reading, at, TEXT) && isAsked(TEXT, text))
    reading.add(at, { kind: 'unknown', name: at.tagName, value: text })
  for (const child of elementsIn(at)) listTheRest(reading, child, isAsked)
}

/** What libvirt's drivers read past it; they look for it right below the root, and nowhere else. */
const OF_LIBVIRT = /^http:\/\/libvirt\.org\/schemas\/\w+\/\w+\/\d+\.\d+$/

function listForeign(reading: Reading, at: Element): void {
  const [namespace, name] = [at.namespaceURI ?? '', at.localName ?? at.tagName]
  const text = sayAll(at)
  const isApart = at.parentNode === at.ownerDocument?.documentElement && OF_LIBVIRT.test(namespace)
  if (isApart) reading.add(at, { kind: 'foreign', namespace, name, text })
  else reading.add(at, { kind: 'prefixed', name: at.tagName, text: `${text} (${namespace})` })
  listPrefixed(reading, at)
  for (const child of elementsIn(at)) listPrefixedBelow(reading, child)
}

function listPrefixedBelow(reading: Reading, at: Element): void {
  listPrefixed(reading, at)
  for (const child of elementsIn(at)) listPrefixedBelow(reading, child)
}

const hasPrefix = (name: string): boolean => name.includes(':') && !isDeclaration(name)

/** libvirt takes the first attribute of a local name, whatever its prefix. None that it writes has one. */
function listPrefixed(reading: Reading, at: Element): void {
  for (const { name, value } of [...at.attributes])
    if (hasPrefix(name)) reading.add(at, { kind: 'prefixed', name, text: `${name}=${JSON.stringify(value)}` })
}

type IsAsked = (name: string, value: string) => boolean

/** Texts that are no values: of these libvirt makes nothing, and of keys it takes the letters. */
const FREE_TEXTS = /^(description|launchSecurity)(\/|$)/

/** Texts of several lines that QEMU gets as they are, each as one word. */
const TEXTS_OF_LINES = /^(os\/cmdline|sysinfo\/entry)$/

const CONTROL = /[\p{Cc}\u2028\u2029]/u

function listControls(reading: Reading, at: Element): void {
  for (const { name, value } of [...at.attributes])
    if (CONTROL.test(value)) reading.add(at, { kind: 'control', in: `${at.tagName} ${name}`, value })
  const text = ownText(at)
  const place = placeOf(at).replace(/\[\d+\]/g, '')
  const controls = TEXTS_OF_LINES.test(place) ? text.replace(/[\n\r\t]/g, '') : text
  if (CONTROL.test(controls) && !FREE_TEXTS.test(place))
    reading.add(at, { kind: 'control', in: at.tagName, value: text })
}

/** Whatever is noted beside a definition is nothing to libvirt. Right below the root only: elsewhere it is read as any element. */
const isMetadata = (at: Element): boolean =>
  at.tagName === 'metadata' && at.parentNode === at.ownerDocument?.documentElement

/** Where a device sits inside of the guest. */
const isGuestAddress = (at: Element): boolean => {
  const [device, devices] = [at.parentNode, at.parentNode?.parentNode]
  return at.tagName === 'address' && device?.nodeType === 1 && (devices as Element | null)?.tagName === 'devices'
}

function isDealtWith(reading: Reading, at: Element, name: string): boolean {
  if (reading.isRead(at, name)) return true
  for (let above: Element | null = at; above?.nodeType === 1; above = above.parentNode as Element | null)
    if (reading.isAllRead(above)) return true
  return false
}

function ownText(at: Element): string {
  let text = ''
  for (let child = at.firstChild; child !== null; child = child.nextSibling)
    if (child.nodeType === 3 || child.nodeType === 4) text += child.nodeValue ?? ''
  return text.trim()
}

/** Attributes by which libvirt's definitions name something of the host, whatever stands in them. */
const HOST_NAMES =
  /^(file|path|dev|device|dir|socket|socketpath|ur[il]|host|hostname|service|server|serverName|bridge|pool|volume|script|binary|program|command|node|nodename|parent|wwnn|wwpn|listen|startaddr|rendernode|template|keyfile|agentsock|tap|evdev|fd|fdgroup|logFile|key|cert|gateway)$/i

const namesHost = (name: string, value: string): boolean => HOST_NAMES.test(name) || looksLikePlace(value)

/** A path, an address on a bus or a network, an URI. */
const looksLikePlace = (text: string): boolean =>
  /\/|^(json|unix|tcp|udp|fd|exec|vsock):|^[0-9a-f]{4}:[0-9a-f]{2}:|\b\d{1,3}(\.\d{1,3}){3}\b/i.test(text) ||
  isIPv6(text)
