import type { LabHost } from './host.ts'

/**
 * All of a VM that must be the same again after a restore was undone, as text: definition, snapshots and checkpoints with
 * their records, autostart, and every file of its image folder and its managed save with inode, mode, owner and checksum.
 * `running`: its images change, so no checksums, and libvirt owns them.
 */
export async function pictureOf(host: LabHost, uuid: string, options: { running?: boolean } = {}): Promise<string> {
  const files = options.running === true ? "stat -c '%n %i %a'" : 'describe'
  return host.must(`
export LC_ALL=C
describe() { stat -c '%n %i %a %u:%g %s' "$1"; [ -d "$1" ] || cksum "$1"; }
vm=${uuid}
virsh -q domstate $vm
virsh -q dumpxml $vm --inactive --security-info
virsh -q dominfo $vm | grep -E '^(Autostart|Persistent)'
virsh -q snapshot-list $vm --tree
virsh -q snapshot-current $vm --name 2>&1
for name in $(virsh -q snapshot-list $vm --name --topological); do virsh -q snapshot-dumpxml $vm $name --security-info; done
virsh -q checkpoint-list $vm --tree
for name in $(virsh -q checkpoint-list $vm --name --topological); do virsh -q checkpoint-dumpxml $vm $name --security-info; done
find /var/lib/libvirt/images /var/lib/libvirt/qemu/save /var/lib/libvirt/qemu/nvram /var/lib/libvirt/swtpm /var/lib/stillpoint/aside -mindepth 1 2>/dev/null |
  sort | while read -r file; do ${files} "$file"; done
`)
}
