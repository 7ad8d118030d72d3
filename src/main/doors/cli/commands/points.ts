import type { Command } from 'commander'
import { findPoint, listPoints, type PointList } from '../../../core/points/list-points.ts'
import { damagedIn, disownedBy, placeLabel, tellersOf, type KnownPoint } from '../../../core/points/point-places.ts'
import { fail } from '../../../../shared/failure.ts'
import { formatBytes, formatPause, formatTime } from '../../../../shared/format.ts'
import { DEFAULT_STORE } from '../../../../shared/host-paths.ts'
import { sizeBytesOf } from '../../../../shared/model/point.ts'
import { hostInWords } from '../../../../shared/point-name.ts'
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
      const points = list.points.filter(filterFor(session, of, list))
      const [disowning, claimOf] = [await disowningOf(session, list), claimsOf(session)]
      session.out.line(points.length === 0 ? 'No points.' : pointTable(points, disowning, claimOf))
      noteDisowned(session.out, points, disowning)
      noteBroken(session.out, list)
      noteUnreachable(session.out, list.unreachable)
      session.out.result({
        points: points.map((point) => {
          const notToldBy = disowning(point)
          return { ...pointJson(point), ...claimOf(point), ...(notToldBy !== undefined && { notToldBy }) }
        }),
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
      const point = await findPoint(core, id)
      const claim = claimsOf(session)(point)
      out.line(pointText(point, claim))
      const json = { ...pointJson(point), ...claim }
      out.result({ point: json, ...json, manifest: point.manifest })
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

interface Claim {
  readonly isHostUnknown?: true
}

/** Whether the host that a point says it was taken on is none of ours: then its name is the point's own word. */
function claimsOf({ core }: Session): (point: KnownPoint) => Claim {
  const ours = new Set(core.settings.read().hosts.map(({ name }) => name))
  return ({ manifest }) => (ours.has(manifest.host.name) ? {} : { isHostUnknown: true })
}

/** The host that a point says it was taken on, where that answers and never told of it. */
type Disowning = (point: KnownPoint) => string | undefined

async function disowningOf({ core }: Session, { unreachable }: PointList): Promise<Disowning> {
  await core.history.ready()
  const silent = new Set(unreachable.map(({ host }) => host.split(':', 1)[0]))
  const answering = core.settings.read().hosts.flatMap(({ name }) => (silent.has(name) ? [] : [name]))
  return (point) => disownedBy(tellersOf(core.history.told, point, DEFAULT_STORE), point, answering)
}

/** One sentence for each VM. */
function noteDisowned(out: Output, points: readonly KnownPoint[], disowning: Disowning): void {
  if (out.json) return
  const disowned = points.flatMap((point) => {
    const host = disowning(point)
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

function pointTable(
  points: readonly KnownPoint[],
  disowning: Disowning,
  claimOf: (point: KnownPoint) => Claim
): string[] {
  const rows = points.map((point) =>
    rowOf(point, hostInWords({ host: point.manifest.host.name, ...claimOf(point) }), disowning(point))
  )
  return table(['POINT', 'VM', 'TAKEN', 'METHOD', 'HOLDS', 'SIZE', 'PAUSE', 'MARKS', 'WHERE'], rows)
}

function rowOf(point: KnownPoint, host: string, notToldBy: string | undefined): string[] {
  const { manifest } = point
  return [
    manifest.id,
    `${host}/${manifest.vm.name}`,
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

function pointText(point: KnownPoint, claim: Claim): string[] {
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
  const head = `Point ${manifest.id} of ${manifest.vm.name} (${manifest.vm.uuid}), ${claim.isHostUnknown ? 'which says: ' : ''}taken on ${manifest.host.name}`
  return [head, ...fields(entries)]
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
