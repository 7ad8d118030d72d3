import { homedir, userInfo } from 'node:os'

/** What is named longer is looked for in pieces; also the most that is compared at one place of a text. */
const LONGEST_NAME = 300
/** Of more names, and pieces of names, the last ones. */
const MOST_NAMES = 50_000
const SHORTEST_NAME = 2
/** By so many characters those are found that could begin at a place. */
const KEY_CHARACTERS = 2

/** What is to be read in place of a name. */
export type Names = ReadonlyMap<string, string>

/** What could be a secret, or says where and who: whatever it is called. Paths of programs keep their last part, and the line. */
const TELLING: readonly (readonly [string, string])[] = [
  ['key', '-----BEGIN [^-\\n]{1,64}-----[^-]{0,20000}(?:-----END [^-\\n]{1,64}-----)?'],
  ['fingerprint', '\\bSHA256:[A-Za-z0-9+/]{43}=?'],
  ['link', '\\b[a-zA-Z][a-zA-Z0-9+.-]{1,20}:\\/\\/[^\\s"\'<>()]+'],
  ['mail', '[\\w.+-]{1,64}@[\\w-]{1,63}(?:\\.[\\w-]{1,63}){0,8}'],
  ['id', '\\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\\b'],
  ['time', '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(?:\\.\\d+)?Z?'],
  ['address', '\\b(?:\\d{1,3}\\.){3}\\d{1,3}\\b'],
  ['address', '(?<![\\w:])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?:%[\\w.-]{1,16})?(?![\\w:])'],
  ['path', '(?<![\\w)])(?:[A-Za-z]:)?[\\\\/](?:[^\\s"\'<>()|,;:]+)'],
  ['token', '\\b[A-Za-z0-9+_-]{40,}={0,2}']
]
const telling = new RegExp(TELLING.map(([, pattern], n) => `(?<t${n}>${pattern})`).join('|'), 'g')

/** A part of a text that is not told, and what is to be read there. */
interface Part {
  readonly from: number
  readonly to: number
  readonly instead: string
}

/**
 * Tells a text without the names, in any case, and without what is telling by its form. Both are looked for in the whole text,
 * and what overlaps goes as one: no name cuts a secret in two. Nothing that was put in the place of a name is looked at
 * again: a name may be anything, also what stands for another one.
 */
export function scrubber(names: Names): (text: string) => string {
  const known = indexOf([...names, [homedir(), '~'], [userInfo().username, 'user']])
  return (text) => {
    const folded = inOneCase(text)
    const isEdge = edgesOf(text)
    return without(text, [...namesIn(folded, isEdge, known), ...tellingIn(text), ...halvesIn(folded, isEdge, known)])
  }
}

/** The longest of those that overlap says what it was; of equals the first. */
function without(text: string, parts: readonly Part[]): string {
  const told: string[] = []
  let plainFrom = 0
  for (const { from, to, instead } of joined(parts)) {
    told.push(text.slice(plainFrom, from), instead)
    plainFrom = to
  }
  return [...told, text.slice(plainFrom)].join('')
}

function joined(parts: readonly Part[]): readonly Part[] {
  const all: Part[] = []
  let longest = 0
  for (const part of parts.toSorted((a, b) => a.from - b.from)) {
    const { from, to, instead } = part
    const last = all.at(-1)
    const isApart = last === undefined || from >= last.to
    const isLonger = isApart || to - from > longest
    if (isLonger) longest = to - from
    if (isApart) all.push(part)
    else all.splice(-1, 1, { from: last.from, to: Math.max(to, last.to), instead: isLonger ? instead : last.instead })
  }
  return all
}

/** Names that begin alike. */
interface Alike {
  /** In the order of their characters: the one that a text begins with is the last that does not come behind it, or begins that. */
  readonly sorted: readonly string[]
  /** Of each, where the longest other one is that it begins with, and -1. */
  readonly shorter: readonly number[]
  readonly instead: ReadonlyMap<string, string>
}

type Index = ReadonlyMap<string, Alike>

function indexOf(names: readonly (readonly [string, string])[]): Index {
  const byKey = new Map<string, Map<string, string>>()
  const written = names.slice(-MOST_NAMES).flatMap(([name, instead]) => writtenAs(name).map((each) => [each, instead]))
  for (const [name = '', instead = ''] of written.slice(-MOST_NAMES)) {
    const key = name.slice(0, KEY_CHARACTERS)
    byKey.set(key, (byKey.get(key) ?? new Map<string, string>()).set(name, instead))
  }
  return new Map([...byKey].map(([key, instead]) => [key, alikeOf(instead)]))
}

function alikeOf(instead: ReadonlyMap<string, string>): Alike {
  const sorted = [...instead.keys()].sort()
  const [shorter, open]: [number[], number[]] = [[], []]
  for (const [n, name] of sorted.entries()) {
    while (open.length > 0 && !name.startsWith(sorted[open.at(-1) ?? 0] ?? '')) open.pop()
    shorter.push(open.at(-1) ?? -1)
    open.push(n)
  }
  return { sorted, shorter, instead }
}

/** As it is, and as it stands in JSON. */
const writtenAs = (name: string): readonly string[] =>
  [...new Set([name, JSON.stringify(name).slice(1, -1)])]
    .flatMap((each) => piecesOf(inOneCase(each)))
    .filter(({ length }) => length >= SHORTEST_NAME)

/** The last one overlaps the one before: each but that of a short name is as long as can be. */
function piecesOf(name: string): readonly string[] {
  if (name.length <= LONGEST_NAME) return [name]
  const whole = Array.from({ length: Math.floor(name.length / LONGEST_NAME) }, (_, n) => n * LONGEST_NAME)
  return [...whole, name.length - LONGEST_NAME].map((from) => name.slice(from, from + LONGEST_NAME))
}

/** Character by character: places stay what they are, and no letter depends on those around it. */
const inOneCase = (text: string): string => text.replaceAll(/[A-Z\u0080-\uffff]/g, caseless)

function caseless(character: string): string {
  const small = character.toUpperCase().toLowerCase()
  return small.length === 1 ? small : character
}

function namesIn(folded: string, isEdge: IsEdge, known: Index): readonly Part[] {
  const parts: Part[] = []
  for (let from = 0; from < folded.length; from += 1) {
    const found = nameAt(folded, from, isEdge, known)
    if (found !== undefined) parts.push(found)
  }
  return parts
}

/** The longest name that begins there. */
function nameAt(folded: string, from: number, isEdge: IsEdge, known: Index): Part | undefined {
  const alike = known.get(folded.slice(from, from + KEY_CHARACTERS))
  if (alike === undefined) return undefined
  const rest = folded.slice(from, from + LONGEST_NAME)
  let n = lastUpTo(alike.sorted, rest)
  const length = lengthAlike(alike.sorted[n] ?? '', rest)
  for (; n >= 0; n = alike.shorter[n] ?? -1) {
    const name = alike.sorted[n] ?? ''
    const to = from + name.length
    const isWhole = name.length === LONGEST_NAME || (isEdge(from) && isEdge(to))
    if (name.length <= length && isWhole) return { from, to, instead: alike.instead.get(name) ?? '' }
  }
  return undefined
}

/** Where the last one is that does not come behind the text, and -1. */
function lastUpTo(sorted: readonly string[], text: string): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? '') <= text) low = middle + 1
    else high = middle
  }
  return low - 1
}

function lengthAlike(one: string, other: string): number {
  let length = 0
  while (length < one.length && one.charCodeAt(length) === other.charCodeAt(length)) length += 1
  return length
}

const LETTER = /[\p{L}\p{N}]/u

/** Whether a word can begin or end at a place: `web` is no part of `webhook`. */
type IsEdge = (at: number) => boolean

function edgesOf(text: string): IsEdge {
  const isLetter = Uint8Array.from({ length: text.length }, (_, at) => (LETTER.test(text.charAt(at)) ? 1 : 0))
  return (at) => !(isLetter[at - 1] === 1 && isLetter[at] === 1)
}

function tellingIn(text: string): readonly Part[] {
  const parts: Part[] = []
  telling.lastIndex = 0
  for (let found = telling.exec(text); found !== null; found = telling.exec(text)) {
    const part = tellingPart(found)
    telling.lastIndex = part.to
    parts.push(part)
  }
  return parts
}

function tellingPart({ 0: found, index: from, groups }: RegExpExecArray): Part {
  const forms: readonly (string | undefined)[] = Object.values(groups ?? {})
  const what = TELLING[forms.findIndex((each) => each !== undefined)]?.[0] ?? 'text'
  const to = from + found.length
  if (what === 'time') return { from, to, instead: found }
  const program = found.slice(Math.max(found.lastIndexOf('/'), found.lastIndexOf('\\')) + 1)
  const isProgram = (what === 'path' || what === 'link') && /.\.[cm]?[jt]sx?(?::\d+){0,2}$/.test(program)
  return isProgram ? { from, to: to - program.length, instead: '' } : { from, to, instead: `(${what})` }
}

const ELLIPSIS = '…'

/** What stands before an ellipsis was cut, and may be the half of anything: the word goes, and all that a name begins with. */
function halvesIn(folded: string, isEdge: IsEdge, known: Index): readonly Part[] {
  const parts: Part[] = []
  let before = 0
  for (let to = folded.indexOf(ELLIPSIS); to >= 0; to = folded.indexOf(ELLIPSIS, before)) {
    const first = Math.max(before, to - LONGEST_NAME)
    const from = Math.min(beginningOfWord(folded, first, to), beginningOfName(folded, first, to, isEdge, known))
    if (from < to) parts.push({ from, to, instead: '(cut)' })
    before = to + 1
  }
  return parts
}

function beginningOfWord(folded: string, first: number, to: number): number {
  let from = to
  while (from > first && !/[\s"'<>(),;|]/.test(folded.charAt(from - 1))) from -= 1
  return from
}

function beginningOfName(folded: string, first: number, to: number, isEdge: IsEdge, known: Index): number {
  for (let from = first; from < to - 1; from += 1)
    if (isEdge(from) && beginsName(folded.slice(from, to), known)) return from
  return to
}

function beginsName(half: string, known: Index): boolean {
  const sorted = known.get(half.slice(0, KEY_CHARACTERS))?.sorted ?? []
  const n = lastUpTo(sorted, half)
  return [sorted[n], sorted[n + 1]].some((name) => name?.startsWith(half))
}
