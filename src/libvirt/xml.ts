import { DOMParser, XMLSerializer, type Document, type Element } from '@xmldom/xmldom'
import { fail } from '../shared/failure.ts'
import { shorten } from '../shared/safe-text.ts'
import { whyRefused, type XmlLimits } from './xml-scan.ts'

/** Of anything that libvirt describes: a record of a snapshot has two definitions in it. */
const LARGEST: XmlLimits = { characters: 1024 * 1024, pieces: 60_000 }

/** Parses XML that nobody vouches for. @throws `bad-output` for entities, characters, sizes and depths that no definition has. */
export function parseXml(text: string, what: string, limits: XmlLimits = LARGEST): Document {
  const refuse = (detail: string): never => fail({ kind: 'bad-output', what, detail: shorten(detail, 300) })
  const why = whyRefused(text, limits)
  if (why !== undefined) return refuse(why)
  try {
    // Where in the text something stands nobody asks, and it costs as much as the rest.
    return new DOMParser({ locator: false, onError: (_level, message) => refuse(message) }).parseFromString(
      text,
      'text/xml'
    )
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
}

/** The root alone: what stands before it may say that the text is in another encoding than it is. */
export const serializeXml = ({ documentElement }: Document): string =>
  documentElement === null ? '' : new XMLSerializer().serializeToString(documentElement)

/** Child elements, in order. */
export function elementsIn(element: Element | undefined): Element[] {
  const children: Element[] = []
  for (let child = element?.firstChild ?? null; child !== null; child = child.nextSibling)
    if (child.nodeType === 1) children.push(child as Element)
  return children
}

/** Child elements of this name, in order. */
export const childrenOf = (element: Element | undefined, name: string): Element[] =>
  elementsIn(element).filter(({ tagName }) => tagName === name)

/** First element along a path of names. */
export function childAt(element: Element | undefined, ...path: string[]): Element | undefined {
  let at = element
  for (const name of path) at = childrenOf(at, name)[0]
  return at
}

export const textOf = (element: Element | undefined): string | undefined => element?.textContent?.trim()

export function attribute(element: Element | undefined, name: string): string | undefined {
  return element?.hasAttribute(name) === true ? (element.getAttribute(name) ?? undefined) : undefined
}
