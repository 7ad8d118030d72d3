import { padTo, textWidth } from '../../shared/text-width.ts'
import type { Message, Row, Section } from './message.ts'

/** The plain part of a mail; also what ntfy and Gotify show. */
export function textOf(message: Message): string {
  return [`${message.lead}\n`, `${factLines(message.facts)}\n`, ...message.sections.map(sectionText)].join('\n')
}

function factLines(facts: Message['facts']): string {
  const width = Math.max(...facts.map(([label]) => textWidth(label))) + 1
  return facts.map(([label, value]) => `${padTo(`${label}:`, width)} ${value}`).join('\n')
}

function sectionText({ title, columns, rows }: Section): string {
  const underlined = `${title}\n${'-'.repeat(textWidth(title))}`
  if (columns.length === 0) return `${underlined}\n${rows.map(({ cells }) => `* ${cells.join(' ')}\n`).join('')}`
  const widths = columns.map((column, n) =>
    Math.max(textWidth(column), ...rows.map(({ cells }) => textWidth(cells[n] ?? '')))
  )
  return `${underlined}\n${[{ cells: columns }, ...rows].map((row) => rowText(row, widths)).join('')}`
}

const rowText = ({ cells, note }: Row, widths: readonly number[]): string => {
  const line = cells.map((cell, n) => padTo(cell, widths[n] ?? 0)).join('  ')
  return `${line.trimEnd()}\n${note === undefined ? '' : `    ${note}\n`}`
}
