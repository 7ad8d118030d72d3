import { DOMParser, XMLSerializer, type Document, type Element } from '@xmldom/xmldom'
import { fail } from '../shared/failure.ts'

const LARGEST = 8 * 1024 * 1024
const DEEPEST = 100

/** Parses XML that nobody vouches for. @throws `bad-output` for entities, sizes and depths that no definition has. */
export function parseXml(text: string, what: string): Document {
  const refuse = (detail: string): never => fail({ kind: 'bad-output', what, detail })
  if (text.length > LARGEST) refuse('larger than 8 MiB')
  if (/<!DOCTYPE|<!ENTITY/i.test(text)) refuse('it declares a document type or entities')
  if (deepestLevel(text) > DEEPEST) refuse(`nested deeper than ${DEEPEST} levels`)
  try {
    return new DOMParser({ onError: (_level, message) => refuse(message) }).parseFromString(text, 'text/xml')
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
}

/** The root alone: what stands before it may say that the text is in another encoding than it is. */
export const serializeXml = ({ documentElement }: Document): string =>
  documentElement === null ? '' : new XMLSerializer().serializeToString(documentElement)

/** Comments, CDATA and instructions, then tags with their attributes: a quoted value may hold `>` and `/>`. */
const MARKUP = /<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>|<\?[\s\S]*?\?>|<\/?[^\s<>/!?"'](?:"[^"]*"|'[^']*'|[^"'<>])*>/g

/** Before the parser recurses: tags that open, less those that close. */
function deepestLevel(text: string): number {
  let level = 0
  let deepest = 0
  for (const [tag] of text.matchAll(MARKUP)) {
    if (tag.startsWith('<!') || tag.startsWith('<?')) continue
    if (tag.startsWith('</')) level -= 1
    else if (!tag.endsWith('/>')) level += 1
    deepest = Math.max(deepest, level)
  }
  return deepest
}

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
