import { constants, existsSync } from 'node:fs'
import { open, realpath, type FileHandle } from 'node:fs/promises'
import { dirname, normalize } from 'node:path'
import type { Shell } from '../../shared/shell.ts'
import { poolFolders } from '../../libvirt/storage-pools.ts'
import { idsOf } from '../../store/layout.ts'
import { SIDECAR_MARK } from '../capture/capture-plan.ts'
import { othersWhoWriteTo } from './who-writes.ts'
import { KEPT_MARK } from './displaced-vm.ts'
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

  /**
   * libvirt's default folder and those of its pools, with what is below them; and those in which a VM here has an image. None
   * where others than root and libvirt could put something else in the place of a file.
   */
  async isOne(folder: string): Promise<boolean> {
    if (!isPlainPath(folder) || !existsSync(folder)) return false
    const real = await realpath(folder)
    return (await this.holdsImages(real)) && (await othersWhoWriteTo(real)) === undefined
  }

  /** Why the folder is none of those in which files may be put unasked. Undefined: it is one. */
  async whyNot(folder: string): Promise<string | undefined> {
    if (await this.isOne(folder)) return undefined
    const real = isPlainPath(folder) ? await realpath(folder).catch(() => undefined) : undefined
    const others = real !== undefined && (await this.holdsImages(real)) ? await othersWhoWriteTo(real) : undefined
    return others ?? `no images are kept in ${folder} on this host`
  }

  private async holdsImages(real: string): Promise<boolean> {
    if (isOfTheSystem(real) || isInPoint(real)) return false
    if ((await this.trees).some((tree) => real === tree || real.startsWith(`${tree}/`))) return true
    return (await this.foldersOfVms()).has(real)
  }

  /**
   * Whether a VM may be given this file without a question, beside what its own definition here has already: a medium that VMs
   * have in their drives, or what nobody has and is nobody's disk either, but no disc that sets up one VM. An image of a VM
   * that is not defined by now is nobody's, but for the VM that this host knows it to be of, unchanged (`isNoted`).
   */
  async offers(path: string, access: 'read' | 'write', isNoted = false): Promise<boolean> {
    if (!isPlainPath(path) || !existsSync(path) || isKeptForAnother(path)) return false
    const real = await realpath(path)
    if (isKeptForAnother(real) || !(await this.isOne(dirname(real)))) return false
    const users = (await this.users()).get(real) ?? []
    if (users.length === 0) return isNoted || (access === 'read' && (await isDisc(real)))
    const isMedium = access === 'read' && users.every(({ as, isBase }) => as === 'medium' && isBase !== true)
    return isMedium && (await lookAtDisc(real)) !== 'seed'
  }

  private async foldersOfVms(): Promise<Set<string>> {
    return new Set([...(await this.users())].flatMap(([path, users]) => (users.some(isImage) ? [dirname(path)] : [])))
  }
}

/** What a job put beside a place, or put aside for whoever wants it back. */
const isKeptForAnother = (path: string): boolean => path.includes(SIDECAR_MARK) || path.includes(KEPT_MARK)

/** A store may lie below a pool. */
const isInPoint = (real: string): boolean => real !== '/' && (idsOf(real) !== undefined || isInPoint(dirname(real)))

/** Whether VMs may read it as a disc: it is one, and none that is made for a single VM. */
async function isDisc(real: string): Promise<boolean> {
  return (await lookAtDisc(real)) === 'disc'
}

async function lookAtDisc(real: string): Promise<'disc' | 'seed' | undefined> {
  const file = await open(real, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    return await discAt(file)
  } finally {
    await file.close()
  }
}

const DISC_MARK_AT = 32_769
const DISC_MARKS = ['CD001', 'BEA01', 'NSR02', 'NSR03']
const LABEL_AT = 40

/** What one VM is set up by: passwords and keys are in it. */
const SEEDS = /^(cidata|config-2|context|oemdrv|ovf.?env|ignition|combustion|(auto)?unattend\w*|seed\w*)$/i

/** As ISO 9660 and UDF say: no disk of a VM begins like that. `seed`: by its label it is one VM's own. Undefined: it is no disc. */
export async function discAt(file: FileHandle): Promise<'disc' | 'seed' | undefined> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(80), 0, 80, DISC_MARK_AT - 1)
  const text = buffer.toString('latin1', 0, bytesRead)
  if (!(await file.stat()).isFile() || !DISC_MARKS.includes(text.slice(1, 6))) return undefined
  return SEEDS.test(text.slice(LABEL_AT, LABEL_AT + 32).replace(/[\0 ]+$/, '')) ? 'seed' : 'disc'
}

/** On the word of a header, which a guest may have written, no folder is one of images. */
export const isImage = ({ as, byHeader }: ImageUser): boolean => as === undefined && byHeader !== true

const resolved = (folders: readonly string[]): Promise<string[]> =>
  Promise.all(folders.map((folder) => realpath(folder).catch(() => folder)))

/** Absolute, and without detours. */
export const isPlainPath = (path: string): boolean =>
  path.startsWith('/') && normalize(path) === path && !path.endsWith('/') && !path.includes('\0')

const SYSTEM = /^\/(bin|boot|dev|etc|lib\w*|proc|run|sbin|sys|usr)(\/|$)|^\/(root|home|var|var\/lib)?$/
const OF_SERVICES =
  /^\/var\/(spool|log|cache)(\/|$)|^\/var\/lib\/(stillpoint|systemd|dpkg|rpm|dbus|polkit-1|private|sudo|NetworkManager)(\/|$)|^\/var\/lib\/libvirt\/(qemu|swtpm|network|dnsmasq|secrets|sanlock)(\/|$)/

/** Folders that others than VMs live by, and hidden ones: an image that somebody keeps there makes them no image folders. */
export const isOfTheSystem = (real: string): boolean =>
  SYSTEM.test(real) || OF_SERVICES.test(real) || real.split('/').some((part) => part.startsWith('.'))
