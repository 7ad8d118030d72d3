import type { Command } from 'commander'
import { findListed, listPoints, type PointList } from '../../../core/points/list-points.ts'
import { originsIn } from '../../../core/points/point-origin.ts'
import { damagedIn, placeLabel, type KnownPoint } from '../../../core/points/point-places.ts'
import { fail } from '../../../../shared/failure.ts'
import { formatBytes, formatPause, formatTime } from '../../../../shared/format.ts'
import { DEFAULT_STORE } from '../../../../shared/host-paths.ts'
import { sizeBytesOf } from '../../../../shared/model/point.ts'
import { forShell } from '../../../../shared/model/restore-choice.ts'
import { hostInWords, isHostClaimed, isOfHost, type PointOrigin } from '../../../../shared/point-name.ts'
import { untoldWords } from '../../../../shared/safety-words.ts'
import { untoldIn } from '../../../../shared/told-by.ts'
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
      const originOf = await originsIn(session.core, list)
      const all = list.points.map((point) => ({ point, origin: originOf(point) }))
      const { found, claiming } = soughtIn(all, of, session)
      session.out.line(found.length === 0 ? 'No points.' : pointTable(found))
      noteClaims(session.out, of, found, claiming)
      noteBroken(session.out, list)
      noteUnreachable(session.out, list.unreachable)
      session.out.result({
        points: found.map(({ point, origin }) => pointJson(point, origin)),
        claiming: claiming.length,
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
    perform(options, async (session) => {
      const { core, out } = session
      const { point, list } = await findListed(core, id)
      const origin = (await originsIn(core, list))(point)
      out.line(pointText(point, origin))
      const json = pointJson(point, origin)
      out.result({ point: json, ...json, manifest: point.manifest })
      return EXIT.done
    })
  )

interface Listed {
  readonly point: KnownPoint
  readonly origin: PointOrigin
}

/**
 * Of a host are the points that were taken on it, and those that it holds. `claiming`: others that say that they were taken
 * there.
 */
function soughtIn(
  all: readonly Listed[],
  of: string | undefined,
  { core }: Session
): { readonly found: readonly Listed[]; readonly claiming: readonly Listed[] } {
  if (of === undefined) return { found: all, claiming: [] }
  const slash = of.indexOf('/')
  const [host, vm] = slash === -1 ? [of, undefined] : [of.slice(0, slash), of.slice(slash + 1)]
  const isOurs = core.settings.read().hosts.some(({ name }) => name === host)
  const isOf = ({ point, origin }: Listed): boolean =>
    isOfHost(origin, host, isOurs) || point.places.some((place) => place.kind === 'host' && place.host === host)
  if (!isOurs && !all.some(isOf)) fail({ kind: 'not-found', what: 'host', name: host })
  const ofVm = all.filter(
    ({ point: { manifest } }) => vm === undefined || [manifest.vm.name, manifest.vm.uuid].includes(vm)
  )
  return {
    found: ofVm.filter(isOf),
    claiming: ofVm.filter((each) => each.origin.host === host && !isOf(each))
  }
}

/** What counts for no VM, and what is left out where one host is asked for. */
function noteClaims(out: Output, of: string | undefined, found: readonly Listed[], claiming: readonly Listed[]): void {
  if (out.json) return
  noteDisowned(out, [...found, ...claiming])
  if (of === undefined || claiming.length === 0) return
  const [more, were, them] =
    claiming.length === 1
      ? ['1 more point says', 'it was', 'it']
      : [`${claiming.length} more points say`, 'they were', 'them']
  const line = forShell(['stillpoint', 'points', `says: ${of}`])
  out.note(
    `${more} that ${were} taken on ${of.split('/', 1)[0]}, and nothing else shows it. To list ${them}: ${line}`,
    'warning'
  )
}

/** One sentence for each VM. */
function noteDisowned(out: Output, points: readonly Listed[]): void {
  const disowned = points.flatMap(({ point, origin: { notToldBy: host } }) => {
    const places = point.places.map((place) => ({ host: place.kind === 'host' ? place.host : undefined }))
    return host === undefined ? [] : [{ host, places, vm: point.manifest.vm }]
  })
  for (const [one, ...others] of Map.groupBy(disowned, ({ host, vm }) => `${host}\0${vm.uuid}`).values()) {
    if (one === undefined) continue
    const said = untoldWords({ untold: untoldIn([one, ...others]), host: one.host, lastPoint: undefined })
    out.note(`${one.host}/${one.vm.name}: ${said}`, 'warning')
  }
}

const labels = ({ places }: KnownPoint): string => places.map((place) => placeLabel(place, DEFAULT_STORE)).join(', ')

const pointTable = (points: readonly Listed[]): string[] =>
  table(['POINT', 'VM', 'TAKEN', 'METHOD', 'HOLDS', 'SIZE', 'PAUSE', 'MARKS', 'WHERE'], points.map(rowOf))

function rowOf({ point, origin }: Listed): string[] {
  const { manifest } = point
  const { notToldBy } = origin
  return [
    manifest.id,
    `${hostInWords(origin)}/${manifest.vm.name}`,
    formatTime(manifest.takenAt),
    manifest.method,
    manifest.memory === undefined ? 'disks' : 'RAM + disks',
    formatBytes(sizeBytesOf(manifest)),
    formatPause(manifest.pauseMs),
    [...(notToldBy === undefined ? [] : [`${notToldBy} never told of it`]), ...marksOf(point)].join(', '),
    labels(point)
  ]
}

const marksOf = (point: KnownPoint): string[] => [
  ...(point.rivals === undefined ? [] : ['two of this id']),
  ...(point.marks.pinned ? ['pinned'] : []),
  ...(point.marks.note === undefined ? [] : ['note']),
  ...verdictWords(point)
]

/** Of copies, some of which are damaged, these are named. */
function verdictWords(point: KnownPoint): string[] {
  const damaged = damagedIn(point)
  if (damaged.length > 0) return [`damaged on ${damaged.join(', ')}`]
  const { verified } = point.marks
  return verified === undefined ? [] : [verified.good ? 'verified' : 'damaged']
}

function noteBroken(out: Output, { broken }: PointList): void {
  if (!out.json)
    for (const { where, path, reason } of broken) out.note(`${where}: ${path} is no good point: ${reason}`, 'warning')
}

function pointText(point: KnownPoint, origin: PointOrigin): string[] {
  const { manifest } = point
  const entries: [string, string | undefined][] = [
    ['taken', formatTime(manifest.takenAt)],
    ['where', labels(point)],
    ['another of this id', point.rivals?.map((place) => placeLabel(place, DEFAULT_STORE)).join(', ')],
    ['method', `${manifest.method} (${manifest.methodReason})`],
    ['state before', manifest.stateBefore],
    ['size', formatBytes(sizeBytesOf(manifest))],
    ['RAM', manifest.memory === undefined ? 'not held' : formatBytes(manifest.memory.ramBytes)],
    ['otherwise', otherwiseText(point)],
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
    ...marksFields(point.marks),
    ['damaged on', damagedIn(point).join(', ')]
  ]
  const head = `Point ${manifest.id} of ${manifest.vm.name} (${manifest.vm.uuid}), ${takenOn(origin)}`
  return [head, ...fields(entries)]
}

function takenOn(origin: PointOrigin): string {
  const { host, notToldBy } = origin
  const taken = `${isHostClaimed(origin) ? 'which says: ' : ''}taken on ${host}`
  return notToldBy === undefined ? taken : `${taken}, which never told of it`
}

/** Copies are told apart by their place where one has RAM and another has none. */
function otherwiseText({ manifest, otherwise }: KnownPoint): string | undefined {
  const [first, ...others] = otherwise?.places.map((place) => placeLabel(place, DEFAULT_STORE)) ?? []
  if (first === undefined) return undefined
  const how = otherwise?.manifest.memory === undefined ? 'without RAM' : 'with RAM'
  return `${how} in ${[first, ...others].join(', ')}: to have it so, name it ${first}/${manifest.id}`
}

const marksFields = ({ pinned, note, verified }: PointMarks): [string, string | undefined][] => [
  ['pinned', pinned ? 'yes' : undefined],
  ['note', note],
  ['verified', verified && `${formatTime(verified.at)}: ${verified.good ? 'every byte as it was written' : 'damaged'}`]
]
