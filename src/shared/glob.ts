/** How many characters may still be compared: what is found out when there are none left means nothing. */
export interface Steps {
  left: number
}

const [STAR, ANY] = [0x2a, 0x3f]

/**
 * `*` is any text, `?` one character, everything else itself. Without regular expressions: the time stays within
 * text × pattern, whatever a file of somebody else says.
 */
export function matchesPattern(pattern: string, text: string, steps?: Steps): boolean {
  let [at, inText, star, retry, taken] = [0, 0, -1, 0, 1]
  let isSo = true
  while (isSo && inText < text.length) {
    taken++
    const wanted = pattern.charCodeAt(at)
    if (wanted === STAR) {
      star = at++
      retry = inText
    } else if (wanted === ANY || wanted === text.charCodeAt(inText)) {
      at++
      inText++
    } else if (star >= 0) {
      at = star + 1
      inText = ++retry
    } else isSo = false
  }
  while (pattern.charCodeAt(at) === STAR) at++
  if (steps !== undefined) steps.left -= taken
  return isSo && at >= pattern.length
}
