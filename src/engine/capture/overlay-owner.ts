import { chown, chmod, open, stat } from 'node:fs/promises'
import { ownershipIsDynamic } from '../../libvirt/host.ts'
import { imageBelow, type CaptureDisk } from './capture-plan.ts'

/**
 * Where libvirt leaves owners as they are (`dynamic_ownership = 0`), QEMU could not open an overlay or a mirror that libvirt
 * makes, which would be root's. So an empty file lies there beforehand, with the owner and mode of the image below it, which QEMU may write
 * to; libvirt takes a file for its own as long as it is empty.
 */
export async function giveOverlays(disks: readonly CaptureDisk[], isDynamic = ownershipIsDynamic): Promise<void> {
  if (await isDynamic()) return
  for (const disk of disks) {
    if (disk.type === 'network') continue
    const { uid, gid, mode } = await stat(imageBelow(disk).path)
    await (await open(disk.sidecar, 'wx', 0o600)).close()
    await chown(disk.sidecar, uid, gid)
    await chmod(disk.sidecar, mode & 0o777)
  }
}
