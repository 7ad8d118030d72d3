import { createHash } from 'node:crypto'
import type { PointTexts, PreflightItem, VerifyReport } from '../../../shared/engine-protocol.ts'
import { fail, isFailure } from '../../../shared/failure.ts'
import { DEFAULT_STORE } from '../../../shared/host-paths.ts'
import type { RestoreSpec } from '../../../shared/model/job.ts'
import { sizeBytesOf, type Manifest } from '../../../shared/model/point.ts'
import type { PreflightView } from '../../../shared/views/job-view.ts'
import { localShell } from '../../../shell/local.ts'
import { parseManifest } from '../../../store/manifest.ts'
import { noteVerdict } from '../../../store/mark-point.ts'
import { deletePoint as deleteLocal, findPoint as findLocal } from '../../../store/point-store.ts'
import { readPointTexts } from '../../../store/point-texts.ts'
import { verifyPoint as verifyLocal } from '../../../store/verify-point.ts'
import type { Core } from '../core.ts'
import { placeNamed, requireHost } from '../hosts/host-book.ts'
import { rememberedChoices } from '../hosts/remembered-choices.ts'
import { twinsOf, type TwinsSeen } from '../hosts/twins.ts'
import { newJobId, submitJob } from '../jobs/jobs.ts'
import type { Place } from '../settings/settings-schema.ts'
import { copyPoint, fromAny, mayComeYet, refuseOther, refusePruned, type CopyOptions } from './copy-point.ts'
import { isAsListed, placeLabel, refuseRivalIn, type KnownPoint } from './point-places.ts'
import { isResume, restoreSpec, resumeProblem, storeOnTarget, type RestoreOrder } from './restore-order.ts'

/** Reads every byte of the point where it lies and compares it with what was written down. The verdict is noted there. */
export async function verifyPoint(
  core: Core,
  { manifest }: KnownPoint,
  place: Place,
  options: CopyOptions
): Promise<VerifyReport> {
  if (place.kind === 'local') return verifyHere(place.dir, manifest, options)
  const engine = await core.connections.engine(place.host)
  const call = {
    onEvent: options.onProgress,
    timeoutMs: Infinity,
    ...(options.signal !== undefined && { signal: options.signal })
  }
  return engine.call('verify', { store: place.dir, point: manifest.id }, call)
}

async function verifyHere(
  store: string,
  manifest: Manifest,
  { onProgress, signal }: CopyOptions
): Promise<VerifyReport> {
  const { dir } = await findLocal([store], manifest.id)
  const tell = (doneBytes: number, totalBytes: number): void =>
    onProgress({ phase: 'checking the point', doneBytes, totalBytes })
  const options = { onProgress: tell, ...(signal !== undefined && { signal }) }
  return noteVerdict(store, await verifyLocal(dir, await imageTools(), options))
}

/** A laptop need not have qemu-img: hashes and headers are checked without it. */
async function imageTools(): Promise<ReturnType<typeof localShell> | undefined> {
  const shell = localShell()
  return shell.run(['qemu-img', '--version']).then(
    () => shell,
    () => undefined
  )
}

/** Deletes the point from one store. Returns the bytes that became free. */
export async function deletePoint(core: Core, { manifest }: KnownPoint, place: Place): Promise<number> {
  if (place.kind === 'local') return (await deleteLocal(place.dir, manifest.id)).freedBytes
  const engine = await core.connections.engine(place.host)
  return (await engine.call('delete', { store: place.dir, point: manifest.id }, { timeoutMs: 600_000 })).freedBytes
}

/** Brings the point to the target if it is not there, and starts the restore. Returns the job's id. */
export async function startRestore(core: Core, asked: RestoreOrder, options: CopyOptions): Promise<string> {
  requireHost(core.settings.read(), asked.to)
  refuseRivalOn(asked)
  const order = await byWhatIsThere(core, asked)
  refuseImpossible(order)
  const { store, isThere } = storeOnTarget(order.point, order.to)
  const ram = isResume(order) ? 'needed' : 'unneeded'
  if (!isThere) await copyPoint(core, order.point, { kind: 'host', host: order.to, dir: store }, { ...options, ram })
  if (options.signal?.aborted === true) fail({ kind: 'cancelled', what: 'The restore' })
  const spec = { ...restoreSpec(order), ...(await twinsFor(core, order)) }
  return submitRestore(core, asked.point, order.to, spec, {
    fault: order.fault,
    ...(order.id !== undefined && { id: order.id })
  })
}

/** That it was begun here, and of which point, is known from then on: a restore on another host proves something only so. */
async function submitRestore(
  core: Core,
  { manifest: { id: point, vm, takenAt }, places }: KnownPoint,
  host: string,
  spec: RestoreSpec,
  { id = newJobId(), fault }: { readonly id?: string; readonly fault?: string | undefined } = {}
): Promise<string> {
  const labels = places.map((place) => placeLabel(place, DEFAULT_STORE))
  if (spec.mode !== 'define')
    await core.history.addBegun({
      host,
      job: id,
      at: new Date().toISOString(),
      point,
      vm: { uuid: vm.uuid, name: vm.name },
      takenAt,
      places: labels
    })
  return submitJob(core, host, spec, { id, fault })
}

/** Its store there is to have this point, not another of its id. */
const refuseRivalOn = ({ point, to }: RestoreOrder): void =>
  refuseRivalIn(point, { kind: 'host', host: to, dir: storeOnTarget(point, to).store }, DEFAULT_STORE)

function refuseImpossible(order: RestoreOrder): void {
  const problem = resumeProblem(order)
  if (problem !== undefined) fail({ kind: 'usage', message: `${problem.text}. ${problem.fix}` })
}

/** What the restore would meet, wherever the point is now. Touches nothing, and moves nothing but the point's small files. */
export async function preflight(core: Core, asked: RestoreOrder): Promise<PreflightView> {
  requireHost(core.settings.read(), asked.to)
  refuseRivalOn(asked)
  const [order, twins] = await Promise.all([byWhatIsThere(core, asked), twinsFor(core, asked)])
  const { isThere } = storeOnTarget(order.point, order.to)
  const files = isThere ? undefined : await pointTexts(core, order)
  const engine = await core.connections.engine(order.to)
  const found = await engine.call('preflight', { spec: { ...restoreSpec(order), ...twins }, ...(files && { files }) })
  const items = withProblem(found, resumeProblem(order))
  const replaces = items.find(({ vm }) => vm !== undefined)?.vm
  return { items, bytesToMove: isThere ? 0 : sizeBytesOf(order.point.manifest), ...(replaces && { replaces }) }
}

/** It stands in the way of what the host would do instead, and has said. */
const withProblem = (items: readonly PreflightItem[], problem: ReturnType<typeof resumeProblem>): PreflightItem[] =>
  problem === undefined
    ? [...items]
    : [{ check: 'mode', state: 'problem', ...problem }, ...items.filter(({ check }) => check !== 'mode')]

/** A copy is another VM: it has none. */
const twinsFor = async (core: Core, { point: { manifest }, to, copy }: RestoreOrder): Promise<TwinsSeen> =>
  copy === undefined ? twinsOf(core, manifest.vm.uuid, to, manifest.host) : {}

/** A host that was rebuilt since it was last asked has the point no more: then it comes from where else it is. */
async function byWhatIsThere(core: Core, asked: RestoreOrder): Promise<RestoreOrder> {
  const order = { remembered: rememberedChoices(core.settings.read(), asked.to), ...asked }
  const { manifest, places } = order.point
  const { store, isThere } = storeOnTarget(order.point, order.to)
  const others = places.filter((place) => place.kind === 'local' || place.host !== order.to)
  if (!isThere || others.length === 0) return order
  try {
    await (await core.connections.engine(order.to)).call('read-small', { store, point: manifest.id })
    return order
  } catch (error) {
    if (!isFailure(error, 'not-found')) throw error
    return { ...order, point: { ...order.point, places: others } }
  }
}

/** Of the first place that has them as a restore would have them sent: the point that is listed, and with its RAM to go on from. */
function pointTexts(core: Core, order: RestoreOrder): Promise<PointTexts> {
  const { point } = order
  const { manifest, places } = point
  const pruned = new Set<Place>()
  const ask = async (from: Place): Promise<PointTexts> => {
    const texts = await textsIn(core, manifest, from)
    const sent = parseManifest(Buffer.from(texts.manifest), manifest.id)
    if (!isAsListed(sent, point, from)) refuseOther(manifest, from)
    if (isResume(order)) refusePruned(sent, manifest, from, pruned)
    refuseOtherTexts(texts, sent, from)
    return texts
  }
  return fromAny(manifest, places, ask, { saysMore: mayComeYet(point, pruned) })
}

/** Whoever shows the manifest can show beside it what he likes. */
function refuseOtherTexts(texts: PointTexts, { id, files }: Manifest, from: Place): void {
  const shown = { 'domain.xml': texts.domain, 'host.json': texts.host, 'memory.xml': texts.memory }
  for (const [file, text] of Object.entries(shown)) {
    const sha256 = text === undefined ? undefined : createHash('sha256').update(text).digest('hex')
    if (files.find(({ path }) => path === file)?.sha256 === sha256) continue
    const detail = `${placeLabel(from, DEFAULT_STORE)} shows another one than its manifest says: the SHA-256 is another`
    fail({ kind: 'point-damaged', point: id, file, detail })
  }
}

async function textsIn(core: Core, { id: point }: Manifest, from: Place): Promise<PointTexts> {
  if (from.kind === 'local') return readPointTexts(from.dir, point)
  return (await core.connections.engine(from.host)).call('read-small', { store: from.dir, point })
}

/** The place to work on: the one named, or the only one. */
export function choosePlace(core: Core, point: KnownPoint, named: string | undefined): Place {
  const wanted = named === undefined ? undefined : placeLabel(placeNamed(core.settings.read(), named), DEFAULT_STORE)
  const found = point.places.filter((place) => wanted === undefined || placeLabel(place, DEFAULT_STORE) === wanted)
  const [first, ...others] = found
  if (first === undefined)
    return fail({
      kind: 'not-found',
      what: 'point',
      name: point.manifest.id,
      ...(wanted !== undefined && { where: wanted })
    })
  if (others.length === 0) return first
  const labels = found.map((place) => placeLabel(place, DEFAULT_STORE)).join(', ')
  return fail({
    kind: 'usage',
    message: `Point ${point.manifest.id} is in more than one place (${labels}). Name one with --in PLACE.`
  })
}
