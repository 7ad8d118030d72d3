import type { Element } from '@xmldom/xmldom'
import type { CardTarget } from '../shared/model/restore-choice.ts'
import { editDomain, insertElement } from './domain-xml-edit.ts'
import { attribute, childAt, childrenOf } from './xml.ts'

/** What a card is on: a network of libvirt, a bridge, or a device of the host by macvtap. */
export interface CardSource {
  readonly on: 'network' | 'bridge' | 'device'
  readonly name: string
}

const TYPES: Readonly<Record<string, CardSource['on']>> = { network: 'network', bridge: 'bridge', direct: 'device' }
const ATTRIBUTES = { network: 'network', bridge: 'bridge', device: 'dev' } as const
const typeFor = { network: 'network', bridge: 'bridge', device: 'direct' } as const

/** What all cards of the definition are on, each once. */
export function cardSources(
  interfaces: readonly { readonly type: string; readonly source: string | undefined }[]
): CardSource[] {
  const found = new Map<string, CardSource>()
  for (const { type, source } of interfaces) {
    const on = TYPES[type]
    if (on !== undefined && source !== undefined) found.set(`${on} ${source}`, { on, name: source })
  }
  return [...found.values()]
}

/** All cards that are on one thing move to another. MAC, model and place in the guest stay: the guest sees the same card. */
export function moveCards(xml: string, from: CardSource, to: CardTarget): string {
  return editDomain(xml, (root) => {
    for (const card of childrenOf(childAt(root, 'devices'), 'interface')) {
      const source = childAt(card, 'source')
      const isMeant =
        TYPES[attribute(card, 'type') ?? ''] === from.on && attribute(source, ATTRIBUTES[from.on]) === from.name
      if (isMeant) moveCard(card, to)
    }
  })
}

/** Port, port group, virtual port and VLAN belong to the old network; libvirt has filters for bridges only. */
function moveCard(card: Element, to: CardTarget): void {
  const goes = [
    'source',
    'virtualport',
    'vlan',
    ...(to.on === 'device' || to.on === 'none' ? ['filterref', 'port'] : [])
  ]
  for (const name of goes) for (const child of childrenOf(card, name)) card.removeChild(child)
  if (to.on === 'none') {
    unplug(card)
    return
  }
  card.setAttribute('type', typeFor[to.on])
  const source = insertElement(card, 'source', childAt(card, 'mac')?.nextSibling ?? card.firstChild ?? undefined)
  source.setAttribute(ATTRIBUTES[to.on], to.name)
  if (to.on === 'device') source.setAttribute('mode', 'bridge')
}

/** A card whose cable is out: nothing of the host is behind it. */
function unplug(card: Element): void {
  card.setAttribute('type', 'ethernet')
  for (const name of ['script', 'target']) for (const child of childrenOf(card, name)) card.removeChild(child)
  const link = childAt(card, 'link') ?? insertElement(card, 'link', undefined)
  link.setAttribute('state', 'down')
}
