import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { JOBS_DIR } from '../../src/shared/host-paths.ts'
import { run } from '../lab/run.ts'
import type { Arena } from './arena.ts'
import { hostText, type RoundPlan } from './plan.ts'

const LOOK = `virsh list --all; for vm in $(virsh -q list --all --uuid); do
  echo "== $vm"; virsh domstate --reason $vm; virsh domblklist $vm; virsh domblklist --inactive $vm; virsh domjobinfo $vm; done
  ls -lai /var/lib/libvirt/images /srv/shared /srv/small /srv/chaos; find /var/lib/stillpoint/points -maxdepth 3
  systemctl list-units --all 'stillpoint-*'; journalctl -b -u 'stillpoint-*' -u libvirtd --no-pager | tail -n 400`

/** What somebody needs who wants to know why a round failed. */
export async function keepEvidence(
  arena: Arena,
  plan: RoundPlan,
  problems: readonly string[],
  folder: string
): Promise<void> {
  writeFileSync(join(folder, 'round.txt'), [...plan.hosts.flatMap(hostText), '', ...problems, ''].join('\n'))
  for (const { key, host } of arena.sites) {
    const own = join(folder, key)
    mkdirSync(own)
    for (const path of [JOBS_DIR, '/var/log/libvirt/qemu', '/var/log/stillpoint-guest']) {
      const from = join(host.tree, path)
      if (existsSync(from)) await run(['cp', '-a', from, own])
    }
    const look = host.isOn ? await host.run(LOOK) : undefined
    writeFileSync(join(own, 'look.txt'), look === undefined ? 'off' : look.stdout + look.stderr)
  }
}
