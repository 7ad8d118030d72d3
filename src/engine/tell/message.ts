import * as z from 'zod'
import { RunReport } from '../../shared/model/policy.ts'
import { safeText, shorten } from '../../shared/safe-text.ts'

const Severity = z.enum(['ok', 'warning', 'failure'])
export type Severity = z.infer<typeof Severity>

/** A row of a table; `note` is for what needs a line of its own. */
const Row = z.object({ cells: z.array(z.string()), note: z.string().optional(), severity: Severity.optional() })
export type Row = z.infer<typeof Row>

/** Without columns it is a plain list. */
const Section = z.object({ title: z.string(), columns: z.array(z.string()), rows: z.array(Row) })
export type Section = z.infer<typeof Section>

export const SilentVm = z.object({
  vm: z.object({ uuid: z.string(), name: z.string() }),
  policy: z.object({ id: z.string(), name: z.string() }),
  /** Undefined: it has none. */
  lastGoodAt: z.string().optional(),
  /** Since when it should have had a newer one. */
  since: z.string(),
  expectedEveryMs: z.number()
})
export type SilentVm = z.infer<typeof SilentVm>

/** What is told, before it becomes a mail or a webhook's body: every rendering has the same facts from here. */
export const Message = z.object({
  /** Stays the same from try to try, so that nobody gets a mail twice. */
  id: z.string().regex(/^[a-z0-9-]{1,120}$/i),
  event: z.enum(['run', 'digest', 'silence', 'test']),
  at: z.iso.datetime(),
  host: z.string(),
  severity: Severity,
  subject: z.string(),
  /** One sentence. */
  lead: z.string(),
  facts: z.array(z.tuple([z.string(), z.string()])),
  sections: z.array(Section),
  /** For programs: only the webhook of form `json` carries it. */
  data: z.object({ runs: z.array(RunReport), silent: z.array(SilentVm) })
})
export type Message = z.infer<typeof Message>

const LONGEST_SUBJECT = 200
const LONGEST_TEXT = 500
/** In a table, whose other columns are to stay in sight. */
const LONGEST_CELL = 80

/** No control, line end or bidi character gets through. */
const clean = (text: string): string => shorten(safeText(text), LONGEST_TEXT)

const cleanCell = (text: string): string => shorten(safeText(text), LONGEST_CELL)

/** All that people read made harmless: names and reasons in it come from VMs, hooks and servers. */
export function cleaned(message: Message): Message {
  return {
    ...message,
    host: clean(message.host),
    subject: shorten(safeText(message.subject), LONGEST_SUBJECT),
    lead: clean(message.lead),
    facts: message.facts.map(([label, value]) => [clean(label), clean(value)]),
    sections: message.sections.map(cleanedSection)
  }
}

const cleanedSection = ({ title, columns, rows }: Section): Section => ({
  title: clean(title),
  columns: columns.map(clean),
  rows: rows.map(({ cells, note, ...rest }) => ({
    ...rest,
    cells: cells.map(columns.length === 0 ? clean : cleanCell),
    ...(note !== undefined && { note: clean(note) })
  }))
})

export const subjectOf = (host: string, words: string, about: string): string =>
  `Stillpoint ${host}: ${words}${about === '' ? '' : ` (${about})`}`

/** Most rows of a section. */
const MOST_ROWS = 300

/** A list of plain lines, nothing where there are none. `more` is how many there are beyond those given. */
export function listOf(title: string, lines: readonly string[], more = 0): Section[] {
  if (lines.length === 0) return []
  const shown = lines.slice(0, MOST_ROWS).map((line): Row => ({ cells: [line] }))
  const hidden = lines.length - shown.length + more
  return [{ title, columns: [], rows: hidden > 0 ? [...shown, { cells: [`and ${hidden} more`] }] : shown }]
}

/** A table with the worst rows on top. */
export function tableOf(title: string, columns: string[], rows: readonly Row[]): Section {
  const shown = rows.toSorted((a, b) => rank(b) - rank(a)).slice(0, MOST_ROWS)
  const hidden = rows.length - shown.length
  return { title, columns, rows: hidden > 0 ? [...shown, { cells: [`and ${hidden} more`] }] : shown }
}

const RANK = { failure: 2, warning: 1, ok: 0 } as const
const rank = ({ severity = 'ok' }: Row): number => RANK[severity]

export const worstOf = (severities: readonly Severity[]): Severity =>
  (['failure', 'warning'] as const).find((severity) => severities.includes(severity)) ?? 'ok'
