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
  const inventory = parseInventory('alpha', text, 'mark', 'now')
  const others = [{ name: 'beta', machineId: 'b', state: 'up', vms: [] }] as const
  return {
    hosts: [{ host: 'alpha', inventory }],
    unreachable: [],
    looked: [{ name: 'alpha', machineId: 'a', state: 'up', vms: inventory.domains }, ...others]
  }
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
  ).join('\n')
  expect(text).toMatch(
    /^VM .*\nalpha\/plain .*\nalpha\/odd .*\n\nalpha\/odd:\n {2}Disk vdb is in no point: disks over gluster/
  )
  expect(text).toContain('\n  Its snapshots (s1) are in no point')
  expect(text).not.toContain('alpha/plain:')
})

const held = (name: string): string =>
  domain(name, A, '').replace(
    '<devices>',
    `<metadata><s:held xmlns:s='urn:stillpoint:held-autostart' host='beta' machine='b'/></metadata><devices>`
  )
const listed = (autostart: string): VmList =>
  listOf({
    list: A,
    [`state ${A}`]: 'running (booted)',
    [`info ${A}`]: `Persistent: yes\nAutostart:      ${autostart}\nManaged save: no`,
    [`xml ${A}`]: held('it is')
  })

it('says which VM a restore has left without autostart, how its twin stands, and what to type', () => {
  const [last = '', ...before] = vmText(listed('disable')).toReversed()
  expect(last).toBe("    Off for good: stillpoint vm autostart 'alpha/it is' --off")
  expect(before[0]).toBe("    On: stillpoint vm autostart 'alpha/it is'")
  expect(before[1]).toContain('as the same VM was on beta too. It neither runs nor starts there any more')
})

it('says nothing of it any more once somebody has turned it on', () => {
  expect(vmText(listed('enable')).join('\n')).not.toContain('Autostart')
})
