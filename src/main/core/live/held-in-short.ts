import { shortenFast } from '../../../shared/safe-text.ts'

/**
 * Characters of one report that is held and told to windows, as JSON has them; and of all that one host has ended. An honest
 * job has one or two thousand, a run some hundred for each VM. The history has more of each, and its host all of it.
 */
export const MOST_HELD = { ofJob: 32 << 10, ofRun: 512 << 10, ofHost: 4 << 20 } as const

/** How long texts and lists may be, from what is hardly cut to what fits in any case. Texts go first: a list is what became of VMs. */
const CUTS = [
  { characters: 2000, entries: 1000 },
  { characters: 300, entries: 1000 },
  { characters: 60, entries: 1000 },
  { characters: 300, entries: 100 },
  { characters: 100, entries: 30 },
  { characters: 60, entries: 10 }
] as const
type Cut = (typeof CUTS)[number]

/** A report as it is, or in short, which it says among its warnings. */
export function inShort<T extends { readonly warnings: readonly string[] }>(report: T, most: number): T {
  if (charactersOf(report, most) <= most) return report
  const short = withinCharacters(report, most - LONGEST_REMARK)
  const missing = report.warnings.length - short.warnings.length
  const what = missing === 0 ? '' : `, without ${missing} of its warnings`
  return { ...short, warnings: [...short.warnings, `Only a part of this report is kept here${what}: it is very long.`] }
}

const LONGEST_REMARK = 200

/** A value of whatever shape, with texts and lists cut until it has hardly more characters than that. */
export function withinCharacters<T>(value: T, most: number): T {
  if (charactersOf(value, most) <= most) return value
  for (const each of CUTS) {
    const cutting = new Cutting(each, each === CUTS.at(-1) ? Infinity : most)
    const short = cutting.cut(value, '')
    if (cutting.left >= 0) return short as T
  }
  return value
}

/** About as many as there are in it as JSON; not counted to the end where it is plain that there are more than `most`. */
export function charactersOf(value: unknown, most = Infinity): number {
  if (typeof value === 'string') return value.length + 2
  if (typeof value !== 'object' || value === null) return 8
  let sum = 2
  for (const [key, each] of Object.entries(value)) {
    sum += key.length + 4 + charactersOf(each, most - sum)
    if (sum > most) break
  }
  return sum
}

/** One try, which is given up where it comes to too much: what a long report costs does not depend on how long it is. */
class Cutting {
  left: number
  private readonly to: Cut

  constructor(to: Cut, most: number) {
    this.to = to
    this.left = most
  }

  cut(value: unknown, key: string): unknown {
    if (typeof value === 'string') return this.text(value)
    if (typeof value !== 'object' || value === null) return this.counted(value, 8)
    if (Array.isArray(value)) return this.list(value, key)
    const entries = Object.entries(value).map(([name, each]) => [name, this.within(name, each)])
    return Object.fromEntries(entries)
  }

  private text(text: string): string {
    return this.counted(shortenFast(text, this.to.characters), Math.min(text.length, this.to.characters) + 2)
  }

  private within(name: string, value: unknown): unknown {
    this.left -= name.length + 4
    return this.left < 0 ? undefined : this.cut(value, name)
  }

  private list(all: readonly unknown[], key: string): unknown[] {
    if (key === LINES_TO_TYPE && !this.isWhole(all)) return []
    const first = all.slice(0, this.to.entries)
    return first.map((each) => (this.left < 0 ? undefined : this.cut(each, key)))
  }

  private isWhole(lines: readonly unknown[]): boolean {
    return lines.length <= this.to.entries && lines.every((line) => String(line).length <= this.to.characters)
  }

  private counted<T>(value: T, characters: number): T {
    this.left -= characters
    return value
  }
}

/** Half of what mends something may do harm: all of its lines, or none. */
const LINES_TO_TYPE = 'mend'
