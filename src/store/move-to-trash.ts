import { rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fail } from '../shared/failure.ts'
import type { PointId, Uuid } from '../shared/model/ids.ts'
import { nothingBetween, type Between } from './between.ts'
import { makeDirs, removeFile, removeIfEmpty, removeTree, syncDir, writeDurably } from './durable.ts'
import { MANIFEST_NAME, TRASH_NAME, pointDir, trashDir } from './layout.ts'
import { moveMarks, readMarks, removeMarks } from './marks.ts'
import { readManifest } from './manifest.ts'
import { lstatOrNone } from './point-files.ts'
import { committedDirs, deletePoint } from './point-store.ts'
import { listTrash, notePath, requireDirectory, type TrashNote, type Trashed } from './trash.ts'

/**
 * From one instant to the next the point is in the trash and no longer listed, whole and with its marks. What a kill leaves
 * half done, `settleTrash` ends. The caller sees to it that nobody else works on points of this VM.
 *
 * @throws what the file system says, for instance of a full one; the point is then where it was
 */
export async function moveToTrash(
  store: string,
  vm: Uuid,
  point: PointId,
  note: TrashNote,
  between: Between = nothingBetween
): Promise<void> {
  const from = pointDir(store, vm, point)
  const to = trashDir(store, vm, point)
  await requireDirectory(join(store, TRASH_NAME))
  await requireDirectory(dirname(to))
  await makeDirs(dirname(to))
  await writeDurably(notePath(to), new TextEncoder().encode(`${JSON.stringify(note)}\n`))
  await between('trash.noted')
  await rename(from, to)
  for (const dir of [to, from]) await syncDir(dirname(dir))
  await between('trash.moved')
  await moveMarks(from, to)
}

/** Out of the trash again. @throws `not-found` for what is not whole, `point-exists` if one of this id is there */
export async function putBack(
  store: string,
  vm: Uuid,
  point: PointId,
  between: Between = nothingBetween
): Promise<void> {
  const from = trashDir(store, vm, point)
  const to = pointDir(store, vm, point)
  await readManifest(from)
  if ((await lstatOrNone(to)) !== undefined) fail({ kind: 'point-exists', point, where: to })
  await makeDirs(dirname(to))
  await rename(from, to)
  for (const dir of [to, from]) await syncDir(dirname(dir))
  await between('back.moved')
  await moveMarks(from, to)
  await between('back.marked')
  await forget(from)
}

/** For good. The manifest goes first, so that what is half removed is never put back. Returns the bytes that it took. */
export async function removeTrashed({ dir }: Trashed, between: Between = nothingBetween): Promise<number> {
  let freedBytes = 0
  if ((await lstatOrNone(join(dir, MANIFEST_NAME))) !== undefined) {
    freedBytes += await removeFile(join(dir, MANIFEST_NAME))
    await syncDir(dir)
  }
  await between('remove.begun')
  if ((await lstatOrNone(dir)) !== undefined) freedBytes += await removeTree(dir)
  await between('remove.emptied')
  await forget(dir)
  return freedBytes
}

/**
 * Deletes a point for good, wherever in the store it is: among its points, or in the trash, whose grace is cut short then.
 * `not-found` if there is none.
 */
export async function deleteForGood(store: string, id: PointId): Promise<{ freedBytes: number }> {
  const trashed = (await listTrash(store)).filter(({ point }) => point === id)
  if (trashed.length === 0 || (await committedDirs(store, id)).length > 0) return deletePoint(store, id)
  let freedBytes = 0
  for (const each of trashed) freedBytes += await removeTrashed(each)
  return { freedBytes }
}

async function forget(dir: string): Promise<void> {
  await removeMarks(dir)
  for (const path of [notePath(dir), `${notePath(dir)}.new`]) await rm(path, { force: true })
  await removeIfEmpty(dirname(dir))
  await removeIfEmpty(dirname(dirname(dir)))
}

/**
 * Ends what was begun with the trash of a VM: a move that did not happen is forgotten, one that did takes the marks along, a
 * removal goes on to its end. A point that was pinned at the last moment is put back. Returns the bytes that became free.
 */
export async function settleTrash(store: string, vm: Uuid): Promise<number> {
  let freedBytes = 0
  for (const trashed of await listTrash(store, vm)) freedBytes += await settle(trashed)
  return freedBytes
}

async function settle(trashed: Trashed): Promise<number> {
  const { store, vm, point, dir } = trashed
  const home = pointDir(store, vm, point)
  if ((await lstatOrNone(dir)) === undefined) return settleAbsent(home, dir)
  if (!trashed.whole) return removeTrashed(trashed)
  if ((await lstatOrNone(home)) !== undefined) return 0 // copied here anew since: both are whole
  await moveMarks(home, dir)
  if ((await readMarks(dir))?.pinned === true) await putBack(store, vm, point)
  return 0
}

/** Never moved, put back, or removed: its marks are at home already, or still to follow it, or of nothing. */
async function settleAbsent(home: string, dir: string): Promise<number> {
  const isHome = (await lstatOrNone(home)) !== undefined
  if (isHome && (await readMarks(home)) === undefined) await moveMarks(dir, home)
  await forget(dir)
  return 0
}
