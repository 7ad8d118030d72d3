import { safeText } from '../../../shared/safe-text.ts'

/** Columns as wide as they need to be; the last one is left ragged. Escaped before it is measured. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => row.map(safeText))
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  return cells.map((row) => rowText(row, widths)).join('\n')
}

const rowText = (row: readonly string[], widths: readonly number[]): string =>
  row
    .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
    .join('  ')
    .trimEnd()

/** Name and value, a line each, below a headline. */
export function fields(entries: readonly (readonly [name: string, value: string | undefined])[]): string {
  const given = entries.filter((entry): entry is readonly [string, string] => entry[1] !== undefined && entry[1] !== '')
  const width = Math.max(0, ...given.map(([name]) => name.length))
  return given.map(([name, value]) => `  ${name.padEnd(width)}  ${safeText(value)}`).join('\n')
}
