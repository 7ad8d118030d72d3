import { realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Manifest } from '../../shared/model/point.ts'
import { journalPath } from '../jobs/job-directory.ts'
import { readJournal } from '../journal/journal.ts'
import { BackupTrace } from '../recover/trace.ts'
import { existingFolder } from '../room/file-systems.ts'
import { IMAGES, isOfTheSystem, isPlainPath, type ImageFolders } from './image-folders.ts'
import { othersWhoWriteTo } from './who-writes.ts'

/**
 * The folder that the image of a disk lay in, and is there: the disk goes `back` to it, the operator is to `ask` for it, or
 * it is `left`.
 */
export interface FormerFolder {
  readonly folder: string
  readonly use: 'back' | 'ask' | 'left'
  /** Why no point may put its disks there unasked. Empty: it may. */
  readonly because: string
}

export interface FormerFolderRequest {
  readonly folders: Pick<ImageFolders, 'whyNot'>
  /** Images that this very host noted when it took the point itself: a point may say anything of where it comes from. */
  readonly takenHere: ReadonlySet<string>
  /** Where disks go that have no folder of their own. */
  readonly usual?: string
}

/** By target. Only an image file has a folder to go back to: block devices are never written over. */
export async function formerFolders(
  { disks }: Manifest,
  request: FormerFolderRequest
): Promise<ReadonlyMap<string, FormerFolder>> {
  const former = new Map<string, FormerFolder>()
  for (const { target, originalType, originalSource } of disks) {
    const folder = dirname(originalSource)
    if (originalType !== 'file') continue
    const because = await request.folders.whyNot(folder)
    const use = because === undefined ? 'back' : await useOf(folder, originalSource, request)
    if (use !== undefined) former.set(target, { folder, use, because: because ?? '' })
  }
  return former
}

/** Where the last VM of a folder is gone, nothing but the point says that images are kept there. */
async function useOf(
  folder: string,
  image: string,
  { takenHere, usual = IMAGES }: FormerFolderRequest
): Promise<FormerFolder['use'] | undefined> {
  const here = await stat(folder).catch(() => undefined)
  if (here?.isDirectory() !== true || !isPlainPath(folder)) return undefined
  const real = await realpath(folder)
  if (isOfTheSystem(real)) return 'left'
  if (takenHere.has(image)) return (await othersWhoWriteTo(real)) === undefined ? 'back' : 'ask'
  return here.dev === (await stat(await existingFolder(usual))).dev ? 'left' : 'ask'
}

/** The images of a point that a job of this host has taken, by its own journal: a point is called as its job. */
export function imagesTakenHere(point: string): ReadonlySet<string> {
  const { plan } = new BackupTrace(readJournal(journalPath(point)))
  return new Set([...(plan?.disks ?? []), ...(plan?.still ?? [])].map(({ source }) => source))
}
