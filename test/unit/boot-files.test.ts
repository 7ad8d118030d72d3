import { describe, expect, it } from 'vitest'
import { bootFilesTaken } from '../../src/libvirt/backup-limits.ts'

describe('what a VM is started with by its host', () => {
  it('is taken where somebody put it, and not where it came with programs', () => {
    const boot = [
      { role: 'kernel' as const, path: '/boot/vmlinuz' },
      { role: 'initrd' as const, path: '/usr/share/appliance/initrd' },
      { role: 'dtb' as const, path: '/usr/local/share/board.dtb' }
    ]
    expect(bootFilesTaken({ boot }).map(({ path }) => path)).toEqual(['/boot/vmlinuz', '/usr/local/share/board.dtb'])
  })
})
