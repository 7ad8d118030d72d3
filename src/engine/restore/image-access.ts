import { constants } from 'node:fs'
import { lstat, open } from 'node:fs/promises'
import { fail, isFailure } from '../../shared/failure.ts'
import type { FileAccess, Manifest, PointDisk } from '../../shared/model/point.ts'
import type { Shell } from '../../shared/shell.ts'
import { ownershipIsDynamic, qemuOwner } from '../../libvirt/host.ts'
import { disksWithKeptOwner } from '../../libvirt/kept-owners.ts'
import type { DisplacedVm } from './restore-plan.ts'

/** Whom files of a VM belong to on this host, so that it runs from them and nobody else reads them. */
export interface AccessRules {
  readonly accessOf: (disk: PointDisk) => FileAccess | undefined
  readonly firmware: FileAccess | undefined
}

const NOBODY_ELSE = 0o600

/**
 * On the point's own host images get back what they had. Elsewhere they are root's alone: libvirt gives them to QEMU while
 * the VM runs; where it is told not to, by its settings or by the VM's definition, they are QEMU's from the beginning.
 */
export async function accessRules(
  shell: Shell,
  { virtType, definition }: { readonly virtType: string; readonly definition: string },
  { stateBefore }: Manifest,
  isSameHost: boolean
): Promise<AccessRules> {
  const isDynamic = await ownershipIsDynamic()
  const kept = disksWithKeptOwner(definition)
  const qemu = isDynamic && kept.size === 0 ? undefined : await ownerIfTold(shell, virtType)
  const theirs = qemu && { ...qemu, mode: NOBODY_ELSE }
  const asLeft: AccessRules['accessOf'] = ({ originalAccess }) => (isSameHost && originalAccess) || theirs
  if (!isDynamic) return { accessOf: asLeft, firmware: theirs }
  // While a VM runs, its images belong to QEMU; whose they are at rest was seen of one that was off only.
  const owner = stateBefore === 'shut off' ? {} : { uid: 0, gid: 0 }
  return {
    accessOf(disk) {
      if (kept.has(disk.target)) return asLeft(disk)
      return isSameHost && disk.originalAccess ? { ...disk.originalAccess, ...owner } : undefined
    },
    firmware: undefined
  }
}

/** Undefined: libvirt does not say, and images are root's. */
const ownerIfTold = (shell: Shell, virtType: string): ReturnType<typeof qemuOwner> =>
  qemuOwner(shell, virtType).catch((error: unknown) => {
    if (isFailure(error, 'bad-output')) return undefined
    throw error
  })

/** What the image that made way for this disk has now, at rest. Undefined: there was none. */
export async function accessOfFormer(
  displaced: readonly DisplacedVm[],
  vm: string,
  target: string
): Promise<FileAccess | undefined> {
  const former = displaced.find(({ uuid }) => uuid === vm)?.renames.find((rename) => rename.target === target)
  const file = former && (await lstat(former.to).catch(() => undefined))
  // A link tells nothing of what it leads to by now.
  return file?.isFile() !== true ? undefined : { uid: file.uid, gid: file.gid, mode: file.mode & 0o777 }
}

/** Of the file itself, never of one that a link at its path leads to. @throws `io` where it is no file of its own */
export async function giveAccess(path: string, access: FileAccess | undefined): Promise<void> {
  const { uid, gid, mode } = access ?? { uid: 0, gid: 0, mode: NOBODY_ELSE }
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const stats = await file.stat()
    if (!stats.isFile() || stats.nlink !== 1)
      fail({ kind: 'io', path, code: 'EEXIST', detail: 'another file has taken the place of the one that was written' })
    await file.chown(uid, gid)
    // An image is never a program, whatever a point says of it.
    await file.chmod(mode & 0o666)
  } finally {
    await file.close()
  }
}
