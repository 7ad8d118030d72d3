/**
 * `*` is any text, `?` one character, everything else itself. Without regular expressions: the time stays within
 * text × pattern, whatever a file of somebody else says.
 */
export function matchesPattern(pattern: string, text: string): boolean {
  let [at, inText, star, retry] = [0, 0, -1, 0]
  while (inText < text.length) {
    const wanted = pattern[at]
    if (wanted === '*') {
      star = at++
      retry = inText
    } else if (wanted === '?' || wanted === text[inText]) {
      at++
      inText++
    } else if (star >= 0) {
      at = star + 1
      inText = ++retry
    } else return false
  }
  return /^\**$/.test(pattern.slice(at))
}
