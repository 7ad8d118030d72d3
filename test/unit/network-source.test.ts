import { describe, expect, it } from 'vitest'
import { restoreDiskSource, setDiskSource } from '../../src/libvirt/domain-xml-edit.ts'
import { parseDomain } from '../../src/libvirt/domain-xml.ts'
import { qemuNameOf, type NetworkSource } from '../../src/libvirt/network-source.ts'

const vm = (disk: string): string => `<domain type='kvm'><name>a</name>
  <uuid>0b5e3a52-9a3c-4a3e-8f55-6c2a1d5f0e11</uuid><memory>1</memory><devices>${disk}</devices></domain>`
const served = (source: string, format = 'raw'): string =>
  vm(`<disk type='network' device='disk'><driver name='qemu' type='${format}' cache='none'/>
    <auth username='u'><secret type='ceph' usage='s'/></auth>${source}<target dev='vda' bus='virtio'/></disk>`)
const nbd = (rest: Partial<NetworkSource> = {}): NetworkSource => ({
  protocol: 'nbd',
  name: 'disk',
  hosts: [{ name: 'store', port: undefined, transport: 'tcp', socket: undefined }],
  tls: false,
  ...rest
})
const jsonOf = (source: NetworkSource): unknown => {
  const name = qemuNameOf(source, 'raw')
  return 'image' in name ? JSON.parse(name.image.replace(/^json:/, '')) : name
}

describe('the name by which qemu-img opens a disk on the network', () => {
  it.each(['a b', 'x,file.driver=file', '"},"driver":"file","filename":"/etc/shadow', 'json:{}', 'nbd://b', 'é\n'])(
    'keeps the export %j a value',
    (name) => {
      expect(jsonOf(nbd({ name }))).toEqual({
        driver: 'raw',
        file: { driver: 'nbd', server: { type: 'inet', host: 'store', port: '10809' }, export: name }
      })
    }
  )

  it('reads server and export from the definition', () => {
    const xml = served(`<source protocol='nbd' name='a&quot;b'><host name='::1' port='99'/></source>`)
    const [disk] = parseDomain(xml).disks
    expect(disk?.network && jsonOf(disk.network)).toMatchObject({
      file: { server: { type: 'inet', host: '::1', port: '99' }, export: 'a"b' }
    })
  })

  it('takes a socket of this host, by its whole path only', () => {
    const host = (socket: string) => [{ name: undefined, port: undefined, transport: 'unix', socket }]
    expect(jsonOf(nbd({ hosts: host('/run/a') }))).toMatchObject({ file: { server: { type: 'unix', path: '/run/a' } } })
    expect(jsonOf(nbd({ hosts: host('run/a') }))).toHaveProperty('unsupported')
  })

  it.each<[string, NetworkSource]>([
    ['another protocol', nbd({ protocol: 'rbd' })],
    ['TLS', nbd({ tls: true })],
    ['no server', nbd({ hosts: [] })],
    ['a port that is none', nbd({ hosts: [{ name: 'a', port: '1,x=y', transport: 'tcp', socket: undefined }] })]
  ])('is refused for %s, with the reason', (_what, source) => {
    expect(jsonOf(source)).toHaveProperty('unsupported')
  })
})

describe('a disk that goes back to what it was', () => {
  const before = served(`<source protocol='nbd' name='disk'><host name='store' port='99'/></source>`)

  it('has its server, its login and its driver again', () => {
    const onOverlay = setDiskSource(before, 'vda', { path: '/overlay', format: 'qcow2' })
    expect(onOverlay).not.toContain('store')
    const again = restoreDiskSource(onOverlay, 'vda', before)
    expect(parseDomain(again).disks).toEqual(parseDomain(before).disks)
    expect(again).toContain("<secret type='ceph'".replaceAll("'", '"'))
    expect(again).toContain('cache="none"')
  })

  it('is a block device again', () => {
    const device = vm(`<disk type='block'><driver type='raw'/><source dev='/dev/vg/a'/><target dev='vda'/></disk>`)
    const onOverlay = setDiskSource(device, 'vda', { path: '/overlay', format: 'qcow2' })
    expect(parseDomain(restoreDiskSource(onOverlay, 'vda', device)).disks).toEqual(parseDomain(device).disks)
  })

  it('has its own key again, where the definition names it beside the source', () => {
    const keyed = (uuid: string, source: string): string =>
      vm(
        `<disk type='file'><driver type='raw'/><source file='${source}'/><target dev='vda'/><encryption format='luks'><secret type='passphrase' uuid='${uuid}'/></encryption></disk>`
      )
    const own = keyed('11111111-2222-4333-8444-555555555555', '/srv/l.img')
    const onOverlay = keyed('22222222-2222-4333-8444-555555555555', '/srv/l.img.overlay')
    const again = restoreDiskSource(onOverlay, 'vda', own)
    expect(parseDomain(again).disks).toEqual(parseDomain(own).disks)
    expect(again).not.toContain('22222222')
  })

  it('is refused where the earlier definition has no such disk', () => {
    expect(() => restoreDiskSource(before, 'vda', vm(''))).toThrow(/not-found/)
  })
})
