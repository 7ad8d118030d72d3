import { COPYING_THE_POINT } from '../../../shared/job-words.ts'
import { DEFAULT_STORE } from '../../../shared/host-paths.ts'
import { describeFailure } from '../../../shared/failure-words.ts'
import { asError, fail, failureOf, isFailure, StillpointError } from '../../../shared/failure.ts'
import type { Progress } from '../../../shared/model/job.ts'
import { forShell } from '../../../shared/model/restore-choice.ts'
import { sizeBytesOf, type Manifest } from '../../../shared/model/point.ts'
import { FRAME, FrameReader, MAGIC, makeFrame } from '../../../store/frames.ts'
import { MAX_MANIFEST_BYTES, parseManifest } from '../../../store/manifest.ts'
import { exportPoint, importPoint, importState } from '../../../store/point-stream.ts'
import { findPoint as findLocal } from '../../../store/point-store.ts'
import type { Core } from '../core.ts'
import { withPlace } from '../hosts/host-book.ts'
import { samePlace, type Place } from '../settings/settings-schema.ts'
import { markAt } from './mark-point.ts'
import {
  isAsListed,
  isRamOfHome,
  listedIn,
  memoryOf,
  placeLabel,
  refuseRivalIn,
  type KnownPoint
} from './point-places.ts'

export interface CopyOptions {
  readonly onProgress: (progress: Progress) => void
  readonly signal?: AbortSignal
  /** Something beside the copying did not go as it should. */
  readonly onWarning?: (text: string) => void
}

interface PointCopyOptions extends CopyOptions {
  /**
   * What is to become of the RAM that the point has: `needed`, it is not to come without; `unneeded`, no other try is worth it.
   * Undefined: it comes without where the RAM is not to be had.
   */
  readonly ram?: 'needed' | 'unneeded'
}

interface Transfer {
  readonly core: Core
  readonly point: KnownPoint
  readonly from: Place
  readonly to: Place
  readonly options: PointCopyOptions
  /** Places that were to send it with its RAM and do not have that. Undefined: it may come without. */
  readonly pruned: Set<Place> | undefined
  /** All of it has come, but that it is all. */
  readonly onWhole: (sent: Manifest, from: Place) => Promise<void>
}

/**
 * Puts a point into another store, through this computer. What an earlier try brought over is not sent again. Returns what has
 * arrived: it may have come without its RAM, or with some, which is warned of.
 */
export async function copyPoint(
  core: Core,
  point: KnownPoint,
  to: Place,
  options: PointCopyOptions
): Promise<Manifest> {
  const { manifest } = point
  refuseRivalIn(point, to, DEFAULT_STORE)
  if (point.places.some((place) => samePlace(place, to)))
    fail({ kind: 'point-exists', point: manifest.id, where: label(to) })
  const started = Date.now()
  // Before it can be there: whoever looks at the place has to know from where it came, also where its receiver is heard of no more.
  const noted = new Set<Place>()
  const onWhole = (sent: Manifest, from: Place): Promise<void> => {
    noted.add(from)
    return core.history.addCopy({
      point: manifest.id,
      vm: manifest.vm.name,
      uuid: manifest.vm.uuid,
      takenAt: manifest.takenAt,
      from: label(from),
      to: label(to),
      at: new Date().toISOString(),
      sizeBytes: sizeBytesOf(sent),
      ms: Date.now() - started,
      ...(isRamOfHome(memoryOf(sent), point) && { hasOwnRam: true })
    })
  }
  const { copied, from, missed } = await transferFromAny({ core, point, to, options, onWhole })
  if (!isAsListed(copied, point, from)) refuseOther(manifest, from)
  // Where it was there before, nobody read to its end.
  if (!noted.has(from)) await onWhole(copied, from)
  core.settings.update((settings) => withPlace(settings, to))
  const otherRam = otherRamText(copied, manifest, { from, missed })
  if (otherRam !== undefined) options.onWarning?.(otherRam)
  await takeMarksAlong(core, point, to, options)
  return copied
}

function otherRamText(
  copied: Manifest,
  { memory }: Manifest,
  { from, missed }: Pick<Transferred, 'from' | 'missed'>
): string | undefined {
  if ((copied.memory === undefined) === (memory === undefined)) return undefined
  const where = label(from)
  if (memory === undefined)
    return `The copy came with RAM that ${where} says to have, and the point has none by others: go on from it only if you trust that`
  const others = missed.map(({ place, error }) => `${label(place)} (${describeFailure(failureOf(error)).title})`)
  const why =
    others.length === 0
      ? 'no place that answers has it with RAM'
      : `it did not come from where it is listed with RAM: ${others.join(', ')}`
  return `The copy has no RAM: ${where} sent the point without it, and ${why}`
}

/** Pin and note are about the point; a verdict is about the copy that was read. */
async function takeMarksAlong(core: Core, point: KnownPoint, to: Place, { onWarning }: CopyOptions): Promise<void> {
  const { pinned, note } = point.marks
  if (!pinned && note === undefined) return
  try {
    await markAt(core, to, point.manifest.id, { pinned, ...(note !== undefined && { note }) })
  } catch (error) {
    onWarning?.(`Pin and note did not reach the copy: ${describeFailure(failureOf(error)).title}`)
  }
}

/** What a place that is asked for a point may fail with, where another may have it all the same. */
const OF_ITS_COPY = ['not-found', 'point-unsafe', 'point-damaged', 'point-format', 'bad-output', 'io'] as const
/** And where it may have it itself the next time. */
const OF_THIS_TRY = ['timeout', 'cancelled'] as const

/** A place, and why it did not send the point. */
interface Missed {
  readonly place: Place
  readonly error: Error
}

interface Asking {
  /** False: the next one would fail with it too. */
  readonly isOfPlace?: (error: unknown) => boolean
  /** Of all failures one such says more than the first. */
  readonly saysMore?: (missed: Missed) => boolean
}

/** Asks one place after the other until one has it. @throws the failure of the first that was asked, if none has */
export async function fromAny<T>(
  point: Pick<Manifest, 'id'>,
  places: readonly Place[],
  ask: (place: Place) => Promise<T>,
  { isOfPlace = () => true, saysMore = () => false }: Asking = {}
): Promise<T> {
  const failures: Missed[] = []
  for (const place of places)
    try {
      return await ask(place)
    } catch (error) {
      if (!isOfPlace(error)) throw error
      failures.push({ place, error: asError(error) })
    }
  const { error } = failures.find(saysMore) ?? failures[0] ?? {}
  throw error ?? new StillpointError({ kind: 'not-found', what: 'point', name: point.id })
}

interface Transferred {
  readonly copied: Manifest
  readonly from: Place
  /** Places that list it with RAM and have not sent it. */
  readonly missed: readonly Missed[]
}

/**
 * A host that lists a point and sends something else, or nothing, does not keep it from coming from the next. Nor does one that
 * sends it without the RAM that it has take that away: it is asked once more when no other has it with RAM.
 */
async function transferFromAny(job: Omit<Transfer, 'from' | 'pruned'>): Promise<Transferred> {
  const { point, options } = job
  const broken = new Set<unknown>()
  const isOfPlace = (error: unknown): boolean =>
    options.signal?.aborted !== true && (broken.has(error) || isFailure(error, ...OF_ITS_COPY, ...OF_THIS_TRY))
  const pruned = new Set<Place>()
  const missed: Missed[] = []
  const withRam = async (from: Place): Promise<Transferred> => {
    try {
      return { copied: await transferOrAgain({ ...job, from, pruned }, broken, isOfPlace), from, missed }
    } catch (error) {
      if (!pruned.has(from) && hasRam(point, from)) missed.push({ place: from, error: asError(error) })
      throw error
    }
  }
  const without = async (from: Place): Promise<Transferred> => ({
    copied: await transferOrAgain({ ...job, from, pruned: undefined }, broken, isOfPlace),
    from,
    missed
  })
  try {
    return await fromAny(point.manifest, point.places, withRam, { isOfPlace, saysMore: mayComeYet(point, pruned) })
  } catch (error) {
    if (pruned.size === 0 || options.ram === 'needed' || !isOfPlace(error)) throw error
    if (options.ram === undefined) refuseToGiveUp(job, missed, pruned)
    return fromAny(point.manifest, [...pruned], without, { isOfPlace })
  }
}

/** What another sent before may have been wrong: then it has been dropped by now, and this place is asked once more. */
async function transferOrAgain(
  job: Transfer,
  broken: Set<unknown>,
  isOfPlace: (error: unknown) => boolean
): Promise<Manifest> {
  const have = await arrived(job)
  try {
    return await transfer(job, have, broken)
  } catch (error) {
    const isToBeLeft = Object.keys(have).length === 0 || job.pruned?.has(job.from) === true
    if (isToBeLeft || !isOfPlace(error) || isFailure(error, 'timeout')) throw error
    return transfer(job, await arrived(job), broken)
  }
}

const hasRam = (point: KnownPoint, place: Place): boolean => listedIn(point, place).memory !== undefined

/** That it comes without RAM is for nobody's line to decide: what has arrived of the RAM would go, and the next try may bring it. */
function refuseToGiveUp(
  { point, to, options }: Pick<Transfer, 'point' | 'to' | 'options'>,
  missed: readonly Missed[],
  pruned: ReadonlySet<Place>
): void {
  const open = missed.find(mayComeYet(point, pruned))
  if (open === undefined) return
  for (const place of pruned) {
    const line = forShell(['stillpoint', 'copy', `${label(place)}/${point.manifest.id}`, '--to', label(to)])
    options.onWarning?.(`${label(place)} has the point without its RAM. If that will do, name it: ${line}`)
  }
  throw open.error
}

/**
 * Whether a place that lists the point with RAM may send it the next time: what it failed with is not what it says of its copy. Of
 * one that is known not to answer, which is why copies without RAM come before it, nothing is waited for, unless it did answer.
 */
export const mayComeYet =
  (point: KnownPoint, pruned: ReadonlySet<Place>) =>
  ({ place, error }: Missed): boolean => {
    if (point.manifest.memory === undefined || !hasRam(point, place)) return false
    if (pruned.has(place) || isFailure(error, ...OF_ITS_COPY)) return false
    if (isFailure(error, 'connection-lost')) return true
    const firstWithout = point.places.findIndex((each) => !hasRam(point, each))
    return firstWithout === -1 || point.places.indexOf(place) < firstWithout
  }

/** What goes wrong with its source is `broken`, and said as it was: whoever receives it may say it in words of its own. */
async function transfer(job: Transfer, have: Record<string, number>, broken: Set<unknown>): Promise<Manifest> {
  const ofSource: Error[] = []
  try {
    return await receive(
      job,
      noted(onlyThis(send(job, have), job), (error) => ofSource.push(error))
    )
  } catch (error) {
    const [reason] = ofSource
    if (reason === undefined) throw error
    broken.add(reason)
    throw reason
  }
}

async function* noted(stream: AsyncIterable<Uint8Array>, onError: (error: Error) => void): AsyncGenerator<Uint8Array> {
  try {
    yield* stream
  } catch (error) {
    onError(asError(error))
    throw error
  }
}

/** The stream, unless it is of another point than was listed: that would come to lie in the place of this one. */
async function* onlyThis(
  stream: AsyncIterable<Uint8Array>,
  { point, from, options, pruned, onWhole }: Transfer
): AsyncGenerator<Uint8Array> {
  const { manifest } = point
  const reader = new FrameReader(stream, options.signal)
  try {
    await reader.readMagic()
    const { kind, file, offset, length } = await reader.readHeader()
    const payload = await reader.readPayload(length, MAX_MANIFEST_BYTES)
    const sent = kind === FRAME.manifest ? parseManifest(payload, manifest.id) : undefined
    if (sent !== undefined && !isAsListed(sent, point, from)) refuseOther(manifest, from)
    if (sent !== undefined && pruned !== undefined) refusePruned(sent, manifest, from, pruned)
    yield MAGIC
    yield makeFrame(kind, file, offset, payload)
    yield* reader.rest(async () => {
      if (sent !== undefined) await onWhole(sent, from)
    })
  } finally {
    reader.close()
  }
}

export const refuseOther = ({ id }: Manifest, from: Place): never =>
  fail({
    kind: 'point-unsafe',
    point: id,
    file: 'manifest.json',
    detail: `${label(from)} sent another point, or other RAM, than it had listed`
  })

/** It is to have its RAM; a place that sends it without is noted. */
export function refusePruned(sent: Manifest, { id, memory }: Manifest, from: Place, pruned: Set<Place>): void {
  if (memory === undefined || sent.memory !== undefined) return
  pruned.add(from)
  fail({
    kind: 'usage',
    message: `${label(from)} sent point ${id} without its RAM, so the VM cannot go on where it was. Boot it (--mode boot).`
  })
}

const label = (place: Place): string => placeLabel(place, DEFAULT_STORE)

async function arrived({
  core,
  point: { manifest },
  to
}: Omit<Transfer, 'from' | 'pruned'>): Promise<Record<string, number>> {
  if (to.kind === 'local') return importState(to.dir, manifest.id)
  return (await (await core.connections.engine(to.host)).call('import-state', { store: to.dir, point: manifest.id }))
    .have
}

async function* send(
  { core, point: { manifest }, from, options }: Transfer,
  have: Record<string, number>
): AsyncGenerator<Uint8Array> {
  if (from.kind === 'local') {
    const { dir } = await findLocal([from.dir], manifest.id)
    yield* exportPoint(dir, { have })
    return
  }
  const engine = await core.connections.engine(from.host)
  yield* engine.exportPoint({ store: from.dir, point: manifest.id, have }, options.signal)
}

async function receive(
  { core, point: { manifest }, to, options }: Omit<Transfer, 'from' | 'pruned'>,
  stream: AsyncIterable<Uint8Array>
): Promise<Manifest> {
  const { signal, onProgress } = options
  const meter = speedometer(onProgress)
  if (to.kind === 'local') {
    const tell = (doneBytes: number, totalBytes: number): void =>
      meter({ phase: COPYING_THE_POINT, doneBytes, totalBytes })
    return importPoint(to.dir, manifest.id, stream, { onProgress: tell, ...(signal !== undefined && { signal }) })
  }
  const engine = await core.connections.engine(to.host)
  const call = { stream, onEvent: meter, timeoutMs: Infinity, ...(signal !== undefined && { signal }) }
  return engine.call('import', { store: to.dir, point: manifest.id }, call)
}

/** Adds rate and time left, and keeps quiet more often than four times a second. */
function speedometer(onProgress: (progress: Progress) => void): (progress: Progress) => void {
  const started = Date.now()
  let first: number | undefined
  let told = 0
  return (progress) => {
    first ??= progress.doneBytes
    const now = Date.now()
    if (now - told < 250 && progress.doneBytes < progress.totalBytes) return
    told = now
    const bytesPerSecond = ((progress.doneBytes - first) / Math.max(now - started, 1)) * 1000
    const left = progress.totalBytes - progress.doneBytes
    onProgress({ ...progress, bytesPerSecond, ...(bytesPerSecond > 0 && { secondsLeft: left / bytesPerSecond }) })
  }
}
