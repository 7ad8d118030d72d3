import { isShownAsItIs } from './safe-text.ts'

/**
 * One word for a POSIX shell, to be pasted. What has no safe form of its own as text (no-break spaces, marks of direction, line
 * ends) stands there in bytes, as bash, zsh, ksh, busybox and POSIX since 2024 read them: shown as `\u{a0}` it would name
 * something else.
 */
export const quoted = (text: string): string =>
  isShownAsItIs(text)
    ? `'${text.replaceAll("'", String.raw`'\''`)}'`
    : `$'${Array.from(text, (character) => (isShownAsItIs(character) ? escaped(character) : inBytes(character))).join('')}'`

const escaped = (character: string): string => (character === "'" || character === '\\' ? `\\${character}` : character)

const inBytes = (character: string): string =>
  [...new TextEncoder().encode(character)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')
