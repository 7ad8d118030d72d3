import { safeText } from '../../../shared/safe-text.ts'
import { padTo, textWidth } from '../../../shared/text-width.ts'

/** Columns as wide as they need to be, a line for each row; the last one is left ragged. Escaped before it is measured. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const cells = [head, ...rows].map((row) => row.map(safeText))
  const widths = head.map((_, column) => widest(cells.map((row) => row[column] ?? '')))
  return cells.map((row) => rowText(row, widths))
}

const widest = (texts: readonly string[]): number => texts.reduce((most, text) => Math.max(most, textWidth(text)), 0)

const rowText = (row: readonly string[], widths: readonly number[]): string =>
  row
    .map((cell, column) => (column === row.length - 1 ? cell : padTo(cell, widths[column] ?? 0)))
    .join('  ')
    .trimEnd()

/** Name and value, a line each, below a headline. What prints them escapes them. */
export function fields(entries: readonly (readonly [name: string, value: string | undefined])[]): string[] {
  const given = entries.filter((entry): entry is readonly [string, string] => entry[1] !== undefined && entry[1] !== '')
  const width = widest(given.map(([name]) => name))
  return given.map(([name, value]) => `  ${padTo(name, width)}  ${value}`)
}
