import { downMs, type Downtime } from '../../../shared/downtimes.ts'
import { hostInWords } from '../../../shared/point-name.ts'
import { safeText } from '../../../shared/safe-text.ts'

/**
 * A cell as RFC 4180 wants it, which is always one line. What a spreadsheet would run as a formula gets an apostrophe in
 * front; also behind a semicolon, at which those of many countries begin a cell, quoted or not.
 */
export function cell(text: string): string {
  const harmless = safeText(text).replaceAll(/(^|;)( *)(?=[=+\-@＝＋－＠])/g, "$1$2'")
  return /[",]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}

const HEAD = ['time', 'kind', 'host', 'vm', 'vm_uuid', 'point', 'method', 'mode', 'downtime_ms', 'made_of']

/** The entries in their order, with a head line. Times are ISO 8601 in UTC, figures plain milliseconds. */
export const downtimeCsv = (entries: readonly Downtime[]): string =>
  [HEAD, ...entries.map(cellsOf)].map((row) => `${row.map(cell).join(',')}\r\n`).join('')

const cellsOf = (entry: Downtime): readonly string[] => [
  entry.at,
  entry.kind,
  hostInWords(entry),
  entry.vm,
  entry.vmUuid,
  entry.point ?? '',
  entry.method ?? '',
  entry.mode ?? '',
  downMs(entry)?.toFixed(3) ?? '',
  partsOf(entry)
    .map(({ phase, ms }) => `${phase} ${ms.toFixed(3)}`)
    .join('; ')
]

/** A backup's pauses, a restore's phases. */
export const partsOf = ({ kind, pauses, phases }: Downtime): Downtime['pauses'] => (kind === 'backup' ? pauses : phases)
