import type { Command } from 'commander'
import { findPoint } from '../../../core/points/list-points.ts'
import { markPoint } from '../../../core/points/mark-point.ts'
import { placeLabel, type KnownPoint } from '../../../core/points/point-places.ts'
import { DEFAULT_STORE } from '../../../../shared/host-paths.ts'
import { withMarks } from '../../../../shared/point-marks.ts'
import type { MarksChange } from '../../../../shared/views/point-view.ts'
import type { ExitCode } from '../exit-codes.ts'
import { unreachableJson } from '../json-views.ts'
import { leaf, noteText } from '../leaf.ts'
import { exitOfListing, noteUnreachable } from '../listing.ts'
import type { ActionOptions, Perform } from '../run-program.ts'
import type { Session } from '../session.ts'

export const pinCommand = (perform: Perform): Command =>
  leaf('pin <POINT>', 'Mark a point as one to keep, in every place that has it', [
    'pin 20261122T201744Z-7f3a21',
    'pin 20261122T20 --note "before the upgrade"'
  ])
    .option('--note <TEXT>', 'words beside the point; an empty text removes them', noteText)
    .action((id: string, options: ActionOptions & { note?: string }) =>
      perform(options, (session) =>
        mark(session, id, { pinned: true, ...(options.note !== undefined && { note: options.note }) })
      )
    )

export const unpinCommand = (perform: Perform): Command =>
  leaf('unpin <POINT>', 'Take the pin off a point. Its note stays', ['unpin 20261122T201744Z-7f3a21']).action(
    (id: string, options: ActionOptions) => perform(options, (session) => mark(session, id, { pinned: false }))
  )

async function mark({ core, out }: Session, id: string, change: MarksChange): Promise<ExitCode> {
  const point = await findPoint(core, id)
  const { places, unreachable } = await markPoint(core, point, change)
  const { pinned, note } = withMarks(point.marks, change)
  const labels = places.map((place) => placeLabel(place, DEFAULT_STORE))
  out.line(said(point, pinned, labels))
  noteUnreachable(out, unreachable)
  out.result({ point: point.manifest.id, pinned, note, places: labels, unreachable: unreachableJson(unreachable) })
  return exitOfListing(unreachable, false)
}

const said = ({ manifest }: KnownPoint, pinned: boolean, labels: readonly string[]): string =>
  `Point ${manifest.id} of ${manifest.vm.name} is ${pinned ? 'pinned' : 'no longer pinned'} (${labels.join(', ')}).`
