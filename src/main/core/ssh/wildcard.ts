import { matchesPattern } from '../../../shared/glob.ts'

/** Patterns of OpenSSH, for host names in `ssh_config` and `known_hosts`: `*`, `?`, lists, and `!` for "not". */

/** A negated pattern that fits rules the whole list out, wherever it stands. */
export function matchesPatternList(patterns: readonly string[], text: string): boolean {
  const fits = (pattern: string): boolean => matchesPattern(pattern.toLowerCase(), text.toLowerCase())
  if (patterns.some((pattern) => pattern.startsWith('!') && fits(pattern.slice(1)))) return false
  return patterns.some((pattern) => !pattern.startsWith('!') && fits(pattern))
}
