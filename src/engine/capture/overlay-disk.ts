import { stat } from 'node:fs/promises'
import type { Uuid } from '../../shared/model/ids.ts'
import { quoted } from '../../shared/quoted.ts'
import type { Shell } from '../../shared/shell.ts'
import { setDiskSource } from '../../libvirt/domain-xml-edit.ts'
import { parseDomain } from '../../libvirt/domain-xml.ts'
import { domainState, domainXml } from '../../libvirt/domains.ts'
import { imageInfo } from '../../libvirt/qemu-img.ts'
import { isCode } from '../../store/file-io.ts'
import { unreadFrom } from '../evidence/image-users.ts'
import { mountBelow } from '../evidence/presence.ts'
import { keep, type Kept } from '../evidence/verdict.ts'
import { imageBelow, type CaptureDisk } from './capture-plan.ts'

/** An overlay of ours that a VM names, or has named, though no plan does. */
export interface StrayOverlay {
  readonly vm: Uuid
  readonly vmName: string
  readonly target: string
  readonly overlay: string
  /** libvirt's number for the image below it. */
  readonly node?: string | undefined
}

/** The disk that an overlay belongs to, by what the overlay itself says of the image below it. */
export async function diskOfOverlay(shell: Shell, stray: StrayOverlay): Promise<CaptureDisk | Kept> {
  const { vmName, target, overlay, node } = stray
  const { backingFile, backingFormat, virtualSizeBytes, encrypted } = await imageInfo(shell, overlay, {
    format: 'qcow2'
  })
  if (backingFile === undefined)
    return keep(
      overlay,
      `it has no image below it: it is ${target} of ${vmName} itself, under a name that it got on its way`
    )
  if (encrypted)
    return keep(
      overlay,
      `it is encrypted, and nothing is known any more of the job that made it: only ${vmName} can write it into its image`,
      `virsh blockcommit ${quoted(vmName)} ${target} --active --pivot   # while it runs on it`
    )
  const mountPoint = await mountBelow(overlay)
  return {
    target,
    source: backingFile,
    format: backingFormat ?? 'qcow2',
    type: await backingTypeOf(backingFile),
    ...(node !== undefined && { node }),
    virtualSizeBytes,
    allocatedBytes: 0,
    sidecar: overlay,
    ...(mountPoint !== undefined && { mountPoint })
  }
}

async function backingTypeOf(path: string): Promise<CaptureDisk['type']> {
  if (!path.startsWith('/')) return 'network'
  const found = await stat(path).catch((error: unknown) => {
    if (!isCode(error, 'ENOENT', 'ENOTDIR')) throw error
  })
  return found?.isBlockDevice() === true ? 'block' : 'file'
}

/** The VM's next definition, with this disk on the image below its overlay. Undefined: libvirt does not know the VM. */
export async function definitionBelow(shell: Shell, vm: Uuid, disk: CaptureDisk): Promise<string | undefined> {
  if ((await domainState(shell, vm)) === undefined) return undefined
  const now = await domainXml(shell, vm, { inactive: true, securityInfo: true })
  const { target, source, format, type } = disk
  // What a server holds cannot be told from the overlay: then the definition, which names it or not, stays as it is. So it
  // does for a disk that only the running VM has.
  const isDefined = parseDomain(now).disks.some((each) => each.target === target)
  return type === 'network' || !isDefined ? now : setDiskSource(now, target, { path: source, format, type })
}

/**
 * The image from this one down that cannot be read, of those that the VM would start with: it may have been put on top of the
 * overlay, on a file system that is not mounted yet. What the VM was to start with before the overlay began has not; nor has
 * what other VMs name, or one of them whose image has never been there would keep the overlays of all.
 */
export async function unreadOnTop(
  { definition }: { readonly definition: string },
  disk: CaptureDisk,
  image: string | undefined
): Promise<string | undefined> {
  const unread = image === undefined ? undefined : await unreadFrom(image, imageBelow(disk).path)
  if (unread === undefined) return undefined
  const former = parseDomain(definition).disks.find(({ target }) => target === disk.target)
  return former?.source === image ? undefined : unread
}
