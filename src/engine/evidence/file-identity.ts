import { lstat } from 'node:fs/promises'
import * as z from 'zod'

/**
 * Which file it is, whatever it is called by now. Device numbers may be other ones after a boot; then the time at which the
 * file was made tells it from another file that has its number on another file system.
 */
export const FileIdentity = z.object({
  dev: z.string(),
  ino: z.string(),
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
export const isSameFile = (a: FileIdentity | undefined, b: FileIdentity | undefined): boolean =>
  a !== undefined && b !== undefined && a.ino === b.ino && (a.dev === b.dev || a.bornNs === b.bornNs)

/** Whether the file at this path is the one that was seen before. */
export const isStill = async (path: string, seen: FileIdentity | undefined): Promise<boolean> =>
  isSameFile(await identityOf(path), seen)
