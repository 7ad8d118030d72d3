import { readdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fail } from '../../shared/failure.ts'
import { lstatOrNone } from '../../store/point-files.ts'

/** @throws what the file system says of a file that it cannot look at: that is no word of its being gone */
export const isThere = async (path: string): Promise<boolean> => (await lstatOrNone(path)) !== undefined

/**
 * Whether a file is gone for good. One whose folder is empty or missing may be back when that is mounted.
 *
 * @throws `io` then
 */
export async function isGone(path: string): Promise<boolean> {
  if (await isThere(path)) return false
  const folder = dirname(path)
  if ((await isThere(folder)) && (await readdir(folder)).length > 0) return true
  return fail({ kind: 'io', path, code: 'ENOENT', detail: `nothing is in ${folder}: it may not be mounted` })
}
