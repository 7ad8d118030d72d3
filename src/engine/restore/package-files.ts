import { constants, existsSync } from 'node:fs'
import { open, realpath, stat, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { FROM_PACKAGES } from '../../libvirt/package-paths.ts'
import { discAt, isPlainPath } from './image-folders.ts'
import { isOfLibvirt, othersWhoWriteTo } from './who-writes.ts'

const READABLE_BY_ALL = 0o004

/** What everybody on a host may read, since it came with its programs; also by where its symbolic links lead. */
export async function isFromPackage(path: string, folders = FROM_PACKAGES): Promise<boolean> {
  if (!isPlainPath(path) || !folders.test(path)) return false
  const real = await realpath(path).catch(() => undefined)
  // What is not here is read by nobody.
  if (real === undefined) return !existsSync(path)
  return folders.test(real) && ((await stat(real)).mode & READABLE_BY_ALL) !== 0
}

/** Programs and what services load as code lie elsewhere, as far as a distribution has its way. */
const SHARED = /^\/usr\/share\//

/**
 * A kernel, or an archive that one starts with, by its own first bytes. libvirt makes such a file QEMU's own while the VM runs, and a
 * medium for good: what is nothing but that harms nobody as QEMU's.
 */
export async function isPackagedBootFile(path: string, what: string, folder = SHARED): Promise<boolean> {
  const looks = what === 'kernel' ? isKernel : what === 'initrd' ? isArchive : undefined
  return looks !== undefined && (await isPlainData(path, folder, async (file) => looks(await beginningOf(file))))
}

/** A disc that came with a package, as one with drivers for guests. */
export const isPackagedDisc = (path: string, folder = SHARED): Promise<boolean> =>
  isPlainData(path, folder, async (file) => (await discAt(file)) === 'disc')

/** Set-id and sticky bits, those of programs, and that others write to it. */
const MORE_THAN_DATA = 0o7133

/** A file of root's or QEMU's that is no program and that everybody reads; nobody else can put another one in its place. */
async function isPlainData(
  path: string,
  folder: RegExp,
  looks: (file: FileHandle) => Promise<boolean>
): Promise<boolean> {
  if (!isPlainPath(path) || !folder.test(path)) return false
  const real = await realpath(path).catch(() => undefined)
  if (real === undefined || !folder.test(real) || (await othersWhoWriteTo(dirname(real))) !== undefined) return false
  const file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const stats = await file.stat()
    const isData = stats.isFile() && stats.nlink === 1 && (stats.mode & MORE_THAN_DATA) === 0
    return isData && (stats.mode & READABLE_BY_ALL) !== 0 && (await isOfLibvirt(stats.uid)) && (await looks(file))
  } finally {
    await file.close()
  }
}

async function beginningOf(file: FileHandle): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(4096), 0, 4096, 0)
  return buffer.subarray(0, bytesRead)
}

const hasAt = (bytes: Buffer, at: number, mark: string): boolean =>
  bytes.toString('latin1', at, at + mark.length) === mark

/** As PCs and ARM start it, or unpacked: an executable that is linked to nothing. */
const isKernel = (bytes: Buffer): boolean =>
  hasAt(bytes, 0x202, 'HdrS') || hasAt(bytes, 56, 'ARM\x64') || (hasAt(bytes, 0, '\x7fELF') && executableIn(bytes))

const executableIn = (bytes: Buffer): boolean =>
  bytes.length > 18 && (bytes[5] === 1 ? bytes.readUInt16LE(16) : bytes.readUInt16BE(16)) === 2

/** zlib's own number for: the rest may be missing. */
const Z_SYNC_FLUSH = 2

function isArchive(bytes: Buffer): boolean {
  if (!hasAt(bytes, 0, '\x1f\x8b')) return /^07070[12]/.test(bytes.toString('latin1', 0, 6))
  try {
    // Of what begins like that, the beginning is enough.
    return isArchive(gunzipSync(bytes, { finishFlush: Z_SYNC_FLUSH, maxOutputLength: 2 ** 24 }))
  } catch {
    return false
  }
}
