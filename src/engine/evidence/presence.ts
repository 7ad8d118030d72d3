import { readdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fail } from '../../shared/failure.ts'
import { lstatOrNone } from '../../store/point-files.ts'

/** @throws what the file system says of a file that it cannot look at: that is no word of its being gone */
export const isThere = async (path: string): Promise<boolean> => (await lstatOrNone(path)) !== undefined

/**
 * Whether a file of this VM is gone for good. One whose folder is empty or missing may be back when that is mounted.
 *
 * @throws `left-behind` then, with what to type where it was deleted with everything else
 */
export async function isGone(path: string, vm: string): Promise<boolean> {
  if (await isThere(path)) return false
  const folder = dirname(path)
  if ((await isThere(folder)) && (await readdir(folder)).length > 0) return true
  const mend = [
    `mount '${folder}'   # if it is a mount of its own`,
    `mkdir -p '${folder}' && touch '${folder}/all-deleted'   # if you have deleted all that was in it`
  ]
  return fail({
    kind: 'left-behind',
    vm,
    left: [{ path, because: `nothing is in ${folder}: it may not be mounted`, mend }]
  })
}
