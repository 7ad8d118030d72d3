import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it, vi } from 'vitest'
import { restoreDiskSource, setDiskSource } from '../../src/libvirt/domain-xml-edit.ts'
import { parseDomain } from '../../src/libvirt/domain-xml.ts'
import { hasDriver, parseMissingDrivers } from '../../src/libvirt/block-drivers.ts'
import { mediumNameOf, qemuNameOf, type NetworkSource } from '../../src/libvirt/network-source.ts'
import { fakeShell } from '../../src/shell/fake.ts'
import { whyNoLogin, withServerLogins } from '../../src/engine/server-logins.ts'

vi.mock('../../src/shared/host-paths.ts', async (original) => ({
  ...(await original<object>()),
  RUN_DIR: (await import('node:path')).join((await import('node:os')).tmpdir(), 'stillpoint-run')
}))

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
    ['another protocol', nbd({ protocol: 'gluster' })],
    ['TLS', nbd({ tls: true })],
    ['a disk that is encrypted', nbd({ protocol: 'rbd', name: 'p/i', encrypted: true })],
    ['an iSCSI target without a server', nbd({ protocol: 'iscsi', name: 'iqn.x/1', hosts: [] })],
    ['a LUN that is no number', nbd({ protocol: 'iscsi', name: 'iqn.x/1,x' })],
    ['an RBD image without a pool', nbd({ protocol: 'rbd', name: 'i' })],
    ['settings of Ceph by half a path', nbd({ protocol: 'rbd', name: 'p/i', config: 'ceph.conf' })],
    ['no server', nbd({ hosts: [] })],
    ['a port that is none', nbd({ hosts: [{ name: 'a', port: '1,x=y', transport: 'tcp', socket: undefined }] })]
  ])('is refused for %s, with the reason', (_what, source) => {
    expect(jsonOf(source)).toHaveProperty('unsupported')
  })
})

describe('the name of a disk that an iSCSI or a Ceph server holds', () => {
  const nameOf = (disk: string): unknown => {
    const [found] = parseDomain(
      vm(`<disk type='network' device='disk'>${disk}<target dev='vda' bus='virtio'/></disk>`)
    ).disks
    return found?.network && jsonOf(found.network)
  }
  const SECRET = '11111111-2222-4333-8444-555555555555'

  it('is that of target and LUN, as the VM logs in', () => {
    expect(
      nameOf(
        `<source protocol='iscsi' name='iqn.2013-07.com.example:store/2'><host name='::1' port='3261'/><initiator><iqn name='iqn.2013-07.com.example:client'/></initiator>
        <auth username='u "x'><secret type='iscsi' usage='the store'/></auth></source>`
      )
    ).toEqual({
      driver: 'raw',
      file: {
        driver: 'iscsi',
        transport: 'tcp',
        portal: '[::1]:3261',
        target: 'iqn.2013-07.com.example:store',
        lun: 2,
        'initiator-name': 'iqn.2013-07.com.example:client',
        user: 'u "x',
        'password-secret': 'login.x6973637369207468652073746f7265'
      }
    })
    expect(nameOf(`<source protocol='iscsi' name='iqn.x'><host name='store'/></source>`)).toEqual({
      driver: 'raw',
      file: { driver: 'iscsi', transport: 'tcp', portal: 'store:3260', target: 'iqn.x', lun: 0 }
    })
  })

  it('is that of pool, namespace and image, with monitors, settings and the login, wherever that stands', () => {
    expect(
      nameOf(
        `<auth username='libvirt'><secret type='ceph' uuid='${SECRET}'/></auth>
        <source protocol='rbd' name='pool/space/image'><host name='mon1' port='6789'/><host name='mon2'/><snapshot name='s1'/><config file='/etc/ceph/a.conf'/></source>`
      )
    ).toEqual({
      driver: 'raw',
      file: {
        driver: 'rbd',
        pool: 'pool',
        namespace: 'space',
        image: 'image',
        snapshot: 's1',
        conf: '/etc/ceph/a.conf',
        server: [
          { host: 'mon1', port: '6789' },
          { host: 'mon2', port: '6789' }
        ],
        user: 'libvirt',
        'auth-client-required': ['cephx', 'none'],
        'key-secret': `login.${SECRET}`
      }
    })
    expect(nameOf(`<source protocol='rbd' name='pool/image'/>`)).toEqual({
      driver: 'raw',
      file: { driver: 'rbd', pool: 'pool', image: 'image' }
    })
  })

  it.each(['p/i:conf=/etc/shadow', 'p/i@s', 'p","driver":"file/i'])('keeps %j a value', (name) => {
    const [pool, image] = name.split('/i')
    expect(jsonOf(nbd({ protocol: 'rbd', name, hosts: [] }))).toEqual(
      name.split('/').length === 2
        ? { driver: 'raw', file: { driver: 'rbd', pool, image: `i${image ?? ''}` } }
        : { unsupported: expect.any(String) as string }
    )
  })

  it('of a medium logs in nowhere: a point may name any server', () => {
    const login = { user: 'u', secret: SECRET }
    expect(mediumNameOf(nbd({ protocol: 'rbd', name: 'p/i', login }))).toBeUndefined()
    expect(mediumNameOf(nbd({ protocol: 'rbd', name: 'p/i' }))).toContain('rbd')
  })
})

describe('the login to the server of a disk', () => {
  const SECRET = '11111111-2222-4333-8444-555555555555'
  const name = (login: { user: string; secret: string }, more: Partial<NetworkSource> = {}): string => {
    const found = qemuNameOf(nbd({ protocol: 'iscsi', name: 'iqn.x/1', login, ...more }), 'raw')
    return 'image' in found ? found.image : expect.fail(found.unsupported)
  }
  const libvirt = {
    'virsh secret-list': ` UUID   Usage\n-----\n ${SECRET}   iscsi the store\n`,
    [`virsh secret-get-value ${SECRET}`]: 'eHl6\n',
    [`virsh secret-dumpxml ${SECRET}`]: `<secret ephemeral='no' private='yes'/>`
  }

  it.each([
    ['its UUID', SECRET],
    ['what it is for', 'iscsi the store']
  ])('is the secret of libvirt, by %s, in a file that is gone behind the tool', async (_what, secret) => {
    const read: string[] = []
    let file = ''
    const shell = fakeShell({
      ...libvirt,
      'qemu-img': ({ argv }) => {
        const [program, verb, option, object = '', ...rest] = argv
        file = /^secret,id=login\.[0-9a-fx-]+,format=base64,file=(.*)$/.exec(object)?.[1] ?? ''
        read.push(readFileSync(file, 'utf8'))
        expect([program, verb, option, ...rest]).toEqual([
          'qemu-img',
          'info',
          '--object',
          '-U',
          name({ user: 'u', secret })
        ])
        return ''
      }
    })
    await withServerLogins(shell).run(['qemu-img', 'info', '-U', name({ user: 'u', secret })])
    expect(read).toEqual(['eHl6'])
    expect(existsSync(file)).toBe(false)
  })

  it.each([
    ['no login', ['qemu-img', 'info', '/srv/a']],
    [
      'a name that would like to be one',
      ['qemu-img', 'info', name({ user: '"key-secret":"login.x00"', secret: SECRET }).replaceAll(SECRET, '')]
    ],
    ['another program', ['virsh', 'secret-list']]
  ] as const)('is nothing of %s', async (_what, argv) => {
    const shell = fakeShell({ ...libvirt, 'qemu-img': '' })
    await withServerLogins(shell).run([...argv])
    expect(shell.calls.map((call) => call.argv)).toEqual([argv])
  })

  it('is said to be impossible with a secret that libvirt keeps to itself, or has not', async () => {
    expect(await whyNoLogin(fakeShell(libvirt), 'iscsi the store')).toContain('to nobody (private)')
    expect(await whyNoLogin(fakeShell(libvirt), 'another')).toContain('libvirt has no secret another')
  })
})

describe('the drivers that QEMU on a host has', () => {
  it('are told by its own words, before any server is asked', async () => {
    const shell = fakeShell(({ line }) =>
      line.includes('rbd')
        ? { exitCode: 1, stderr: `qemu-img: Could not open 'json:{"driver":"rbd"}': Unknown driver 'rbd'\n` }
        : {
            exitCode: 1,
            stderr: `qemu-img: Could not open 'json:{"driver":"iscsi"}': Parameter 'transport' is missing\n`
          }
    )
    expect([await hasDriver(shell, 'rbd'), await hasDriver(shell, 'iscsi')]).toEqual([false, true])
    expect(parseMissingDrivers('\nrbd\nnosuch\n')).toEqual(['rbd'])
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
