import { existsSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { dirname, normalize } from 'node:path'
import type { Shell } from '../../shared/shell.ts'
import { poolFolders } from '../../libvirt/storage-pools.ts'
import type { ImageUser, ImageUsers } from '../evidence/image-users.ts'

/** Where libvirt keeps images unless it is told otherwise. */
export const IMAGES = '/var/lib/libvirt/images'

/** Folders of this host that hold images of VMs: only there may a point put its disks, or find others, unasked. */
export class ImageFolders {
  private readonly trees: Promise<readonly string[]>
  private readonly users: () => Promise<ImageUsers>

  constructor(shell: Shell, users: () => Promise<ImageUsers>) {
    this.users = users
    this.trees = poolFolders(shell).then((folders) => resolved([IMAGES, ...folders]))
    // Asked for later, or never.
    this.trees.catch(() => undefined)
  }

  /** libvirt's default folder and those of its pools, with what is below them; and those in which a VM here has an image. */
  async isOne(folder: string): Promise<boolean> {
    if (!isPlainPath(folder) || !existsSync(folder)) return false
    const real = await realpath(folder)
    if (isOfTheSystem(real)) return false
    if ((await this.trees).some((tree) => real === tree || real.startsWith(`${tree}/`))) return true
    return (await this.foldersOfVms()).has(real)
  }

  /** Whether a VM may be given this file without a question: it is VM storage, and nobody else's. */
  async offers(path: string, vm: string, access: 'read' | 'write'): Promise<boolean> {
    if (!isPlainPath(path) || !existsSync(path)) return false
    const real = await realpath(path)
    if (!(await this.isOne(dirname(real)))) return false
    const others = ((await this.users()).get(real) ?? []).filter(({ uuid }) => uuid !== vm)
    return access === 'write'
      ? others.length === 0
      : others.every(({ as, isBase }) => as === 'medium' && isBase !== true)
  }

  private async foldersOfVms(): Promise<Set<string>> {
    return new Set([...(await this.users())].flatMap(([path, users]) => (users.some(isImage) ? [dirname(path)] : [])))
  }
}

/** On the word of a header, which a guest may have written, no folder is one of images. */
const isImage = ({ as, byHeader }: ImageUser): boolean => as === undefined && byHeader !== true

const resolved = (folders: readonly string[]): Promise<string[]> =>
  Promise.all(folders.map((folder) => realpath(folder).catch(() => folder)))

/** Absolute, and without detours. */
export const isPlainPath = (path: string): boolean =>
  path.startsWith('/') && normalize(path) === path && !path.endsWith('/') && !path.includes('\0')

const SYSTEM = /^\/(bin|boot|dev|etc|lib\w*|proc|run|sbin|sys|usr)(\/|$)|^\/(root|home|var|var\/lib)?$/
const OF_SERVICES =
  /^\/var\/(spool|log|cache)(\/|$)|^\/var\/lib\/(stillpoint|systemd|dpkg|rpm|dbus|polkit-1|private|sudo|NetworkManager)(\/|$)|^\/var\/lib\/libvirt\/(qemu|swtpm|network|dnsmasq|secrets|sanlock)(\/|$)/

/** Folders that others than VMs live by, and hidden ones: an image that somebody keeps there makes them no image folders. */
const isOfTheSystem = (real: string): boolean =>
  SYSTEM.test(real) || OF_SERVICES.test(real) || real.split('/').some((part) => part.startsWith('.'))
