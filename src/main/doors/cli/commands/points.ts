import type { Command } from 'commander'
import { findPoint, listPoints, type PointList } from '../../../core/points/list-points.ts'
import { placeLabel, type KnownPoint } from '../../../core/points/point-places.ts'
import { fail } from '../../../../shared/failure.ts'
import { formatBytes, formatPause, formatTime } from '../../../../shared/format.ts'
import { DEFAULT_STORE } from '../../../../shared/host-paths.ts'
import { sizeBytesOf, type Manifest } from '../../../../shared/model/point.ts'
import type { PointMarks } from '../../../../shared/views/point-view.ts'
import { EXIT } from '../exit-codes.ts'
import { pointJson, unreachableJson } from '../json-views.ts'
import { leaf } from '../leaf.ts'
import { exitOfListing, noteUnreachable } from '../listing.ts'
import type { Output } from '../output.ts'
import type { ActionOptions, Perform } from '../run-program.ts'
import type { Session } from '../session.ts'
import { fields, table } from '../table.ts'

export const pointsCommand = (perform: Perform): Command =>
  leaf('points [HOST/VM]', 'Restore points in all places that are known: of all VMs, of a HOST, or of one HOST/VM', [
    'points',
    'points alpha',
    'points alpha/web1 --json'
  ]).action((of: string | undefined, options: ActionOptions) =>
    perform(options, async (session) => {
      const list = await listPoints(session.core)
      const points = list.points.filter(filterFor(session, of, list))
      session.out.line(points.length === 0 ? 'No points.' : pointTable(points))
      noteBroken(session.out, list)
      noteUnreachable(session.out, list.unreachable)
      session.out.result({
        points: points.map(pointJson),
        broken: list.broken,
        unreachable: unreachableJson(list.unreachable)
      })
      return list.broken.length > 0 ? EXIT.warnings : exitOfListing(list.unreachable, false)
    })
  )

export const showCommand = (perform: Perform): Command =>
  leaf('show <POINT>', 'Everything about one point; the beginning of its id will do', [
    'show 20261122T201744Z-7f3a21',
    'show 20261122T20 --json'
  ]).action((id: string, options: ActionOptions) =>
    perform(options, async ({ core, out }) => {
      const point = await findPoint(core, id)
      out.line(pointText(point))
      out.result({ point: pointJson(point), ...pointJson(point), manifest: point.manifest })
      return EXIT.done
    })
  )

/** Of a host are the points that were taken on it, and those that it holds. */
function filterFor({ core }: Session, of: string | undefined, { points }: PointList): (point: KnownPoint) => boolean {
  if (of === undefined) return () => true
  const slash = of.indexOf('/')
  const [host, vm] = slash === -1 ? [of, undefined] : [of.slice(0, slash), of.slice(slash + 1)]
  const isOf = ({ manifest, places }: KnownPoint): boolean =>
    manifest.host.name === host || places.some((place) => place.kind === 'host' && place.host === host)
  if (!core.settings.read().hosts.some(({ name }) => name === host) && !points.some(isOf))
    fail({ kind: 'not-found', what: 'host', name: host })
  return (point) => isOf(point) && (vm === undefined || [point.manifest.vm.name, point.manifest.vm.uuid].includes(vm))
}

const labels = ({ places }: KnownPoint): string => places.map((place) => placeLabel(place, DEFAULT_STORE)).join(', ')

function pointTable(points: readonly KnownPoint[]): string[] {
  const rows = points.map((point) => rowOf(point, point.manifest))
  return table(['POINT', 'VM', 'TAKEN', 'METHOD', 'HOLDS', 'SIZE', 'PAUSE', 'MARKS', 'WHERE'], rows)
}

const rowOf = (point: KnownPoint, manifest: Manifest): string[] => [
  manifest.id,
  `${manifest.host.name}/${manifest.vm.name}`,
  formatTime(manifest.takenAt),
  manifest.method,
  manifest.memory === undefined ? 'disks' : 'RAM + disks',
  formatBytes(sizeBytesOf(manifest)),
  formatPause(manifest.pauseMs),
  marksText(point),
  labels(point)
]

const marksText = ({ marks: { pinned, note, verified }, rivals }: KnownPoint): string =>
  [
    ...(rivals === undefined ? [] : ['two of this id']),
    ...(pinned ? ['pinned'] : []),
    ...(note === undefined ? [] : ['note']),
    ...(verified === undefined ? [] : [verified.good ? 'verified' : 'damaged'])
  ].join(', ')

function noteBroken(out: Output, { broken }: PointList): void {
  if (!out.json)
    for (const { where, path, reason } of broken) out.note(`${where}: ${path} is no good point: ${reason}`, 'warning')
}

function pointText(point: KnownPoint): string[] {
  const { manifest } = point
  const entries: [string, string | undefined][] = [
    ['taken', formatTime(manifest.takenAt)],
    ['where', labels(point)],
    ['another of this id', point.rivals?.map((place) => placeLabel(place, DEFAULT_STORE)).join(', ')],
    ['method', `${manifest.method} (${manifest.methodReason})`],
    ['state before', manifest.stateBefore],
    ['size', formatBytes(sizeBytesOf(manifest))],
    ['RAM', manifest.memory === undefined ? 'not held' : formatBytes(manifest.memory.ramBytes)],
    [
      'disks',
      manifest.disks
        .map((disk) => `${disk.target} ${formatBytes(disk.virtualSizeBytes)} (was ${disk.originalSource})`)
        .join(', ')
    ],
    ['left out', manifest.excludedDisks.join(', ')],
    [
      'stood still',
      `${formatPause(manifest.pauseMs)}${manifest.pauses.length === 0 ? '' : ` (${manifest.pauses.map(({ phase, ms }) => `${phase} ${formatPause(ms)}`).join(', ')})`}`
    ],
    ['guest agent', manifest.agent],
    [
      'made with',
      `libvirt ${manifest.versions.libvirt}, QEMU ${manifest.versions.qemu}, engine ${manifest.versions.engine}`
    ],
    ['warnings', manifest.warnings.join('; ')],
    ...marksFields(point.marks)
  ]
  const head = `Point ${manifest.id} of ${manifest.vm.name} (${manifest.vm.uuid}), taken on ${manifest.host.name}`
  return [head, ...fields(entries)]
}

const marksFields = ({ pinned, note, verified }: PointMarks): [string, string | undefined][] => [
  ['pinned', pinned ? 'yes' : undefined],
  ['note', note],
  ['verified', verified && `${formatTime(verified.at)}: ${verified.good ? 'every byte as it was written' : 'damaged'}`]
]
