import { access, readFile, realpath } from 'node:fs/promises'
import { dirname } from 'node:path'

export interface Mount {
  /** By which `/proc/PID/fdinfo` names it. */
  readonly id: string
  readonly mountPoint: string
  /** `8:1`: of the whole file system, however many folders of it are mounted. */
  readonly device: string
  readonly fsType: string
  readonly source: string
  readonly options: readonly string[]
}

/** `/proc/PID/mountinfo`, in the order in which things were mounted. */
export function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [before = '', behind] = line.split(' - ')
    const [id = '', , device, , mountPoint, options] = before.split(' ')
    const [fsType, source, superOptions] = behind?.split(' ') ?? []
    if (device === undefined || mountPoint === undefined || fsType === undefined || source === undefined) return []
    return [
      {
        id,
        mountPoint: unescaped(mountPoint),
        device,
        fsType,
        source: unescaped(source),
        options: [...(options ?? '').split(','), ...(superOptions ?? '').split(',')]
      }
    ]
  })
}

/** Blanks, tabs, line ends and backslashes in paths stand there as octal numbers. */
const unescaped = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))

export const readMounts = async (): Promise<Mount[]> => parseMounts(await readFile('/proc/self/mountinfo', 'utf8'))

/** The mount on which this path lies: the deepest, and of several at one place the last. The path is resolved. */
export function mountOf(path: string, mounts: readonly Mount[]): Mount | undefined {
  const holds = ({ mountPoint }: Mount): boolean =>
    mountPoint === '/' || path === mountPoint || path.startsWith(`${mountPoint}/`)
  const depth = (mount: Mount | undefined): number => mount?.mountPoint.length ?? 0
  return mounts.filter(holds).reduce<Mount | undefined>((deepest, mount) => {
    return depth(mount) >= depth(deepest) ? mount : deepest
  }, undefined)
}

/**
 * Where the path lies, or would lie: its nearest folder that is there. One on a server that stands still is waited for, by
 * whoever asks and by nobody else.
 */
export async function existingFolder(path: string): Promise<string> {
  const isThere = await access(path).then(...TOLD)
  return isThere ? path : existingFolder(dirname(path))
}

const TOLD = [() => true, () => false] as const

export async function mountAt(path: string): Promise<Mount | undefined> {
  return mountOf(await realpath(await existingFolder(path)), await readMounts())
}

/** Tells which folders share their free bytes: subvolumes of btrfs and datasets of a ZFS pool do. */
export function spaceOf({ fsType, source, device }: Mount): string {
  if (fsType === 'btrfs') return `btrfs ${source}`
  return fsType === 'zfs' ? `zfs ${source.split('/')[0] ?? ''}` : device
}

/**
 * Whether a flock that one machine takes on a file is seen by all that have the file: by what is known of kinds of file
 * systems, as nobody can try it alone. On those of this host it holds for everything that shares the host's kernel.
 */
export function locksHold({ fsType, options }: Mount): boolean {
  const has = (...names: string[]): boolean => names.some((name) => options.includes(name))
  if (fsType === 'nfs' || fsType === 'nfs4') return !has('nolock', 'local_lock=all', 'local_lock=flock')
  if (fsType === 'gfs2') return !has('localflocks')
  if (CLUSTER.includes(fsType)) return true
  return !isRemote(fsType)
}

/** Other hosts may have it mounted too: so may one of a kind that nobody has heard of. */
export const isShared = ({ fsType }: Mount): boolean => !OF_ONE_HOST.includes(fsType)

/** A server is known to stand behind it: whoever asks one of its files waits for that. */
export const isServed = ({ fsType }: Mount): boolean =>
  ['nfs', 'nfs4', 'gfs2', ...CLUSTER].includes(fsType) || isRemote(fsType)

/** An overlay keeps what is written to it in a folder that no other host may use at the same time, says the kernel. */
const OF_ONE_HOST = [
  ...['ext2', 'ext3', 'ext4', 'xfs', 'btrfs', 'zfs', 'f2fs', 'bcachefs', 'jfs', 'nilfs2', 'reiserfs'],
  ...['tmpfs', 'ramfs', 'devtmpfs', 'overlay', 'ntfs', 'ntfs3', 'fuse.ntfs-3g', 'fuseblk', 'vfat', 'msdos', 'exfat']
]

const CLUSTER = ['ceph', 'ocfs2', 'lustre', 'gpfs', 'fuse.glusterfs', 'fuse.ceph', 'fuse.ceph-fuse']
const REMOTE = ['cifs', 'smb3', 'smbfs', '9p', 'virtiofs', 'afs', 'coda']
const LOCAL_FUSE = ['fuseblk', 'fuse.ntfs-3g', 'fuse.mergerfs', 'fuse.bindfs', 'fuse.fuse-overlayfs']

const isRemote = (fsType: string): boolean =>
  REMOTE.includes(fsType) || (fsType.startsWith('fuse') && !LOCAL_FUSE.includes(fsType))
