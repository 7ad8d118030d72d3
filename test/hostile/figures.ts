import type { Measured } from './core-process.ts'
import type { SeenChange } from './good-news.ts'

/** So many bytes are a megabyte where limits are named. */
export const MB = 1_000_000

/** What one kind of attack came to. */
export interface Figures {
  readonly name: string
  readonly attacks: number
  readonly seconds: number
  readonly changes: readonly SeenChange[]
  readonly longestHeld: { readonly name: string; readonly ms: number }
  /** How many times as long as on a machine of its own the core took for its work, for other programs had the processors. */
  readonly stretched: number
  readonly core: Measured
  /** The same once all garbage was collected. */
  readonly live: Measured
  /** A core with the good host alone, at the same time. */
  readonly beside: Measured
}

/** What the cores had before the first attack. */
export interface Before {
  readonly core: Measured
  readonly beside: Measured
}

/** The longest that the event loop of the core was held, whoever held it. */
export const heldMsIn = ({ longestHeld, core }: Figures): number => Math.max(longestHeld.ms, core.heldMs)

export const medianOf = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN

export const grownBy = (now: number, before: number): number => (now - before) / MB

const HEADS = [
  ...['', 'attacks', 'took', 'good host changed', 'seen after (median)', 'beside', 'latest', 'beside', 'looks'],
  ...['loop held', 'stretched', 'slowed', 'in use', 'RSS', 'at most', 'beside', 'on disk']
]

/** All that was measured: a line for each kind of attack, and what held the event loop longest in each. */
export function tableOf(all: readonly Figures[], before: Before): string {
  const rows = [HEADS, ...all.map((figures) => cellsOf(figures, before))]
  const widths = HEADS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) =>
    row.map((cell, n) => (n === 0 ? cell.padEnd(widths[n] ?? 0) : cell.padStart(widths[n] ?? 0)))
  )
  const mb = (bytes: number): string => (bytes / MB).toFixed(0)
  return [
    `Loop held: the longest piece of the core's own work; stretched: by waiting for a processor; slowed: the same work took so many times as long. In use is what is left once all garbage is collected. Memory (RSS) is what was added to the ${mb(before.core.rssBytes)} MB that the core had when it was warm; beside: a core with the good host alone (${mb(before.beside.rssBytes)} MB), at the same time.`,
    ...lines.map((cells) => cells.join('  ')),
    ...all.flatMap(({ name, longestHeld }) =>
      longestHeld.name === ''
        ? []
        : [
            `${name}: held longest by “${longestHeld.name}” of what was tried one by one, ${longestHeld.ms.toFixed(0)} ms`
          ]
    )
  ].join('\n')
}

function cellsOf(figures: Figures, before: Before): string[] {
  const { name, attacks, seconds, changes, stretched, core, live, beside } = figures
  const s = (ms: number): string => `${(ms / 1000).toFixed(2)} s`
  const mb = (now: number, then: number): string => `${grownBy(now, then).toFixed(1)} MB`
  const [ms, besideMs] = [changes.map((change) => change.ms), changes.map((change) => change.besideMs)]
  return [
    ...[name, String(attacks), `${seconds.toFixed(0)} s`, `${changes.length} times`],
    ...[s(medianOf(ms)), s(medianOf(besideMs)), s(Math.max(...ms)), s(Math.max(...besideMs))],
    ...[String(Math.max(...changes.map(({ looks }) => looks))), `${heldMsIn(figures).toFixed(0)} ms`],
    ...[stretched, core.slowness].map((times) => `${times.toFixed(1)} ×`),
    mb(live.heldBytes, before.core.heldBytes),
    ...[mb(core.rssBytes, before.core.rssBytes), mb(core.peakRssBytes, before.core.rssBytes)],
    ...[mb(beside.peakRssBytes, before.beside.rssBytes), mb(core.folderBytes, before.core.folderBytes)]
  ]
}
