/**
 * Text from a host, made safe to print: control, format (bidi, zero-width) and separator characters and lone
 * surrogates become `\u{…}`, so that a name can neither steer a terminal nor pass for another name.
 */
export function safeText(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, escapeCharacter)
}

/** Like `safeText`, but line ends stay: for several lines of a program's output. */
export const safeLines = (text: string): string => text.split('\n').map(safeText).join('\n')

const escapeCharacter = (character: string): string => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`

/** At most so many characters, with an ellipsis where something was left out. */
export const shorten = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 1)}…`
