import { chmod, mkdir, open, rename, rm, unlink, rmdir, readdir, lstat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createFile, isCode, writeExactly } from './file-io.ts'
import { isPointName, OWNER_NAME } from './layout.ts'

export async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

/** What a file system answers that has no way to make names last: CIFS, vboxsf, and some of FUSE. */
const CANNOT_SYNC = ['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EBADF']

/** Makes names in a directory last, where its file system can. Windows cannot, and does not need it. */
export async function syncDir(path: string): Promise<void> {
  if (process.platform === 'win32') return
  await syncFile(path).catch((error: unknown) => {
    if (!isCode(error, ...CANNOT_SYNC)) throw error
  })
}

/**
 * Nobody but root is to read a file. On file systems that have no modes of their own (FAT, exFAT, CIFS) it stays as the
 * mount says.
 */
export async function keepToRoot(path: string): Promise<void> {
  await chmod(path, 0o600).catch((error: unknown) => {
    if (!isCode(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL')) throw error
  })
}

/** Like `mkdir -p`, for root only, and each new name lasts. */
export async function makeDirs(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  for (let dir = path; dir.length >= first.length; dir = dirname(dir)) await syncDir(dirname(dir))
}

/**
 * Folders within one that is there: `disks`, `tpm/tpm2`. It is never made anew, which would be somewhere else where the disk
 * that it lies on was unmounted.
 */
export async function makeFoldersIn(dir: string, relative: string): Promise<void> {
  let path = dir
  for (const name of relative.split('/')) {
    path = join(path, name)
    await mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
      if (!isCode(error, 'EEXIST')) throw error
    })
  }
}

/** All of it or nothing, also after a power cut. Replaces what has that name. */
export async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const unfinished = `${path}.new`
  await rm(unfinished, { force: true })
  const file = await createFile(unfinished)
  try {
    await writeExactly(file, bytes, 0)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(unfinished, path)
  await syncDir(dirname(path))
}

/**
 * Deletes what a point can hold, and the directory if that leaves it empty; other names stay. Symlinks are deleted, never
 * followed. Whose it is goes last. Returns the bytes that were allocated.
 */
export async function removeTree(dir: string): Promise<number> {
  let freedBytes = 0
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    if (!isPointName(entry.name)) continue
    const path = join(dir, entry.name)
    freedBytes += entry.isDirectory() ? await removeTree(path) : await removeFile(path)
  }
  // Somebody may have put folders there: what cannot be removed would be in the way of that point for good.
  for (const name of [`${OWNER_NAME}.new`, OWNER_NAME]) await rm(join(dir, name), { force: true, recursive: true })
  await removeIfEmpty(dir)
  return freedBytes
}

export async function removeFile(path: string): Promise<number> {
  const { blocks, nlink } = await lstat(path)
  await unlink(path)
  return nlink > 1 ? 0 : blocks * 512
}

export async function removeIfEmpty(dir: string): Promise<void> {
  await rmdir(dir).catch((error: unknown) => {
    if (!isCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT', 'EBUSY')) throw error
  })
}
