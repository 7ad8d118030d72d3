import { constants } from 'node:fs'
import { lstat, open, rm, statfs, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fail, systemCodeOf } from '../shared/failure.ts'

/** Left out by Windows, where it does not matter: stores there have no symlinks that others can make. */
const NOFOLLOW = (constants.O_NOFOLLOW as number | undefined) ?? 0
const NONBLOCK = (constants.O_NONBLOCK as number | undefined) ?? 0

/**
 * Opens a regular file to read, or fails with the reason that `refuse` makes an error of. Looks before it opens, as opening
 * some devices does something, and after it, as what is there may have changed. Never waits for a FIFO's other end.
 */
export async function openRegular(path: string, refuse: (detail: string) => never): Promise<FileHandle> {
  if (!(await lstat(path)).isFile()) return refuse('it is not a regular file')
  const file = await open(path, constants.O_RDONLY | NOFOLLOW | NONBLOCK)
  try {
    if (!(await file.stat()).isFile()) return refuse('it is not a regular file')
    return file
  } catch (error) {
    await file.close()
    throw error
  }
}

/** Makes a file that only root reads and that must not exist yet. `wx` also refuses to write through a symlink. */
export const createFile = (path: string): Promise<FileHandle> => open(path, 'wx', 0o600)

/** The same, to be read as well. */
export const makeReadable = (path: string): Promise<FileHandle> => open(path, 'wx+', 0o600)

/** Opens a file that is there to read and write it; never through a symlink, nor waiting for a FIFO's other end. */
export async function openToChange(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDWR | NOFOLLOW | NONBLOCK)
  if ((await file.stat()).isFile()) return file
  await file.close()
  return fail({ kind: 'bad-output', what: path, detail: 'it is not a regular file' })
}

/** Fills all of `bytes`, or fails: a file that ends early is not what it was when it was looked at. */
export async function readExactly(file: FileHandle, bytes: Uint8Array, offset: number, path: string): Promise<void> {
  let done = 0
  while (done < bytes.byteLength) {
    const { bytesRead } = await file.read(bytes, done, bytes.byteLength - done, offset + done)
    if (bytesRead === 0) fail({ kind: 'bad-output', what: path, detail: `it ends early, at ${offset + done} bytes` })
    done += bytesRead
  }
}

export async function writeExactly(file: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  let done = 0
  while (done < bytes.byteLength)
    done += (await file.write(bytes, done, bytes.byteLength - done, offset + done)).bytesWritten
}

/** What is looked at for zeros, and left out if it is: a cluster of the images that we write. */
const HOLE_BYTES = 65_536
const ZEROS = Buffer.alloc(HOLE_BYTES)

/** From and to of what is not zero, in steps of 64 KiB. Looking costs nothing where data begins with data. */
export function dataRuns(bytes: Uint8Array): [from: number, to: number][] {
  const runs: [number, number][] = []
  for (let from = 0; from < bytes.byteLength; from += HOLE_BYTES) {
    const to = Math.min(from + HOLE_BYTES, bytes.byteLength)
    if (isZero(bytes.subarray(from, to))) continue
    const last = runs.at(-1)
    if (last?.[1] === from) last[1] = to
    else runs.push([from, to])
  }
  return runs
}

const isZero = (bytes: Uint8Array): boolean => ZEROS.subarray(0, bytes.byteLength).equals(bytes)

/** Writes what is not zero. The file's end has to be set by the caller. */
export async function writeSparse(file: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  for (const [from, to] of dataRuns(bytes)) await writeExactly(file, bytes.subarray(from, to), offset + from)
}

/** Left out where there is no such thing. */
const DIRECT = (constants.O_DIRECT as number | undefined) ?? 0
/** A sector of any disk in use; offsets, lengths and buffers have to be multiples of it. */
const DIRECT_BYTES = 4096

/** A way into a file that is there already. What is given to `write` must not change until that has ended. */
export interface Writer {
  /** Leaves out what is zero. The file's end has to be set by the caller. */
  readonly write: (bytes: Uint8Array, offset: number) => Promise<void>
  readonly close: () => Promise<void>
}

/**
 * Writes to `path` past the page cache, where its file system lets us: a backup as large as the host's memory must not
 * drive out what its VMs have cached, and little is left for the sync at the end. Elsewhere, and for what does not lie at
 * whole sectors, through `file`, which is open on the same path.
 */
export async function openWriter(path: string, file: FileHandle): Promise<Writer> {
  let direct = await openDirect(path)
  const write = async (bytes: Uint8Array, offset: number): Promise<void> => {
    const isWhole = [bytes.byteOffset, bytes.byteLength, offset].every((figure) => figure % DIRECT_BYTES === 0)
    if (direct === undefined || !isWhole) return writeSparse(file, bytes, offset)
    return writeSparse(direct, bytes, offset).catch((error: unknown) => {
      if (!isCode(error, 'EINVAL')) throw error
      const refused = direct
      direct = undefined
      void refused?.close().catch(() => undefined)
      return writeSparse(file, bytes, offset)
    })
  }
  return { write, close: async () => direct?.close() }
}

/** Undefined: this file system caches what it is given, tmpfs for one. */
async function openDirect(path: string): Promise<FileHandle | undefined> {
  if (DIRECT === 0) return undefined
  return open(path, constants.O_WRONLY | DIRECT | NOFOLLOW).catch((error: unknown) => {
    if (isCode(error, 'EINVAL')) return undefined
    throw error
  })
}

/** Makes `target` by `write`; a target that was not finished is taken away again. */
export async function makeFile<T>(target: string, write: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await createFile(target)
  try {
    const result = await write(file)
    await file.datasync()
    await file.close()
    return result
  } catch (error) {
    await file.close().catch(() => undefined)
    await rm(target, { force: true })
    throw error
  }
}

/** A full file system as `no-room`, which names the place and how much is missing. Other errors as they are. */
export async function failForRoom(error: unknown, path: string, forWhat: string, neededBytes: number): Promise<never> {
  if (!isCode(error, 'ENOSPC', 'EDQUOT')) throw error
  return fail({ kind: 'no-room', path, forWhat, neededBytes, freeBytes: await freeBytesAt(dirname(path)) }, error)
}

export async function freeBytesAt(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path)
  return bavail * bsize
}

export const isCode = (error: unknown, ...codes: string[]): boolean => codes.includes(systemCodeOf(error) ?? '')
