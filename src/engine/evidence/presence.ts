import { readdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fail } from '../../shared/failure.ts'
import { quoted } from '../../shared/quoted.ts'
import { lstatOrNone } from '../../store/point-files.ts'
import { isShared, mountAt, readMounts } from '../room/file-systems.ts'

/** @throws what the file system says of a file that it cannot look at: that is no word of its being gone */
export const isThere = async (path: string): Promise<boolean> => (await lstatOrNone(path)) !== undefined

/** Where the file system is mounted that a file lies on. */
export const mountBelow = async (path: string): Promise<string | undefined> =>
  (await mountAt(dirname(path)))?.mountPoint

/**
 * Whether a file of this VM is gone for good. It is where the file system that it lay on is there without it. Where that was
 * not noted, or another host says what is in it, one whose folder is empty or missing may be back when that is mounted; and so
 * may one whose mount is away: there may be files beneath it.
 *
 * @throws `left-behind` then, with what to type where it was deleted with everything else
 */
export async function isGone(path: string, vm: string, mountPoint?: string): Promise<boolean> {
  if (await isThere(path)) return false
  const folder = dirname(path)
  const allDeleted = `mkdir -p ${quoted(folder)} && touch ${quoted(`${folder}/all-deleted`)}`
  const meant = '# if you have deleted all that was in it'
  if (mountPoint !== undefined && !(await isMounted(mountPoint)))
    return mayBeBack(vm, path, `nothing is mounted at ${mountPoint}`, [
      `mount ${quoted(mountPoint)}`,
      `${allDeleted} && mount --bind ${quoted(mountPoint)} ${quoted(mountPoint)}   ${meant}`
    ])
  const mount = await mountAt(folder)
  if (mount !== undefined && mount.mountPoint === mountPoint && !isShared(mount)) return true
  if ((await isThere(folder)) && (await readdir(folder)).length > 0) return true
  return mayBeBack(vm, path, `nothing is in ${folder}: it may not be mounted`, [
    `mount ${quoted(folder)}   # if it is a mount of its own`,
    `${allDeleted}   ${meant}`
  ])
}

const isMounted = async (mountPoint: string): Promise<boolean> =>
  (await readMounts()).some((mount) => mount.mountPoint === mountPoint)

const mayBeBack = (vm: string, path: string, because: string, mend: string[]): never =>
  fail({ kind: 'left-behind', vm, left: [{ path, because, mend }] })
