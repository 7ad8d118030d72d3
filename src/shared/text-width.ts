/** How many columns a text takes where every letter has one: a terminal, the plain part of a mail. It is safe already. */
export function textWidth(text: string): number {
  if (PLAIN.test(text)) return text.length
  return [...lettersOf(text)].reduce((width, { segment }) => width + widthOfLetter(segment), 0)
}

/** As `padEnd`, in columns. */
export const padTo = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - textWidth(text)))

/** The beginning that fits, without half a letter at its end. */
export function cutTo(text: string, width: number): string {
  if (PLAIN.test(text)) return text.slice(0, Math.max(0, width))
  let [taken, used] = ['', 0]
  for (const { segment } of lettersOf(text)) {
    used += widthOfLetter(segment)
    if (used > width) break
    taken += segment
  }
  return taken
}

const PLAIN = /^[ -~]*$/

/** As people count them. Made when the first text needs it: most are plain. */
const lettersOf = (text: string): Intl.Segments =>
  (segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' })).segment(text)
let segmenter: Intl.Segmenter | undefined

/** Letters of two columns: emoji, and the blocks that Unicode's East Asian Width calls wide, a property patterns lack. */
const WIDE =
  /^(?:\p{RGI_Emoji}|\p{Emoji_Presentation}|[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6b\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18dff}\u{1aff0}-\u{1b2ff}\u{1d300}-\u{1d376}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}])/v

const widthOfLetter = (letter: string): number => (/^\p{M}/u.test(letter) ? 0 : WIDE.test(letter) ? 2 : 1)
