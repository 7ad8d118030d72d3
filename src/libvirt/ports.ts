import type { Element } from '@xmldom/xmldom'
import { onceEach } from '../shared/once-each.ts'
import { editDomain } from './domain-xml-edit.ts'
import { attribute, childAt, childrenOf, parseXml } from './xml.ts'

/** A port of the host that a definition insists on. */
export interface FixedPort {
  /** `VNC screen`, `serial port` ... */
  readonly what: string
  readonly protocol: 'tcp' | 'udp'
  readonly port: number
  /** Where it is bound. Undefined: not said, so that the host's settings count. */
  readonly address: string | undefined
  /** A copy of the VM gets another anyway. */
  readonly isScreen: boolean
}

/** An address of the host that something of the definition listens on. */
export interface ListenAddress {
  readonly what: string
  readonly address: string
}

const PORTS = ['serial', 'parallel', 'console', 'channel'] as const
const PORT_WORDS = { serial: 'serial port', parallel: 'parallel port', console: 'console', channel: 'channel' }
const SCREEN_PORTS = ['port', 'tlsPort', 'websocket'] as const

const devicesOf = (xml: string): Element | undefined =>
  childAt(parseXml(xml, 'domain XML').documentElement ?? undefined, 'devices')

const screenWord = (screen: Element): string => `${(attribute(screen, 'type') ?? '').toUpperCase()} screen`

/** Serial ports, consoles and channels, with what they are called. */
export const portDevices = (devices: Element | undefined): { readonly what: string; readonly device: Element }[] =>
  PORTS.flatMap((name) => childrenOf(devices, name).map((device) => ({ what: PORT_WORDS[name], device })))

/** Ports that are written down as numbers; libvirt and QEMU give the others away themselves. */
export function fixedPortsIn(xml: string): FixedPort[] {
  const devices = devicesOf(xml)
  const screens = childrenOf(devices, 'graphics').flatMap((screen) =>
    fixedPortsOf(screen).map((port) => ({
      what: screenWord(screen),
      protocol: 'tcp' as const,
      port,
      address: addressesOf(screen)[0],
      isScreen: true
    }))
  )
  const others = portDevices(devices).flatMap(({ what, device }) =>
    boundPorts(device).map((bound) => ({ what, ...bound, isScreen: false }))
  )
  return onceEach([...screens, ...others], ({ protocol, port }) => `${protocol} ${port}`)
}

/** A port counts where `autoport` is off; that of the web socket counts anyway. */
function fixedPortsOf(screen: Element): number[] {
  const isAutomatic = attribute(screen, 'autoport') === 'yes'
  return SCREEN_PORTS.filter((name) => name === 'websocket' || !isAutomatic)
    .map((name) => Number(attribute(screen, name)))
    .filter(isPort)
}

const isPort = (port: number): boolean => Number.isInteger(port) && port > 0 && port < 65_536

function boundPorts(device: Element): Omit<FixedPort, 'what' | 'isScreen'>[] {
  const protocol = (['tcp', 'udp'] as const).find((each) => each === attribute(device, 'type'))
  if (protocol === undefined) return []
  return childrenOf(device, 'source')
    .filter((source) => attribute(source, 'mode') === 'bind')
    .map((source) => ({ protocol, port: Number(attribute(source, 'service')), address: attribute(source, 'host') }))
    .filter(({ port }) => isPort(port))
}

const ANY: readonly (string | undefined)[] = ['0.0.0.0', '::', '*', '', undefined]

/** Whether two that listen on the same port are in each other's way. */
export const sharesAddress = (a: string | undefined, b: string | undefined): boolean =>
  ANY.includes(a) || ANY.includes(b) || a === b

/** Of screens and ports, but for those that listen on every address. */
export function listenAddressesIn(xml: string): ListenAddress[] {
  const devices = devicesOf(xml)
  const screens = childrenOf(devices, 'graphics').flatMap((screen) =>
    addressesOf(screen).map((address) => ({ what: screenWord(screen), address }))
  )
  const others = portDevices(devices).flatMap(({ what, device }) =>
    boundPorts(device).length === 0
      ? []
      : childrenOf(device, 'source').map((source) => ({ what, address: attribute(source, 'host') ?? '' }))
  )
  return onceEach(
    [...screens, ...others].filter(({ address }) => !ANY.includes(address)),
    ({ address }) => address
  )
}

const addressesOf = (screen: Element): string[] =>
  [
    attribute(screen, 'listen'),
    ...childrenOf(screen, 'listen')
      .filter((listen) => attribute(listen, 'type') === 'address')
      .map((listen) => attribute(listen, 'address'))
  ].filter((address) => address !== undefined)

/** Screens get a port of libvirt's choice; what else has a port is a terminal of the host (`virsh console`). */
export function withAutomaticPorts(xml: string): string {
  return editDomain(xml, (root) => {
    const devices = childAt(root, 'devices')
    for (const screen of childrenOf(devices, 'graphics')) automaticPort(screen)
    for (const { device } of portDevices(devices)) if (boundPorts(device).length > 0) toTerminal(device)
  })
}

/** Passwords and addresses stay. */
export function automaticPort(screen: Element): void {
  if (screen.hasAttribute('websocket')) screen.setAttribute('websocket', '-1')
  if (attribute(screen, 'autoport') === 'yes' || !['port', 'tlsPort'].some((name) => screen.hasAttribute(name))) return
  for (const name of ['port', 'tlsPort']) screen.removeAttribute(name)
  screen.setAttribute('autoport', 'yes')
}

/** The guest keeps its port; on the host's side there is a terminal. */
export function toTerminal(device: Element): void {
  for (const name of ['source', 'protocol']) for (const child of childrenOf(device, name)) device.removeChild(child)
  device.setAttribute('type', 'pty')
}

/** Whatever listens on one of these addresses listens on this one instead. */
export function listeningOn(xml: string, gone: readonly string[], address: string): string {
  const move = (element: Element, name: string): void => {
    if (gone.includes(attribute(element, name) ?? '')) element.setAttribute(name, address)
  }
  return editDomain(xml, (root) => {
    const devices = childAt(root, 'devices')
    for (const screen of childrenOf(devices, 'graphics')) {
      move(screen, 'listen')
      for (const listen of childrenOf(screen, 'listen')) move(listen, 'address')
    }
    for (const { device } of portDevices(devices))
      for (const source of childrenOf(device, 'source')) if (attribute(source, 'mode') === 'bind') move(source, 'host')
  })
}
