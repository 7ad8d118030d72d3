import type { Command } from 'commander'
import type { VerifyReport } from '../../../../shared/engine-protocol.ts'
import { fail } from '../../../../shared/failure.ts'
import { formatBytes } from '../../../../shared/format.ts'
import { DEFAULT_STORE } from '../../../../shared/host-paths.ts'
import { copyPoint, type CopyOptions } from '../../../core/points/copy-point.ts'
import { findListed, findPoint } from '../../../core/points/list-points.ts'
import { originsIn } from '../../../core/points/point-origin.ts'
import { placeLabel, type KnownPoint } from '../../../core/points/point-places.ts'
import { choosePlace, deletePoint, verifyPoint } from '../../../core/points/points.ts'
import { placeNamed } from '../../../core/hosts/host-book.ts'
import type { Place } from '../../../core/settings/settings-schema.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { pointJson } from '../json-views.ts'
import { leaf } from '../leaf.ts'
import type { ActionOptions, Perform } from '../run-program.ts'
import type { Session } from '../session.ts'

const label = (place: Place): string => placeLabel(place, DEFAULT_STORE)

const workOptions = ({ out, interrupts }: Session): CopyOptions => ({
  onProgress: (progress) => out.progress(progress),
  signal: interrupts.signal,
  onWarning: (text) => out.note(text, 'warning')
})

/** Of two points of one id the one there is meant. */
const placeIn = ({ core }: Session, { in: named }: { readonly in?: string }): Place[] =>
  named === undefined ? [] : [placeNamed(core.settings.read(), named)]

export const copyCommand = (perform: Perform): Command =>
  leaf('copy <POINT>', 'Put a point on another host or on this computer, checked on arrival', [
    'copy 20261122T201744Z-7f3a21 --to beta',
    'copy 20261122T201744Z-7f3a21 --to beta:/srv/points',
    'copy 20261122T20 --to /mnt/usb/points'
  ])
    .requiredOption('--to <HOST|DIR>', 'a host, HOST:/DIR, or a directory here (begins with / or ./)')
    .action((id: string, options: ActionOptions & { to: string }) =>
      perform(options, async (session) => {
        const to = placeNamed(session.core.settings.read(), options.to)
        const { point, list } = await findListed(session.core, id)
        const origin = (await originsIn(session.core, list))(point)
        const manifest = await copyPoint(session.core, point, to, workOptions(session))
        const copied = pointJson({ ...point, manifest, places: [...point.places, to] }, origin)
        const [hasRam, hadRam] = [manifest, point.manifest].map(({ memory }) => memory !== undefined)
        const how = hadRam && !hasRam ? 'without its RAM; all else' : 'and'
        session.out.line(`Point ${manifest.id} of ${manifest.vm.name} is on ${label(to)} too, ${how} arrived whole.`)
        session.out.result({ point: copied, ...copied, to: label(to) })
        return hasRam === hadRam ? EXIT.done : EXIT.warnings
      })
    )

export const verifyCommand = (perform: Perform): Command =>
  leaf('verify <POINT>', 'Read every byte of a point, wherever it is, and compare it with what was written down', [
    'verify 20261122T201744Z-7f3a21',
    'verify 20261122T20 --in beta'
  ])
    .option('--in <PLACE>', 'only this copy: a host, HOST:/DIR, or a directory here')
    .action((id: string, options: ActionOptions & { in?: string }) =>
      perform(options, async (session) => {
        const point = await findPoint(session.core, id, ...placeIn(session, options))
        const places = options.in === undefined ? point.places : [choosePlace(session.core, point, options.in)]
        return verifyAll(session, point, places)
      })
    )

async function verifyAll(session: Session, point: KnownPoint, places: readonly Place[]): Promise<ExitCode> {
  const copies: (VerifyReport & { where: string })[] = []
  for (const place of places) {
    const copy = { where: label(place), ...(await verifyPoint(session.core, point, place, workOptions(session))) }
    copies.push(copy)
    session.out.line(verdict(point, copy)) // now: the next place may fail to answer
  }
  if (!session.out.json)
    for (const { where, notes } of copies) for (const note of notes) session.out.note(`${where}: ${note}`)
  const bad = copies.find(({ good }) => !good)
  if (bad === undefined) session.out.result({ point: point.manifest.id, good: true, copies })
  else reportDamage(session, point.manifest.id, bad, copies)
  return bad === undefined ? EXIT.done : EXIT.failed
}

const verdict = (
  { manifest }: KnownPoint,
  { where, good, checkedBytes, problems }: VerifyReport & { where: string }
): string[] =>
  good
    ? [`${where}: point ${manifest.id} is good; ${formatBytes(checkedBytes)} read and compared.`]
    : [`${where}: point ${manifest.id} is damaged:`, ...problems.map(({ file, detail }) => `  ${file}: ${detail}`)]

function reportDamage(
  { out }: Session,
  point: string,
  bad: VerifyReport & { where: string },
  copies: readonly unknown[]
): void {
  const { file = '', detail = '' } = bad.problems[0] ?? {}
  out.failed({ kind: 'point-damaged', point, file: `${bad.where}: ${file}`, detail }, { point, good: false, copies })
}

export const deleteCommand = (perform: Perform): Command =>
  leaf('delete <POINT>', 'Delete a point from one place. Other copies stay', [
    'delete 20261122T201744Z-7f3a21',
    'delete 20261122T201744Z-7f3a21 --in beta --yes'
  ])
    .option('--in <PLACE>', 'the copy to delete: a host, HOST:/DIR, or a directory here')
    .option('--yes', 'do not ask')
    .action((id: string, options: ActionOptions & { in?: string; yes?: boolean }) =>
      perform(options, async (session) => {
        const point = await findPoint(session.core, id, ...placeIn(session, options))
        const place = choosePlace(session.core, point, options.in)
        await mustBeMeant(session, point, place, options.yes === true)
        const freedBytes = await deletePoint(session.core, point, place)
        session.out.line(
          `Point ${point.manifest.id} is deleted from ${label(place)}; ${formatBytes(freedBytes)} became free.`
        )
        session.out.result({ point: point.manifest.id, from: label(place), freedBytes })
        return EXIT.done
      })
    )

/** Asked where there is somebody to ask. A script has said what it means. */
async function mustBeMeant(
  { terminal }: Session,
  { manifest, places }: KnownPoint,
  place: Place,
  yes: boolean
): Promise<void> {
  if (yes || !terminal.interactive) return
  const last = places.length === 1 ? 'This is its only copy.' : `Other copies: ${places.length - 1}.`
  const answer = await terminal.ask(`Delete point ${manifest.id} from ${label(place)}? ${last} (yes/no) `)
  if (answer !== 'yes') fail({ kind: 'cancelled', what: 'deleting the point' })
}
