import { existsSync } from 'node:fs'
import type { Shell } from '../shared/shell.ts'

const SELINUX = '/sys/fs/selinux/enforce'

/**
 * Where SELinux confines libvirt's own daemon (virtqemud of Fedora and RHEL 10), it writes and reads VM images only, and RAM
 * images are opened by it: what holds one gets their label. A file that is made in a folder gets that of the folder. Where
 * nothing can be labelled, as on NFS, libvirt goes by a switch of the policy (virt_use_nfs).
 */
export async function labelForLibvirt(shell: Shell, paths: readonly string[], selinux = SELINUX): Promise<void> {
  if (!existsSync(selinux)) return
  const { stdout } = await shell.run(['stat', '--format=%C', '--', ...paths])
  if (
    stdout
      .trim()
      .split('\n')
      .every((label) => /:(virt_image_t|svirt_image_t):/.test(label))
  )
    return
  await shell.run(['chcon', '-t', 'virt_image_t', '--', ...paths])
}
