import type { Element } from '@xmldom/xmldom'
import { editDomain } from './domain-xml-edit.ts'
import { attribute, childAt, childrenOf, parseXml } from './xml.ts'

/** Screens and video cards, which not every QEMU is built with. */
export interface Display {
  readonly screens: readonly string[]
  readonly videoCards: readonly string[]
}

const devicesIn = (xml: string): Element | undefined =>
  childAt(parseXml(xml, 'domain XML').documentElement ?? undefined, 'devices')

const present = (values: readonly (string | undefined)[]): string[] => [
  ...new Set(values.filter((value) => value !== undefined))
]

export function displayIn(xml: string): Display {
  const devices = devicesIn(xml)
  return {
    screens: present(childrenOf(devices, 'graphics').map((screen) => attribute(screen, 'type'))),
    videoCards: present(childrenOf(devices, 'video').map((card) => attribute(childAt(card, 'model'), 'type')))
  }
}

/** What `domcapabilities` says that this QEMU can show. Undefined: it does not say. */
export function displayOffered(capabilities: string): { readonly [K in keyof Display]: readonly string[] | undefined } {
  const devices = capabilities.trim() === '' ? undefined : devicesIn(capabilities)
  return {
    screens: valuesOf(childAt(devices, 'graphics'), 'type'),
    videoCards: valuesOf(childAt(devices, 'video'), 'modelType')
  }
}

function valuesOf(device: Element | undefined, name: string): string[] | undefined {
  const offered = childrenOf(device, 'enum').find((each) => attribute(each, 'name') === name)
  return offered && childrenOf(offered, 'value').map((value) => value.textContent ?? '')
}

/** SPICE with all that belongs to it becomes VNC, and QXL another video card. The guest sees other devices. */
export function spiceToVnc(xml: string, card: 'virtio' | 'vga'): string {
  return editDomain(xml, (root) => {
    const devices = childAt(root, 'devices')
    if (devices === undefined) return
    const screens = childrenOf(devices, 'graphics')
    const hasVnc = screens.some((screen) => attribute(screen, 'type') === 'vnc')
    const spice = screens.filter((screen) => attribute(screen, 'type') === 'spice')
    for (const [n, screen] of spice.entries())
      if (hasVnc || n > 0) devices.removeChild(screen)
      else toVnc(screen)
    for (const video of childrenOf(devices, 'video')) exchangeQxl(video, card)
    for (const name of ['channel', 'redirdev', 'smartcard', 'serial', 'console', 'parallel'])
      for (const device of childrenOf(devices, name))
        if (['spicevmc', 'spiceport'].includes(attribute(device, 'type') ?? '')) devices.removeChild(device)
    for (const audio of childrenOf(devices, 'audio'))
      if (attribute(audio, 'type') === 'spice') audio.setAttribute('type', 'none')
  })
}

/** Address and password stay. */
function toVnc(screen: Element): void {
  screen.setAttribute('type', 'vnc')
  for (const name of ['tlsPort', 'defaultMode']) screen.removeAttribute(name)
  for (const name of [
    'channel',
    'image',
    'jpeg',
    'zlib',
    'playback',
    'streaming',
    'clipboard',
    'mouse',
    'filetransfer',
    'gl'
  ])
    for (const child of childrenOf(screen, name)) screen.removeChild(child)
}

function exchangeQxl(video: Element, card: string): void {
  const model = childAt(video, 'model')
  if (attribute(model, 'type') !== 'qxl' || model === undefined) return
  for (const name of ['ram', 'vram', 'vram64', 'vgamem']) model.removeAttribute(name)
  model.setAttribute('type', card)
}
