import { COPYING_THE_POINT } from '../../../shared/job-words.ts'
import { DEFAULT_STORE } from '../../../shared/host-paths.ts'
import { describeFailure } from '../../../shared/failure-words.ts'
import { fail, failureOf } from '../../../shared/failure.ts'
import type { Progress } from '../../../shared/model/job.ts'
import { sizeBytesOf, type Manifest } from '../../../shared/model/point.ts'
import { exportPoint, importPoint, importState } from '../../../store/point-stream.ts'
import { findPoint as findLocal } from '../../../store/point-store.ts'
import type { Core } from '../core.ts'
import { withPlace } from '../hosts/host-book.ts'
import { samePlace, type Place } from '../settings/settings-schema.ts'
import { markAt } from './mark-point.ts'
import { isSamePoint, placeLabel, requireSole, type KnownPoint } from './point-places.ts'

export interface CopyOptions {
  readonly onProgress: (progress: Progress) => void
  readonly signal?: AbortSignal
  /** Something beside the copying did not go as it should. */
  readonly onWarning?: (text: string) => void
}

interface Transfer {
  readonly core: Core
  readonly manifest: Manifest
  readonly from: Place
  readonly to: Place
  readonly options: CopyOptions
}

/** Puts a point into another store, through this computer. What an earlier try brought over is not sent again. */
export async function copyPoint(core: Core, point: KnownPoint, to: Place, options: CopyOptions): Promise<Manifest> {
  const { manifest } = point
  requireSole(point, DEFAULT_STORE)
  if (point.places.some((place) => samePlace(place, to)))
    fail({ kind: 'point-exists', point: manifest.id, where: placeLabel(to, DEFAULT_STORE) })
  const from = nearest(point.places) ?? fail({ kind: 'not-found', what: 'point', name: manifest.id })
  const started = Date.now()
  const copied = await transfer({ core, manifest, from, to, options })
  core.settings.update((settings) => withPlace(settings, to))
  if (!isSamePoint(copied, manifest))
    fail({
      kind: 'point-unsafe',
      point: manifest.id,
      file: 'manifest.json',
      detail: `${placeLabel(from, DEFAULT_STORE)} sent another point than it had listed`
    })
  await takeMarksAlong(core, point, to, options)
  await core.history.addCopy({
    point: manifest.id,
    vm: manifest.vm.name,
    uuid: manifest.vm.uuid,
    from: placeLabel(from, DEFAULT_STORE),
    to: placeLabel(to, DEFAULT_STORE),
    at: new Date().toISOString(),
    sizeBytes: sizeBytesOf(manifest),
    ms: Date.now() - started
  })
  return copied
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

/** This computer's own copy, if it has one: half the way. */
export const nearest = (places: readonly Place[]): Place | undefined =>
  places.find(({ kind }) => kind === 'local') ?? places[0]

async function transfer(job: Transfer): Promise<Manifest> {
  const have = await arrived(job)
  return receive(job, send(job, have))
}

async function arrived({ core, manifest, to }: Transfer): Promise<Record<string, number>> {
  if (to.kind === 'local') return importState(to.dir, manifest.id)
  return (await (await core.connections.engine(to.host)).call('import-state', { store: to.dir, point: manifest.id }))
    .have
}

async function* send(
  { core, manifest, from, options }: Transfer,
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
  { core, manifest, to, options }: Transfer,
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
