import { existsSync } from 'node:fs'
import type { Shell } from '../shared/shell.ts'

export const SELINUX = '/sys/fs/selinux/enforce'

/**
 * Where SELinux confines libvirt's own daemon (virtqemud of Fedora and RHEL 10), it writes and reads VM images only, and RAM
 * images are opened by it: what holds one gets their label. A file that is made in a folder gets that of the folder. Where
 * nothing can be labelled, as on NFS, libvirt goes by a switch of the policy (virt_use_nfs). A link gets the label itself.
 */
export async function labelForLibvirt(shell: Shell, paths: readonly string[], selinux = SELINUX): Promise<void> {
  if (await lacksLabel(shell, paths, selinux)) await shell.run(['chcon', '-h', '-t', 'virt_image_t', '--', ...paths])
}

/** Whether a confined libvirt may not open one of these files as they are. */
export async function lacksLabel(shell: Shell, paths: readonly string[], selinux = SELINUX): Promise<boolean> {
  if (!existsSync(selinux)) return false
  const { stdout } = await shell.run(['stat', '--format=%C', '--', ...paths])
  const labels = stdout.trim().split('\n')
  return !labels.every((label) => /:(virt_image_t|svirt_image_t):/.test(label))
}
