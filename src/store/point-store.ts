import { mkdir, readdir } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { PointListing } from '../shared/engine-protocol.ts'
import { fail, failureOf, isFailure, type Failure } from '../shared/failure.ts'
import { PointId, Uuid } from '../shared/model/ids.ts'
import { fitManifest } from '../shared/model/fit-manifest.ts'
import type { Manifest } from '../shared/model/point.ts'
import { safeText } from '../shared/safe-text.ts'
import { makeDirs, removeFile, removeIfEmpty, removeTree, syncDir, syncFile, writeDurably } from './durable.ts'
import { isCode } from './file-io.ts'
import { MANIFEST_NAME, idsOf, pointDir, vmDir } from './layout.ts'
import { pointOfMarks, readMarks, removeMarks } from './marks.ts'
import { checkPlace, parentsOf, parseManifest, readManifest } from './manifest.ts'
import { removeOwner, writeOwner, type PointOwner } from './owner.ts'
import { headerProblems, lstatOrNone, sizeProblems, type Problem } from './point-files.ts'

/** Makes the directory of a new point, and says whose it is. It is no point, and nobody lists it, until it is committed. */
export async function beginPoint(store: string, vmUuid: Uuid, pointId: PointId, owner?: PointOwner): Promise<string> {
  const dir = pointDir(store, vmUuid, pointId)
  await makeDirs(store)
  for (let tries = 0; ; tries++) {
    await makeDirs(vmDir(store, vmUuid))
    try {
      await mkdir(dir, { mode: 0o700 })
      await syncDir(dirname(dir))
      if (owner !== undefined) await writeOwner(dir, owner)
      return dir
    } catch (error) {
      if (isCode(error, 'EEXIST')) return fail({ kind: 'point-exists', point: pointId, where: dir }, error)
      // The VM's last other point was deleted just now, and its directory with it.
      if (!isCode(error, 'ENOENT') || tries > 2) throw error
    }
  }
}

/** Puts files on disk that others wrote (libvirt, swtpm). What `copyImage` and `copyFile` made already is. */
export async function syncFiles(dir: string, paths: readonly string[]): Promise<void> {
  for (const path of paths) await syncFile(join(dir, path))
}

/**
 * The instant from which the point exists. All of its files have to be on disk (`syncFiles`). Fails with `point-format` or
 * `point-damaged` if the manifest would not be believed later, and `point-exists` if there is one.
 */
export async function commitPoint(dir: string, manifest: Manifest): Promise<void> {
  const bytes = new TextEncoder().encode(`${JSON.stringify(fitManifest(manifest), undefined, 2)}\n`)
  await commitBytes(dir, dir, parseManifest(bytes, manifest.id), bytes)
}

/** `place` is where the point will be: its own directory, or where an import moves it to. */
export async function commitBytes(dir: string, place: string, manifest: Manifest, bytes: Uint8Array): Promise<void> {
  checkPlace(manifest, place)
  if ((await lstatOrNone(join(dir, MANIFEST_NAME))) !== undefined)
    fail({ kind: 'point-exists', point: manifest.id, where: dir })
  throwFirst(manifest.id, [...(await sizeProblems(dir, manifest)), ...(await headerProblems(dir, manifest))])
  for (const folder of new Set(manifest.files.flatMap((file) => parentsOf(file.path)))) await syncDir(join(dir, folder))
  await syncDir(dir)
  await writeDurably(join(dir, MANIFEST_NAME), bytes)
  await removeOwner(dir)
}

/** Deletes a point that was begun and not committed. Nothing happens if it is gone; a committed point is refused. */
export async function dropUnfinished(dir: string): Promise<void> {
  const ids = idsOf(dir)
  if (ids === undefined) fail({ kind: 'usage', message: `${dir} is no directory of a point` })
  const stats = await lstatOrNone(dir)
  if (stats === undefined) return
  if (!stats.isDirectory())
    fail({ kind: 'point-unsafe', point: ids.pointId, file: dir, detail: 'it is not a directory' })
  if ((await lstatOrNone(join(dir, MANIFEST_NAME))) !== undefined)
    fail({ kind: 'point-exists', point: ids.pointId, where: dir })
  await removeTree(dir)
  await removeMarks(dir)
  await removeIfEmpty(dirname(dir))
}

interface Candidate {
  readonly dir: string
  /** Why it cannot be a point, whatever is in it. */
  readonly reason?: string
}

/** Good points of a store, oldest first for each VM, and what looks like one and is not. Without a store: none. */
export const listPoints = async (store: string): Promise<PointListing> => listAmong(await candidatesIn(store))

/** The same of one VM. */
export const listPointsOf = async (store: string, vm: Uuid): Promise<PointListing> =>
  listAmong(await candidatesOf(vmDir(store, vm)))

async function listAmong(candidates: readonly Candidate[]): Promise<PointListing> {
  const listing: PointListing = { points: [], broken: [], marks: {} }
  for (const { dir, reason } of candidates) {
    if (reason !== undefined) listing.broken.push({ path: dir, reason })
    else await list(dir, listing)
  }
  return listing
}

async function list(dir: string, listing: PointListing): Promise<void> {
  try {
    const manifest = await readPoint(dir)
    listing.points.push(manifest)
    const marks = await readMarks(dir)
    if (marks !== undefined) listing.marks[manifest.id] = marks
  } catch (error) {
    const failure = failureOf(error)
    if (failure.kind === 'not-found') return // begun, or just deleted
    listing.broken.push({ path: dir, reason: reasonOf(failure) })
  }
}

function reasonOf(failure: Failure): string {
  if (failure.kind === 'point-damaged' || failure.kind === 'point-unsafe') return `${failure.file}: ${failure.detail}`
  return 'detail' in failure ? failure.detail : failure.kind
}

/** Points that were begun and never committed: of a job that runs, or of one that died. */
export async function listUnfinished(store: string): Promise<string[]> {
  const unfinished: string[] = []
  for (const { dir, reason } of await candidatesIn(store)) {
    if (reason === undefined && (await lstatOrNone(join(dir, MANIFEST_NAME))) === undefined) unfinished.push(dir)
  }
  return unfinished
}

async function candidatesIn(store: string): Promise<Candidate[]> {
  const candidates: Candidate[] = []
  for (const vm of await namesIn(store)) {
    if (!Uuid.safeParse(vm).success) continue // someone else's: `lost+found`, `.incoming`
    candidates.push(...(await candidatesOf(join(store, vm))))
  }
  return candidates
}

async function candidatesOf(dir: string): Promise<Candidate[]> {
  try {
    const stats = await lstatOrNone(dir)
    if (stats === undefined) return []
    if (!stats.isDirectory()) return [{ dir, reason: 'it is not a directory' }]
    const names = (await namesIn(dir)).filter((name) => pointOfMarks(name) === undefined)
    return await Promise.all(names.map((name) => candidateOf(dir, name)))
  } catch (error) {
    return [{ dir, reason: reasonOf(failureOf(error)) }]
  }
}

async function candidateOf(parent: string, name: string): Promise<Candidate> {
  const dir = join(parent, name)
  if (!PointId.safeParse(name).success) return { dir, reason: `${safeText(name)} is no name of a point` }
  const stats = await lstatOrNone(dir)
  return stats === undefined || stats.isDirectory() ? { dir } : { dir, reason: 'it is not a directory' }
}

export async function namesIn(dir: string): Promise<string[]> {
  try {
    return (await readdir(dir)).filter((name) => !name.startsWith('.')).sort()
  } catch (error) {
    if (isCode(error, 'ENOENT')) return []
    throw error
  }
}

/** A point whose manifest is sound and whose files have the sizes that it says. No hashing. */
export async function readPoint(dir: string): Promise<Manifest> {
  await requireDirectories(dir)
  const manifest = await readManifest(dir)
  throwFirst(manifest.id, await sizeProblems(dir, manifest))
  return manifest
}

/** The point's own directory and its VM's: a symlink could lead anywhere. */
async function requireDirectories(dir: string): Promise<void> {
  const point = basename(resolve(dir))
  for (const path of [dirname(resolve(dir)), resolve(dir)]) {
    const stats = await lstatOrNone(path)
    if (stats === undefined) fail({ kind: 'not-found', what: 'point', name: point, where: dirname(dir) })
    if (!stats.isDirectory()) fail({ kind: 'point-unsafe', point, file: path, detail: 'it is not a directory' })
  }
}

/**
 * What a restore asks for before it touches anything: the point is there, its files have their sizes, its images stand alone.
 * Fails with `not-found`, `point-format`, `point-damaged` or `point-unsafe`. Quick: hashes are for `verifyPoint`.
 */
export async function requireGood(dir: string): Promise<Manifest> {
  const manifest = await readPoint(dir)
  throwFirst(manifest.id, await headerProblems(dir, manifest))
  return manifest
}

/** What is unsafe goes before what is damaged. */
function throwFirst(point: string, problems: readonly Problem[]): void {
  const problem = problems.find(({ unsafe }) => unsafe === true) ?? problems[0]
  if (problem === undefined) return
  const kind = problem.unsafe === true ? 'point-unsafe' : 'point-damaged'
  fail({ kind, point, file: problem.file, detail: problem.detail })
}

export interface FoundPoint {
  readonly store: string
  readonly dir: string
  readonly manifest: Manifest
}

/**
 * The first of the stores that has this point, good; `vm`: of this VM alone. If none has: why, where there is one that is not
 * good, else `not-found`.
 */
export async function findPoint(stores: readonly string[], id: PointId, vm?: Uuid): Promise<FoundPoint> {
  let bad: unknown
  for (const store of stores) {
    for (const dir of await dirsOf(store, id)) {
      if (vm !== undefined && basename(dirname(dir)) !== vm) continue
      try {
        return { store, dir, manifest: await readPoint(dir) }
      } catch (error) {
        if (!isFailure(error, 'not-found')) bad = error
      }
    }
  }
  if (bad !== undefined) throw bad as Error
  return fail({ kind: 'not-found', what: 'point', name: id, where: stores.join(', ') })
}

async function dirsOf(store: string, id: PointId): Promise<string[]> {
  return (await candidatesIn(store)).flatMap(({ dir, reason }) =>
    reason === undefined && basename(dir) === id ? [dir] : []
  )
}

/** Where the store has a point of this id, good or not. One that was only begun is none. */
export async function committedDirs(store: string, id: PointId): Promise<string[]> {
  const committed: string[] = []
  for (const dir of await dirsOf(store, id))
    if ((await lstatOrNone(join(dir, MANIFEST_NAME))) !== undefined) committed.push(dir)
  return committed
}

/**
 * Deletes a point, also a damaged one, and its marks: the manifest first, so that a half deleted point is none. `not-found`
 * if there is none, and for one that was only begun.
 */
export async function deletePoint(store: string, id: PointId): Promise<{ freedBytes: number }> {
  let freedBytes: number | undefined
  for (const dir of await committedDirs(store, id)) freedBytes = (freedBytes ?? 0) + (await deleteAt(dir))
  return freedBytes === undefined ? fail({ kind: 'not-found', what: 'point', name: id, where: store }) : { freedBytes }
}

async function deleteAt(dir: string): Promise<number> {
  const manifestBytes = await removeFile(join(dir, MANIFEST_NAME))
  await syncDir(dir)
  const freedBytes = manifestBytes + (await removeTree(dir))
  await removeMarks(dir)
  await removeIfEmpty(dirname(dir))
  return freedBytes
}
