import { readFileSync, type BigIntStats } from 'node:fs'
import { readFile, readlink } from 'node:fs/promises'
import { isServed, parseMounts, type Mount } from '../room/file-systems.ts'

/** What the kernel says of an open file by itself, whatever has become of the file system that it lies on. */
export function fdInfo(pid: string, fd: string): string {
  try {
    return readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8')
  } catch {
    return ''
  }
}

type Looked = Pick<BigIntStats, 'dev' | 'ino' | 'isBlockDevice'>

/**
 * Whether an open file may be the one that was looked at. Told by its mount and its number, since who asks the open file itself
 * asks its server, and hangs for as long as that is away. Where they leave it open, it may.
 */
export function mayBe(file: Looked, info: string, mounts: readonly Mount[]): boolean {
  const at = MOUNT.exec(info)?.[1]
  const mount = mounts.find(({ id }) => id === at)
  // Of a device the number tells nothing: it may have more than one node.
  if (file.isBlockDevice()) return mount === undefined || !isServed(mount)
  if (mount !== undefined && (!isServed(mount) || mount.device === deviceOf(file))) return true
  const number = INODE.exec(info)?.[1]
  return number === undefined || number === String(file.ino)
}

const MOUNT = /^mnt_id:\s+(\d+)$/m
const INODE = /^ino:\s+(\d+)$/m

/** As mountinfo writes it. */
function deviceOf({ dev }: Looked): string {
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn)
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn & 0xffffffffn)
  return `${major}:${minor}`
}

/** Mounts as a process sees them; most processes share what they see. */
export class MountsSeen {
  private readonly known = new Map<string, readonly Mount[]>()

  async by(pid: string): Promise<readonly Mount[]> {
    const namespace = await readlink(`/proc/${pid}/ns/mnt`).catch(() => `of process ${pid}`)
    const mounts =
      this.known.get(namespace) ?? parseMounts(await readFile(`/proc/${pid}/mountinfo`, 'utf8').catch(() => ''))
    this.known.set(namespace, mounts)
    return mounts
  }
}
