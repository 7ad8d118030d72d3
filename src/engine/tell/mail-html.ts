import type { Message, Row, Section, Severity } from './message.ts'

/** Colour repeats what words say; readable on light and dark, as nothing sets a background. */
const COLOURS: Readonly<Record<Severity, string>> = { ok: '#2b8a3e', warning: '#c05c00', failure: '#d6303f' }
const TABLE = '<table cellpadding="4" style="border-collapse:collapse;text-align:left">'

/** The same facts as `textOf`, for mail readers that show HTML. Loads nothing from anywhere. */
export function htmlOf(message: Message): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${escaped(message.subject)}</title></head>
<body style="font-family:system-ui,sans-serif;font-size:14px;line-height:1.45">
<h1 style="font-size:18px;color:${COLOURS[message.severity]}">${escaped(message.lead)}</h1>
${TABLE}
${message.facts.map(factRow).join('')}</table>
${message.sections.map(sectionHtml).join('')}</body>
</html>
`
}

const factRow = ([label, value]: readonly [string, string]): string =>
  `<tr><th scope="row">${isolated(label)}</th><td>${isolated(value)}</td></tr>\n`

function sectionHtml({ title, columns, rows }: Section): string {
  const heading = `<h2 style="font-size:15px">${escaped(title)}</h2>\n`
  if (columns.length === 0)
    return `${heading}<ul>\n${rows.map(({ cells }) => `<li>${isolated(cells.join(' '))}</li>\n`).join('')}</ul>\n`
  const head = columns.map((column) => `<th scope="col">${escaped(column)}</th>`).join('')
  const body = rows.map((row) => rowHtml(row, columns.length)).join('')
  return `${heading}${TABLE}\n<tr>${head}</tr>\n${body}</table>\n`
}

function rowHtml({ cells, note, severity = 'ok' }: Row, columns: number): string {
  const colour = severity === 'ok' ? '' : ` style="color:${COLOURS[severity]}"`
  const line = cells.map((cell) => `<td>${isolated(cell)}</td>`).join('')
  const more = note === undefined ? '' : `<tr${colour}><td colspan="${columns}">${isolated(note)}</td></tr>\n`
  return `<tr${colour}>${line}</tr>\n${more}`
}

/** A name in right-to-left letters turns only itself. */
const isolated = (text: string): string => (text === '' ? '' : `<bdi>${escaped(text)}</bdi>`)

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;'
}
export const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
