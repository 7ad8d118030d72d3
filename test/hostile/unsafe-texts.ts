/** One text that means harm, and what a reader of the table calls it. */
export interface HostileText {
  readonly what: string
  readonly text: string
}

const of = (what: string, text: string): HostileText => ({ what, text })
const hex = (code: number): string => `U+${code.toString(16).toUpperCase().padStart(4, '0')}`
const within = (...codes: readonly number[]): HostileText[] =>
  codes.map((code) => of(hex(code), `web${String.fromCodePoint(code)}1`))
const span = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, n) => from + n)

/** Characters that steer, turn, hide or end something, by their kind. */
const KINDS: readonly (readonly number[])[] = [
  [0x1b, 0x08, 0x0a, 0x0d, 0x00, 0x07, 0x09, 0x0b, 0x0c, ...span(0x01, 0x06), ...span(0x0e, 0x1a), ...span(0x1c, 0x1f)], // C0
  [0x7f],
  [0x9b, 0x85, ...span(0x80, 0x84), ...span(0x86, 0x9a), ...span(0x9c, 0x9f)], // C1: CSI and NEL are among them
  [0x2028, 0x2029], // line and paragraph separator
  [0x202e, 0x2067, 0x61c, 0x200f, 0x200e, ...span(0x202a, 0x202d), 0x2066, 0x2068, 0x2069], // direction
  [0x200b, 0x200d, 0xad, 0xfeff, 0x34f, 0x180e, 0x200c, ...span(0x2060, 0x2064), 0x206a, 0x206f], // no width
  [0xfe0f, 0xe0100, 0x180b, 0xfe00, 0xfe0e, 0xe01ef], // variation selectors
  [0xe0041, 0xe0001, 0xe0020, 0xe007f], // tags
  [0x3164, 0x115f, 0x1160, 0xffa0, 0x17b4, 0x17b5], // fillers
  [0xfff9, 0xfffa, 0xfffb, 0x1d173, 0x1bca0], // annotations and other formats
  [0xe000, 0xf8ff, 0xf0000, 0x10fffd], // private use
  [0xfffe, 0xfdd0, 0xffff, 0x10ffff, 0x378], // noncharacters, and what is not assigned
  [0x3000, 0xa0, 0x1680, 0x2000, 0x2003, 0x2007, 0x202f, 0x205f, 0x2800], // other spaces, braille blank
  [0xd800, 0xdfff, 0xdbff, 0xdc00] // half a character
]

/** Each of them within a name. */
export const UNSAFE_CHARACTERS: readonly HostileText[] = KINDS.flatMap((codes) => within(...codes))

/** The two worst of each kind, for places that show text by the same rule. */
export const UNSAFE_KINDS: readonly HostileText[] = KINDS.flatMap((codes) => within(...codes.slice(0, 2)))

/** What would begin a line of its own, with words that pass for ours. */
export const FORGED = 'FORGED: every byte was verified'

/** Whole texts with a plan. */
export const UNSAFE_TEXTS: readonly HostileText[] = [
  of('colours', '\u001b[31;5mweb\u001b[0m'),
  of('a window title', '\u001b]0;pwned\u0007web'),
  of('the clipboard', '\u001b]52;c;cm0gLXJmIC8K\u0007'),
  of('a link', '\u001b]8;;https://example.net\u001b\\web\u001b]8;;\u001b\\'),
  of('a cleared screen', '\u009b2J\u009bHweb'),
  of('a device control string', '\u0090$q"p\u009cweb'),
  of('answers typed for the operator', '\u001b[6n\u001b[>c\u0005'),
  of('an overwritten line', `web\r${FORGED}`),
  of('a line', `web\n${FORGED}`),
  of('a line of CR LF', `web\r\n${FORGED}`),
  of('a line of NEL', `web\u0085${FORGED}`),
  of('a line of LS', `web\u2028${FORGED}`),
  of('a line of VT and FF', `web\u000b\u000c${FORGED}`),
  of('a mail header', 'web\r\nBcc: victim@example.org\r\nX-Evil: yes\r\n\r\nhello'),
  of('an empty line, then a mail of its own', '\n\n.\r\nMAIL FROM:<x@example.org>'),
  of('an extension turned round', '\u202egpj.exe'),
  of('isolates that do not close', '\u2066\u2067\u2068web'),
  of('a name that only seems to be another', 'web\u200b1'),
  of('nothing to see at all', '\u3164\u200b\u2060\u00ad'),
  of('nothing but spaces', '\u00a0\u2003\u3000'),
  of(
    'words in tags',
    `web${Array.from('rm -rf', (letter) => String.fromCodePoint(0xe0000 + letter.charCodeAt(0))).join('')}`
  ),
  of('a tower of marks', `we${'\u0301'.repeat(60)}b`),
  of('many towers', `a${'\u0489\u20dd'.repeat(12)}`.repeat(8)),
  of('a mark on our own quotation mark', '\u0338web'),
  of('marks on our own blank', ' \u0336\u0336\u0336web'),
  of('joiners without emoji', 'w\u200de\u200db'),
  of('an emoji with tags that mean nothing', '🏴\u{e0078}\u{e0079}\u{e007f}'),
  of('an emoji with a joiner behind it', '👩\u200d'),
  of('halves in the wrong order', '\udc00\ud800web'),
  of('a thousand marks', 'x'.concat('\u030d'.repeat(1000)).slice(0, 1001)),
  of('backspaces', 'root\b\b\b\bweb1'),
  of('a NUL and what is behind', 'web\u0000evil')
]

/** Names that somebody has given in earnest: they stay as they are. */
export const HONEST: readonly HostileText[] = [
  of('German', 'Größe-Zürich'),
  of('Hebrew', 'שרת-ראשי'),
  of('Arabic', 'خادم البريد'),
  of('Arabic with vowels', 'مُحَمَّد'),
  of('Hindi', 'नमस्ते-सर्वर'),
  of('Thai', 'เซิร์ฟเวอร์ที่หนึ่ง'),
  of('Vietnamese, taken apart', 'má\u0302y chu\u0309'.normalize('NFD')),
  of('Khmer', 'ម៉ាស៊ីនមេ'),
  of('Tibetan', 'བོད་ཡིག'),
  of('Chinese', '数据库'),
  of('Japanese', 'データベース１'),
  of('Korean', '데이터베이스'),
  of('Korean, taken apart', '데이터'.normalize('NFD')),
  of('a family', 'vm 👨‍👩‍👧‍👦'),
  of('a flag', 'vm 🇮🇱🇪🇬'),
  of('a flag of tags', 'vm 🏴󠁧󠁢󠁥󠁮󠁧󠁿'),
  of('a heart', 'vm ❤️'),
  of('a key', 'vm 1️⃣'),
  of('skin', 'vm 🧑🏿‍🚀'),
  of('signs', 'R&D <test> "x" $(touch y) `z` {{7*7}} %s \\u{202e}')
]

const NEVER_SHOWN = new Set(
  KINDS.flat()
    .map((code) => String.fromCodePoint(code))
    .filter((character) => character !== '\n')
)

/** Not by the product's own rule: each of the characters of the table, marks in heaps, and tags. Line ends may be ours. */
export function harmIn(shown: string): string | undefined {
  const found = Array.from(shown).find(
    (character) => NEVER_SHOWN.has(character) || /[\u{e0000}-\u{e007f}]/u.test(character)
  )
  if (found !== undefined) return `${hex(found.codePointAt(0) ?? 0)} in ${JSON.stringify(shown.slice(0, 300))}`
  if (/\p{M}{5}/u.test(shown)) return `a heap of marks in ${JSON.stringify(shown.slice(0, 300))}`
  return /^FORGED/m.test(shown) ? `a line of its own in ${JSON.stringify(shown.slice(0, 500))}` : undefined
}
