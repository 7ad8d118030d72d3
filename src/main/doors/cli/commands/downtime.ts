import type { Command } from 'commander'
import { downtimes } from '../../../core/points/downtimes.ts'
import { downMs, type Downtime } from '../../../../shared/downtimes.ts'
import { formatPause, formatTime } from '../../../../shared/format.ts'
import { hostInWords } from '../../../../shared/point-name.ts'
import { unreachableJson } from '../json-views.ts'
import { leaf } from '../leaf.ts'
import { exitOfListing, noteUnreachable } from '../listing.ts'
import type { ActionOptions, Perform } from '../run-program.ts'
import { table } from '../table.ts'

export const downtimeCommand = (perform: Perform): Command =>
  leaf('downtime [VM]', 'How long each VM stood still in backups, and how long restores took until it ran', [
    'downtime',
    'downtime web1',
    'downtime alpha/web1 --json'
  ]).action((vm: string | undefined, options: ActionOptions) =>
    perform(options, async ({ core, out }) => {
      const { entries, unreachable } = await downtimes(core, vm)
      out.line(entries.length === 0 ? 'Nothing measured yet.' : downtimeTable(entries))
      noteUnreachable(out, unreachable)
      out.result({ entries, unreachable: unreachableJson(unreachable) })
      return exitOfListing(unreachable, false)
    })
  )

function downtimeTable(entries: readonly Downtime[]): string[] {
  const rows = entries.map((entry) => [
    `${hostInWords(entry)}/${entry.vm}`,
    formatTime(entry.at),
    entry.kind,
    entry.method ?? entry.mode ?? '',
    downText(entry),
    (entry.kind === 'backup' ? entry.pauses : entry.phases)
      .map(({ phase, ms }) => `${phase} ${formatPause(ms)}`)
      .join(', ')
  ])
  return table(['VM', 'WHEN', 'WHAT', 'HOW', 'DOWN', 'PHASES'], rows)
}

function downText(entry: Downtime): string {
  const ms = downMs(entry)
  if (ms !== undefined) return formatPause(ms)
  return entry.kind === 'backup' ? 'was shut off' : ''
}
