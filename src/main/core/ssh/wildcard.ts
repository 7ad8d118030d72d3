/** Patterns of OpenSSH, for host names in `ssh_config` and `known_hosts`: `*`, `?`, lists, and `!` for "not". */

/** Without regular expressions: the time stays within text × pattern, whatever a file of somebody else says. */
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

/** A negated pattern that fits rules the whole list out, wherever it stands. */
export function matchesPatternList(patterns: readonly string[], text: string): boolean {
  const fits = (pattern: string): boolean => matchesPattern(pattern.toLowerCase(), text.toLowerCase())
  if (patterns.some((pattern) => pattern.startsWith('!') && fits(pattern.slice(1)))) return false
  return patterns.some((pattern) => !pattern.startsWith('!') && fits(pattern))
}
