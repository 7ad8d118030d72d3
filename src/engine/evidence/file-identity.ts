import { lstat } from 'node:fs/promises'
import * as z from 'zod'

/**
 * Which file it is, whatever it is called by now. A file system gives the number of a file that is gone to the next one at
 * once, and device numbers may be other ones after a boot: what tells files apart is when they were made, where the file
 * system says so.
 */
export const FileIdentity = z.object({
  dev: z.string(),
  ino: z.string(),
  /** When it was made; `0` where the file system does not say. */
  bornNs: z.string(),
  /** Its last write at that time. */
  modifiedNs: z.string()
})
export type FileIdentity = z.infer<typeof FileIdentity>

/** The file, folder or link at this path itself. Undefined: there is none. */
export async function identityOf(path: string): Promise<FileIdentity | undefined> {
  const file = await lstat(path, { bigint: true }).catch(() => undefined)
  return (
    file && {
      dev: String(file.dev),
      ino: String(file.ino),
      bornNs: String(file.birthtimeNs),
      modifiedNs: String(file.mtimeNs)
    }
  )
}

/** Whether it is the very same file, not one that took its path. */
export function isSameFile(a: FileIdentity | undefined, b: FileIdentity | undefined): boolean {
  if (a === undefined || b === undefined || a.ino !== b.ino) return false
  return a.bornNs === b.bornNs || (a.dev === b.dev && (a.bornNs === UNTOLD || b.bornNs === UNTOLD))
}

const UNTOLD = '0'

/** Whether the file at this path is the one that was seen before. */
export const isStill = async (path: string, seen: FileIdentity | undefined): Promise<boolean> =>
  isSameFile(await identityOf(path), seen)
