import type { Element } from '@xmldom/xmldom'
import { attribute, childrenOf, elementsIn, textOf } from '../xml.ts'
import type { Asked, Need } from './need.ts'

/**
 * A definition as it is being read: what has been understood of it, so that at the end the rest can be told from it. Whoever
 * reads an attribute or a text here says by that that it is dealt with.
 */
export class Reading {
  readonly needs: Need[] = []
  private readonly read = new Map<Element, Set<string>>()

  add(at: Element, asked: Asked): void {
    this.needs.push({ where: placeOf(at), ...asked })
  }

  /** The attribute, which is dealt with. */
  attribute(at: Element | undefined, name: string): string | undefined {
    if (at !== undefined) this.mark(at, name)
    return attribute(at, name)
  }

  /** The text, which is dealt with. Undefined: there is none. */
  text(at: Element | undefined): string | undefined {
    if (at !== undefined) this.mark(at, TEXT)
    const text = textOf(at)
    return text === '' ? undefined : text
  }

  /** These ask nothing of a host, whatever they say. */
  plain(at: Element, ...names: readonly string[]): void {
    for (const name of names) this.mark(at, name)
  }

  /** Nor does anything in this element, or below it. */
  plainAll(at: Element): void {
    this.mark(at, ALL)
  }

  isAllRead = (at: Element): boolean => this.read.get(at)?.has(ALL) === true
  isRead = (at: Element, name: string): boolean => this.read.get(at)?.has(name) === true

  private mark(at: Element, name: string): void {
    const marks = this.read.get(at) ?? new Set()
    this.read.set(at, marks.add(name))
  }
}

export const TEXT = '#text'
const ALL = '#all'

/** All child elements of this name, of which libvirt mostly takes the first; a second one may be read by another version. */
export const each = (at: Element | undefined, ...path: readonly string[]): Element[] =>
  path.reduce<Element[]>((found, name) => found.flatMap((element) => childrenOf(element, name)), at ? [at] : [])

/**
 * Of elements of which there should be one each, whatever may be read together: all of the first, all of the second and so on,
 * the last of a name standing for those that are missing. One version of libvirt takes the first ones, another the last.
 */
export function readTogether(at: Element, names: readonly string[]): ((name: string) => Element | undefined)[] {
  const found = new Map(names.map((name) => [name, each(at, name)]))
  const most = Math.max(1, ...[...found.values()].map(({ length }) => length))
  return [...Array(most).keys()].map((index) => (name) => found.get(name)?.[index] ?? found.get(name)?.at(-1))
}

/** What the elements of a name say by an attribute, each thing once; undefined where one says nothing, or there is none. */
export function saidBy(reading: Reading, elements: readonly Element[], name: string): (string | undefined)[] {
  const said = elements.map((at) => reading.attribute(at, name))
  return said.length === 0 ? [undefined] : [...new Set(said)]
}

/** `devices/disk[vda]/source`, `devices/serial[2]/log`: without the root. */
export function placeOf(at: Element): string {
  const parent = at.parentNode
  if (parent?.nodeType !== 1) return ''
  const above = placeOf(parent as Element)
  return `${above}${above === '' ? '' : '/'}${at.tagName}${distinction(at, parent as Element)}`
}

/** Nothing where it is the only one of its kind. */
function distinction(at: Element, parent: Element): string {
  const target = at.tagName === 'disk' ? attribute(childrenOf(at, 'target')[0], 'dev') : undefined
  if (target !== undefined) return `[${target}]`
  const alike = childrenOf(parent, at.tagName)
  return alike.length < 2 ? '' : `[${alike.indexOf(at) + 1}]`
}

/** In one line: names with their attributes and texts. */
export function sayAll(at: Element): string {
  const said = [...at.attributes]
    .filter(({ name }) => !isDeclaration(name))
    .map(({ name, value }) => `${name}=${JSON.stringify(value)}`)
  const below = elementsIn(at).map(sayAll)
  const text = below.length === 0 ? at.textContent?.trim() : undefined
  return [
    at.localName ?? at.tagName,
    ...said,
    ...(text ? [JSON.stringify(text)] : []),
    ...below.map((each) => `(${each})`)
  ].join(' ')
}

/** Attributes that only say what a prefix means. */
export const isDeclaration = (name: string): boolean => name === 'xmlns' || name.startsWith('xmlns:')
