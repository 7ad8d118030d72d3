import { DEEPEST } from './json-depth.ts'

/**
 * Text of a host, a store, a point or a guest, made harmless wherever it is shown. What is unsafe is said here alone, by
 * properties of Unicode, so that a character of a later version needs no line of its own:
 *
 * - What steers a terminal or a reader (`Cc`: C0, DEL, C1), turns the direction of a line, or has no shape of its own
 *   (`Cf`, `Default_Ignorable_Code_Point`: bidi controls, zero-width and soft hyphens, Hangul fillers, tags, variation
 *   selectors), ends a line (`Zl`, `Zp`), passes for a space (`Zs`, braille blank), is half a character (`Cs`), or looks
 *   different on every machine (`Co`, `Cn`).
 * - Marks that stand on nothing, and more than four on one letter: they are drawn over the lines above and below.
 *
 * Letters of every script stay, also those that run from right to left: a name in Hebrew or Arabic is honest. So do emoji
 * of several characters that Unicode recommends, joiners and all; anywhere else a joiner is shown as what it is, for two
 * names that differ by nothing else would look the same.
 */
const SHAPELESS = '\\p{C}\\p{Default_Ignorable_Code_Point}\\p{Zl}\\p{Zp}\\u2800'
const STRANGE_SPACE = '[\\p{Zs}--[ ]]'
const MARK = '[\\p{Mn}\\p{Me}]'
const UNSAFE = [
  `[${SHAPELESS}${STRANGE_SPACE}]`,
  `(?<=(?:^|[\\p{P}\\p{Z}${SHAPELESS}])${MARK}{0,4})${MARK}`,
  `(?<=${MARK}{4})${MARK}`
].join('|')

const unsafe = new RegExp(UNSAFE, 'v')
/** An emoji is looked for first, and taken as a whole. */
const emojiOrUnsafe = new RegExp(`((?=\\p{Emoji})\\p{RGI_Emoji})|${UNSAFE}`, 'gv')

/** Nothing in it is unsafe: what is seen is what it is. */
export const isShownAsItIs = (text: string): boolean => safeText(text) === text

/** One line, in which everything unsafe is shown as `\u{…}`. Said twice it is the same. */
export const safeText = (text: string): string => escaped(text, (character) => `\\u{${codeOf(character)}}`)

const codeOf = (character: string): string => (character.codePointAt(0) ?? 0).toString(16)

function escaped(text: string, escape: (character: string) => string): string {
  if (!unsafe.test(text)) return text
  return text.replaceAll(emojiOrUnsafe, (found: string, emoji: string | undefined) => emoji ?? escape(found))
}

/** Like `safeText`, but line ends stay: for several lines of a program's output. */
export const safeLines = (text: string): string => eachLine(text, safeText)

const eachLine = (text: string, work: (line: string) => string): string => text.split('\n').map(work).join('\n')

/** A line end or a tab, with the plain spaces around it. What begins with spaces is looked for where they begin alone. */
const LAYOUT = /(?:(?<! ) +)?[\t\n\v\f\r][ \t\n\v\f\r]*/g
const EDGES = /^ +|(?<! ) +$/g

/** What a program printed, as one line: its line ends and tabs were only its layout. Other spaces may be part of a name. */
export const oneLine = (text: string): string => safeText(text.replaceAll(LAYOUT, ' ').replaceAll(EDGES, ''))

/** The same value as JSON, with everything unsafe as `\uXXXX`. Outside of strings JSON has only its own line ends. */
export const safeJson = (value: unknown, indent?: number): string =>
  eachLine(JSON.stringify(value, undefined, indent), (line) => escaped(line, jsonEscape))

const jsonEscape = (character: string): string =>
  character.replaceAll(/[^]/g, (half) => `\\u${half.charCodeAt(0).toString(16).padStart(4, '0')}`)

/**
 * The same value with every text in it as `change` has it, by the key of the object that it is nearest to. What is nested
 * deeper than anything of ours is left out: it would only exhaust the stack.
 */
export const textsWithin = <T>(value: T, change: (text: string, key: string) => string): T =>
  changed(value, change, '', DEEPEST) as T

function changed(value: unknown, change: (text: string, key: string) => string, key: string, levels: number): unknown {
  if (typeof value === 'string') return change(value, key)
  if (typeof value !== 'object' || value === null) return value
  if (levels === 0) return undefined
  if (Array.isArray(value)) return value.map((each) => changed(each, change, key, levels - 1))
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, changed(each, change, name, levels - 1)])
  )
}

/** At most so many characters, with an ellipsis where something was left out. No character and no emoji is cut in two. */
export const shorten = (text: string, length: number): string =>
  text.length <= length ? text : ownCopy(`${text.slice(0, wholeUpTo(text, Math.max(0, length - 1)))}…`)

/** The same where thousands of texts of a host are cut: as fast for every text, and an emoji may be cut in two. */
export const shortenFast = (text: string, length: number): string =>
  text.length <= length ? text : ownCopy(`${text.slice(0, length - 1).replace(/[\ud800-\udbff]$/, '')}…`)

/** A piece of a text is kept by engines as a view of it, and would hold all of it for as long as the piece is held. */
const ownCopy = (text: string): string => JSON.parse(JSON.stringify(text)) as string

const LONGEST_EMOJI = 32

function wholeUpTo(text: string, end: number): number {
  const from = Math.max(0, end - LONGEST_EMOJI)
  for (const { 0: emoji, index } of text.slice(from, end + LONGEST_EMOJI).matchAll(/\p{RGI_Emoji}/gv)) {
    const begin = from + index
    if (begin < end && begin + emoji.length > end) return begin
  }
  return /[\ud800-\udbff]/.test(text.charAt(end - 1)) ? end - 1 : end
}
