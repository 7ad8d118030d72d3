import { describe, expect, it } from 'vitest'
import { changesOf } from '../../../src/engine/restore/displaced-vm.ts'
import { parseDomain, type DomainXml } from '../../../src/libvirt/domain-xml.ts'

const UUID = '11111111-1111-4111-8111-111111111111'
const MAC = '52:54:00:12:34:56'

const vm = (...devices: string[]): DomainXml =>
  parseDomain(
    `<domain type='kvm'><name>web</name><uuid>${UUID}</uuid><memory unit='KiB'>1</memory><vcpu>1</vcpu><os><type arch='x86_64' machine='q35'>hvm</type></os><devices>${devices.join('')}</devices></domain>`
  )
const disk = (target: string, file?: string, device = 'disk'): string =>
  `<disk type='file' device='${device}'><driver name='qemu' type='qcow2'/>${file === undefined ? '' : `<source file='${file}'/>`}<target dev='${target}' bus='virtio'/></disk>`
const card = (source: string): string => `<interface type='network'><mac address='${MAC}'/>${source}</interface>`

describe('what a VM has for this run only', () => {
  it.each<[string, DomainXml, DomainXml, string[]]>([
    ['nothing', vm(disk('vda', '/a')), vm(disk('vda', '/a')), []],
    ['a disk more', vm(disk('vda', '/a'), disk('vdc', '/c')), vm(disk('vda', '/a')), ['vdc (/c)']],
    ['a disk less', vm(disk('vda', '/a')), vm(disk('vda', '/a'), disk('vdb', '/b')), ['no vdb']],
    ['another medium', vm(disk('sda', '/2.iso', 'cdrom')), vm(disk('sda', '/1.iso', 'cdrom')), ['sda (/2.iso)']],
    ['an empty drive', vm(disk('sda', undefined, 'cdrom')), vm(disk('sda', '/1.iso', 'cdrom')), ['sda (empty)']],
    [
      'a network card in another network',
      vm(card("<source network='apart' bridge='virbr7'/>")),
      vm(card("<source network='default'/>")),
      [`network card ${MAC} (apart)`]
    ],
    ['a network card whose device is of a pool', vm(card('')), vm(card("<source network='pool'/>")), []],
    ['no network card', vm(), vm(card("<source network='default'/>")), [`no network card ${MAC}`]]
  ])('is %s', (_, now, next, changes) => {
    expect(changesOf(now, next)).toEqual(changes)
  })
})
