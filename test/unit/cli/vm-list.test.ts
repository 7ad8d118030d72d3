import { expect, it } from 'vitest'
import { vmText } from '../../../src/main/doors/cli/commands/vm.ts'
import type { VmList } from '../../../src/main/core/hosts/list-vms.ts'
import { parseInventory } from '../../../src/libvirt/inventory.ts'

const A = '11111111-2222-4333-8444-555555555555'
const B = '22222222-2222-4333-8444-555555555555'

const domain = (name: string, uuid: string, devices: string): string =>
  `<domain type='kvm' id='1'><name>${name}</name><uuid>${uuid}</uuid><memory>1024</memory><devices>${devices}</devices></domain>`

function listOf(sections: Readonly<Record<string, string>>): VmList {
  const text = Object.entries({ begin: '', 'list-status': '0', ...sections, end: '' })
    .map(([name, said]) => `\nmark ${name}\n${said}\n`)
    .join('')
  return { hosts: [{ host: 'alpha', inventory: parseInventory('alpha', text, 'mark', 'now') }], unreachable: [] }
}

it('says below the list of VMs what their points will not hold', () => {
  const gluster = `<disk type='network' device='disk'><source protocol='gluster' name='v/i'/><target dev='vdb'/></disk>`
  const text = vmText(
    listOf({
      list: `${A}\n${B}`,
      [`state ${A}`]: 'running (booted)',
      [`xml ${A}`]: domain('plain', A, ''),
      [`state ${B}`]: 'running (booted)',
      [`xml ${B}`]: domain('odd', B, gluster),
      [`snapshots ${B}`]: 's1'
    })
  )
  expect(text).toMatch(
    /^VM .*\nalpha\/plain .*\nalpha\/odd .*\n\nalpha\/odd:\n {2}Disk vdb is in no point: disks over gluster/
  )
  expect(text).toContain('\n  Its snapshots (s1) are in no point')
  expect(text).not.toContain('alpha/plain:')
})
