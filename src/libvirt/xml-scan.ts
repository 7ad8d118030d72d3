/** How large and how much a text may be, before the parser sees it: its cost goes by both. */
export interface XmlLimits {
  readonly characters: number
  /** Tags, attributes, comments and references together. */
  readonly pieces: number
}

const DEEPEST = 100

/** What stands for itself, with its end: nothing in it is markup. */
const OPAQUE = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
  ['<?', '?>']
] as const

/**
 * Why a text that nobody vouches for does not go to the parser. One pass over it, which ends at the first thing that is odd: what
 * goes on is well-formed as far as its tags end where they seem to. Undefined: nothing is against it.
 */
export function whyRefused(text: string, limits: XmlLimits): string | undefined {
  if (text.length > limits.characters) return `larger than ${Math.round(limits.characters / 1024)} KiB`
  if (/<!DOCTYPE|<!ENTITY/i.test(text)) return 'it declares a document type or entities'
  if (FORBIDDEN.test(text)) return 'it holds a character that XML forbids'
  if (text.includes('\uFFFD')) return 'it is not UTF-8'
  return encodingOf(text) ?? whyTagsRefused(text, limits)
}

/** A control character but tab and line ends, half of a pair, or no character at all. */
const FORBIDDEN = /(?![\t\n\r\x7f-\x9f])\p{Cc}|\p{Cs}|[\uFFFE\uFFFF]/u

/** What reads it next may believe it, and find something else in it than was seen here. */
function encodingOf(text: string): string | undefined {
  if (!text.trimStart().startsWith('<?xml')) return undefined
  const declaration = text.slice(0, text.indexOf('?>') + 1)
  const named = /encoding\s*=\s*["']?([\w.-]*)/.exec(declaration)?.[1]
  return named === undefined || /^(utf-8|us-ascii)$/i.test(named) ? undefined : `it says that it is in ${named}`
}

function whyTagsRefused(text: string, limits: XmlLimits): string | undefined {
  const legible: string[] = []
  let [level, deepest, pieces, from] = [0, 0, 0, 0]
  for (let at = text.indexOf('<'); at !== -1; at = text.indexOf('<', at)) {
    pieces += 1
    const opaque = OPAQUE.find(([begin]) => text.startsWith(begin, at))
    if (opaque !== undefined) {
      const [begin, end] = opaque
      const until = text.indexOf(end, at + begin.length)
      if (until === -1) return `something in it that begins with ${begin} does not end`
      legible.push(text.slice(from, at))
      at = from = until + end.length
      continue
    }
    const tag = tagAt(text, at)
    if (tag === undefined) return 'a tag in it does not end'
    level += tag.level
    deepest = Math.max(deepest, level)
    if (deepest > DEEPEST) return `nested deeper than ${DEEPEST} levels`
    pieces += tag.values
    if (pieces > limits.pieces) return tooMany(limits)
    at = tag.end
  }
  legible.push(text.slice(from))
  return whyReferencesRefused(legible, limits.pieces - pieces) ?? (pieces > limits.pieces ? tooMany(limits) : undefined)
}

const tooMany = ({ pieces }: XmlLimits): string => `it has more than ${pieces} tags and attributes`

interface Tag {
  /** Where what follows it begins. */
  readonly end: number
  /** What it adds to the depth. */
  readonly level: -1 | 0 | 1
  /** Quoted values in it. */
  readonly values: number
}

/** A quoted value may hold `>` and `/>`. */
function tagAt(text: string, at: number): Tag | undefined {
  let values = 0
  const next = /[<>"']/g
  next.lastIndex = at + 1
  for (let found = next.exec(text); found !== null; found = next.exec(text)) {
    if (found[0] === '<') return undefined
    if (found[0] === '>') {
      const level = text[at + 1] === '/' ? -1 : text[found.index - 1] === '/' ? 0 : 1
      return { end: found.index + 1, level, values }
    }
    const close = text.indexOf(found[0], next.lastIndex)
    if (close === -1) return undefined
    values += 1
    next.lastIndex = close + 1
  }
  return undefined
}

/** Entities are the five that need no declaration. */
const NO_REFERENCE = /&(?!(?:#x[0-9a-f]+|#\d+|amp|lt|gt|quot|apos);)/i

/** Outside of comments and the like `&#27;` is the character itself. Line ends of other systems cost the parser as much. */
function whyReferencesRefused(texts: readonly string[], left: number): string | undefined {
  let count = 0
  for (const text of texts) {
    if (NO_REFERENCE.test(text)) return 'it has an & that begins no reference to a character'
    for (const _ of text.matchAll(/[&\r]/g)) count += 1
    for (const [, hex, digits] of text.matchAll(/&#(?:x([0-9a-f]+)|(\d+));?/gi)) {
      const code = hex === undefined ? Number.parseInt(digits ?? '', 10) : Number.parseInt(hex, 16)
      if (code > 0x10ffff || FORBIDDEN.test(String.fromCodePoint(code)))
        return 'it refers to a character that XML forbids'
    }
  }
  return count > left ? 'it has too many references to characters' : undefined
}
