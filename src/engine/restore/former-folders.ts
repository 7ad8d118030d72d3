import { realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Manifest } from '../../shared/model/point.ts'
import type { Uuid } from '../../shared/model/ids.ts'
import type { ImageUser, ImageUsers } from '../evidence/image-users.ts'
import { isThere } from '../evidence/presence.ts'
import { journalPath } from '../jobs/job-directory.ts'
import { readJournal } from '../journal/journal.ts'
import { BackupTrace } from '../recover/trace.ts'
import { existingFolder, mountAt, readMounts } from '../room/file-systems.ts'
import { IMAGES, isImage, isOfTheSystem, isPlainPath, type ImageFolders } from './image-folders.ts'
import { othersWhoWriteTo } from './who-writes.ts'

/**
 * The folder that the image of a disk lay in, and is there: the disk goes `back` to it, the operator is to `ask` for it, or
 * it is `left`.
 */
export interface FormerFolder {
  readonly folder: string
  readonly use: 'back' | 'ask' | 'left'
  /** Why no disk goes there unasked. Empty: it may. */
  readonly because: string
}

export interface FormerFolderRequest {
  readonly folders: Pick<ImageFolders, 'whyNot'>
  /** Who needs which file here. */
  readonly users: ImageUsers
  /**
   * Images that this very host noted when it took the point itself, and where the file system of each was mounted, if it noted
   * that: a point may say anything of where it comes from.
   */
  readonly takenHere: ReadonlyMap<string, string | undefined>
  /** Where disks go that have no folder of their own. */
  readonly usual?: string
}

/** By target. Only an image file has a folder to go back to: block devices are never written over. */
export async function formerFolders(
  { vm, disks }: Manifest,
  request: FormerFolderRequest
): Promise<ReadonlyMap<string, FormerFolder>> {
  const former = new Map<string, FormerFolder>()
  for (const { target, originalType, originalSource } of disks) {
    const folder = dirname(originalSource)
    if (originalType !== 'file') continue
    const because = await request.folders.whyNot(folder)
    const use = because === undefined ? 'back' : await useOf(folder, originalSource, vm.uuid, request)
    const away = use === 'back' ? await whyAway(originalSource, request) : undefined
    if (away !== undefined) former.set(target, { folder, use: 'ask', because: away })
    else if (use !== undefined) former.set(target, { folder, use, because: because ?? '' })
  }
  return former
}

/** Where the last VM of a folder is gone, nothing but the point says that images are kept there. */
async function useOf(
  folder: string,
  image: string,
  vm: Uuid,
  { users, takenHere, usual = IMAGES }: FormerFolderRequest
): Promise<FormerFolder['use'] | undefined> {
  const here = await stat(folder).catch(() => undefined)
  if (here?.isDirectory() !== true || !isPlainPath(folder)) return undefined
  const real = await realpath(folder)
  if (isOfTheSystem(real)) return 'left'
  // Others may write there; so they may to the images that the VM has there now, and a disk that leaves goes to the usual one.
  if (hasImageIn(real, users, vm) || real === (await realpath(usual).catch(() => usual))) return 'back'
  if (takenHere.has(image)) return (await othersWhoWriteTo(real)) === undefined ? 'back' : 'ask'
  return here.dev === (await stat(await existingFolder(usual))).dev ? 'left' : 'ask'
}

const hasImageIn = (real: string, users: ImageUsers, vm: Uuid): boolean =>
  imagesIn(real, users).some(([, its]) => its.some(({ uuid }) => uuid === vm))

/** Those that definitions name, whether they are there or not. */
const imagesIn = (real: string, users: ImageUsers): [string, readonly ImageUser[]][] =>
  [...users].filter(([path, its]) => dirname(path) === real && its.some(isImage))

/**
 * Why what should be mounted at the folder of an image may not be: what is written then goes to the host's root, and is hidden
 * once it is. Undefined: it is as it was.
 */
async function whyAway(image: string, { takenHere, users }: FormerFolderRequest): Promise<string | undefined> {
  const folder = dirname(image)
  const noted = takenHere.get(image)
  const canBeSeen = (path: string): Promise<boolean> => isThere(path).catch(() => false)
  // An automounter mounts it for whoever looks below it. What is there may lie below a mount that is away.
  const isHere = await canBeSeen(image)
  if (noted !== undefined) {
    const isMounted = (await readMounts()).some(({ mountPoint }) => mountPoint === noted)
    return isMounted ? undefined : `it lay on a file system at ${noted}, and nothing is mounted there now`
  }
  if (isHere) return undefined
  const real = await realpath(folder)
  const images = imagesIn(real, users)
  for (const [path] of images) if (await canBeSeen(path)) return undefined
  if (images.length === 0 || (await mountAt(real))?.mountPoint === real) return undefined
  return `none of the images that VMs have in it is there, so its file system may not be mounted`
}

/** The images of a point that a job of this host has taken, by its own journal: a point is called as its job. */
export function imagesTakenHere(point: string): ReadonlyMap<string, string | undefined> {
  const { plan } = new BackupTrace(readJournal(journalPath(point)))
  return new Map([
    ...(plan?.still ?? []).map(({ source }) => [source, undefined] as const),
    ...(plan?.disks ?? []).map(
      ({ source, sidecar, mountPoint }) => [source, besideOf(source, sidecar, mountPoint)] as const
    )
  ])
}

/** It is noted of the overlay, which lies beside its image. */
const besideOf = (source: string, sidecar: string, mountPoint?: string): string | undefined =>
  dirname(source) === dirname(sidecar) ? mountPoint : undefined
