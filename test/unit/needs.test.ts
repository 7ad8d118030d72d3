import { readFileSync, globSync } from 'node:fs'
import type { Element } from '@xmldom/xmldom'
import { describe, expect, it } from 'vitest'
import { itemOf } from '../../src/libvirt/needs/item.ts'
import type { Need, NeedKind } from '../../src/libvirt/needs/need.ts'
import { needsOf } from '../../src/libvirt/needs/needs-of.ts'
import { needsOfNetwork } from '../../src/libvirt/needs/network-needs.ts'
import { parseXml, serializeXml } from '../../src/libvirt/xml.ts'
import { HOSTILE, MORE, type Hostile } from './hostile-definitions.ts'
import { VM } from './store-points.ts'

const definition = (devices: string, more = '', root = ''): string =>
  `<domain type='kvm' ${root}><name>web1</name><uuid>${VM}</uuid>${more}<devices>${devices}</devices></domain>`

const of = (kind: NeedKind, xml: string): Need[] => needsOf(xml).filter((need) => need.kind === kind)
const oneOf = (kind: NeedKind, xml: string): Need | undefined => of(kind, xml)[0]
const inDevices = (kind: NeedKind, devices: string): Need | undefined => oneOf(kind, definition(devices))
const inDomain = (kind: NeedKind, more: string): Need | undefined => oneOf(kind, definition('', more))

describe('what recorded definitions ask', () => {
  const recorded = globSync('test/fixtures/libvirt-*/{dumpxml-*,save-image-dumpxml}.txt').toSorted()

  it.each(recorded)('%s: nothing that is not understood', (file) => {
    const needs = needsOf(readFileSync(file, 'utf8'))
    expect(needs.filter(({ kind }) => kind === 'unknown' || kind === 'foreign')).toEqual([])
    expect(needs.some(({ kind }) => kind === 'disk')).toBe(true)
  })

  it('are there', () => {
    expect(recorded.length).toBeGreaterThan(4)
  })
})

describe('what a desktop VM as virt-manager makes it asks', () => {
  const xml = readFileSync('test/fixtures/needs/virt-manager.xml', 'utf8')

  it('is all understood, with nothing that any other VM would not have', () => {
    const needs = needsOf(xml)
    expect(needs.filter(({ kind }) => kind === 'unknown' || kind === 'foreign')).toEqual([])
    expect(needs.map(({ where, kind }) => `${kind} ${where}`)).toMatchInlineSnapshot(`
      [
        "machine os/type",
        "firmware os",
        "firmware os/loader",
        "firmware os/nvram",
        "firmware os/nvram",
        "cpu cpu",
        "memory memory",
        "label seclabel[1]",
        "label seclabel[2]",
        "partition resource/partition",
        "emulator devices/emulator",
        "disk devices/disk[sda]/source",
        "interface devices/interface/source",
        "socket devices/channel[1]/source",
        "feature devices/channel[2]",
        "tpm devices/tpm/backend",
        "feature devices/graphics",
        "listen devices/graphics",
        "feature devices/sound",
        "feature devices/video/model",
        "feature devices/redirdev",
        "file devices/rng/backend",
      ]
    `)
  })
})

describe('a disk', () => {
  it.each<[string, string, object]>([
    ['in a file', "type='file'><source file='/a.qcow2'/>", { type: 'file', source: '/a.qcow2', role: 'image' }],
    ['on a device', "type='block'><source dev='/dev/vg/a'/>", { type: 'block', source: '/dev/vg/a' }],
    ['in a pool', "type='volume'><source pool='p' volume='a.qcow2'/>", { type: 'volume', source: 'p/a.qcow2' }],
    [
      'on a server',
      "type='network'><source protocol='nbd' name='x'><host name='198.18.0.9' port='10809'/></source>",
      { type: 'network', source: 'nbd:x at 198.18.0.9:10809' }
    ],
    ['that is a folder', "type='dir'><source dir='/srv'/>", { type: 'dir', source: '/srv' }],
    [
      'on NVMe',
      "type='nvme'><source type='pci' managed='yes' namespace='1'><address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/></source>",
      { type: 'nvme', source: '0000:01:00.0' }
    ],
    ['of vhost-user', "type='vhostuser'><source type='unix' path='/run/x'/>", { type: 'vhostuser', source: '/run/x' }]
  ])('%s', (_what, inner, expected) => {
    const disk = `<disk device='disk' ${inner}<target dev='vda' bus='virtio'/></disk>`
    expect(inDevices('disk', disk)).toMatchObject({ where: 'devices/disk[vda]/source', target: 'vda', ...expected })
  })

  it('is read once for each element of its chain, whatever formats each is said to have', () => {
    const formats = "<format type='qcow2'/><format type='raw'/>"
    const below = (depth: number): string =>
      depth === 0
        ? ''
        : `<backingStore type='file'>${formats}<source file='/${depth}'/>${below(depth - 1)}</backingStore>`
    const needs = needsOf(
      definition(`<disk type='file' device='disk'><source file='/a'/>${below(24)}<target dev='vda'/></disk>`)
    )
    expect(needs.filter(({ kind }) => kind === 'disk')).toHaveLength(1 + 2 * 24)
  })

  it('has a chain, a mirror, a data file, a key, labels and a keeper of reservations', () => {
    const needs = needsOf(
      definition(`<disk type='file' device='lun' rawio='yes'><source file='/a'><encryption format='luks'><secret type='passphrase' uuid='${VM}'/></encryption>
      <reservations managed='no'><source type='unix' path='/run/pr' mode='client'/></reservations><seclabel model='dac' relabel='no'/>
      <dataStore type='file'><format type='raw'/><source file='/d'/></dataStore><slices><slice type='storage' offset='0' size='512'/></slices></source>
      <backingStore type='file'><format type='qcow2'/><source file='/b'/><backingStore type='block'><source dev='/dev/c'/><backingStore/></backingStore></backingStore>
      <mirror type='file' file='/m' job='copy'><source file='/m'/></mirror><target dev='sda' bus='scsi'/></disk>`)
    )
    expect(needs.flatMap((need) => (need.kind === 'disk' ? [`${need.role} ${need.source}`] : []))).toEqual([
      'image /a',
      'data /d',
      'below /b',
      'below /dev/c',
      'mirror /m',
      'mirror /m'
    ])
    expect(needs.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['secret', 'label', 'socket', 'privilege']))
    expect(needs.some(({ kind }) => kind === 'unknown')).toBe(false)
  })

  it('without a medium asks nothing', () => {
    expect(of('disk', definition("<disk type='file' device='cdrom'><target dev='sda'/></disk>"))).toEqual([])
  })
})

describe('firmware', () => {
  it('is an image, a template and variables, in a file or elsewhere, with their formats', () => {
    const os = (inner: string): string => `<os><type arch='x86_64' machine='q35'>hvm</type>${inner}</os>`
    const both = os(
      "<loader readonly='yes' type='pflash' format='raw'>/usr/share/OVMF/CODE.fd</loader><nvram template='/usr/share/OVMF/VARS.fd' format='qcow2'>/n.fd</nvram>"
    )
    expect(of('firmware', definition('', both))).toMatchObject([
      { what: 'image', path: '/usr/share/OVMF/CODE.fd', format: 'raw' },
      { what: 'template', path: '/usr/share/OVMF/VARS.fd' },
      { what: 'variables', path: '/n.fd', format: 'qcow2', type: 'file' }
    ])
    expect(inDomain('firmware', os("<nvram type='block'><source dev='/dev/vg/n'/></nvram>"))).toMatchObject({
      what: 'variables',
      path: '/dev/vg/n',
      type: 'block'
    })
    expect(inDomain('firmware', "<os firmware='efi'><type>hvm</type></os>")).toMatchObject({
      what: 'automatic',
      path: 'efi'
    })
  })
})

describe('what the host has to give', () => {
  it('machine, processor, memory, huge pages and pins', () => {
    const xml = definition(
      '',
      `<memory unit='GiB'>2</memory><vcpu placement='static' cpuset='0-3,^2'>4</vcpu><memoryBacking><hugepages><page size='2' unit='M'/></hugepages><source type='memfd'/></memoryBacking>
      <cputune><vcpupin vcpu='0' cpuset='31'/><emulatorpin cpuset='1'/></cputune><numatune><memory mode='strict' nodeset='1'/></numatune>
      <os><type arch='x86_64' machine='pc-q35-9.0'>hvm</type></os><cpu mode='custom'><model>Skylake-Server</model><feature policy='require' name='invtsc'/><feature policy='disable' name='hle'/></cpu>`
    )
    expect(oneOf('machine', xml)).toMatchObject({ type: 'kvm', arch: 'x86_64', machine: 'pc-q35-9.0' })
    expect(oneOf('cpu', xml)).toMatchObject({ model: 'Skylake-Server', vcpus: 4, features: ['invtsc'] })
    expect(oneOf('memory', xml)).toMatchObject({ bytes: 2 ** 31, hugePages: [2 ** 21], source: 'memfd' })
    expect(of('pin', xml)).toMatchObject([{ set: '0-3,^2' }, { set: '31' }, { set: '1' }, { what: 'nodes', set: '1' }])
  })

  it.each<[string, NeedKind, string, object]>([
    [
      'a network',
      'interface',
      "<interface type='network'><mac address='52:54:00:AA:00:01'/><source network='lan'/></interface>",
      { type: 'network', source: 'lan', mac: '52:54:00:aa:00:01' }
    ],
    [
      'a bridge',
      'interface',
      "<interface type='bridge'><source bridge='br0'/></interface>",
      { type: 'bridge', source: 'br0' }
    ],
    [
      'a macvtap device',
      'interface',
      "<interface type='direct'><source dev='enp5s0' mode='bridge'/></interface>",
      { type: 'direct', source: 'enp5s0', mode: 'bridge' }
    ],
    [
      'a virtual function',
      'interface',
      "<interface type='hostdev'><source><address type='pci' domain='0x0000' bus='0x3b' slot='0x02' function='0x1'/></source></interface>",
      { source: '0000:3b:02.1' }
    ],
    [
      'a fixed port',
      'listen',
      "<graphics type='vnc' port='5999' autoport='no'/>",
      { by: 'vnc', port: 5999, address: undefined }
    ],
    [
      'an address for SPICE',
      'listen',
      "<graphics type='spice' tlsPort='5901' port='-1' autoport='no'><listen type='address' address='198.18.0.2'/></graphics>",
      { address: '198.18.0.2', port: 5901, purpose: 'TLS' }
    ],
    ['an automatic port', 'listen', "<graphics type='vnc' port='5900' autoport='yes'/>", { port: undefined }],
    [
      'a USB device',
      'device',
      "<hostdev mode='subsystem' type='usb'><source><vendor id='0x1d6b'/><product id='0x0002'/></source></hostdev>",
      { bus: 'usb', id: '1d6b:0002' }
    ],
    [
      'a mediated device',
      'device',
      `<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source><address uuid='${VM}'/></source></hostdev>`,
      { bus: 'mdev', id: VM }
    ],
    [
      'a SCSI device',
      'device',
      "<hostdev mode='subsystem' type='scsi'><source><adapter name='scsi_host2'/><address bus='0' target='1' unit='2'/></source></hostdev>",
      { bus: 'scsi', id: 'scsi_host2:0:1:2' }
    ],
    [
      'a folder',
      'folder',
      "<filesystem type='mount'><driver type='virtiofs'/><source dir='/srv/share'/><target dir='share'/></filesystem>",
      { path: '/srv/share', driver: 'virtiofs', readOnly: false }
    ],
    [
      'an emulated TPM',
      'tpm',
      "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>",
      { backend: 'emulator', path: undefined }
    ],
    ['SPICE', 'feature', "<graphics type='spice' autoport='yes'/>", { what: 'graphics', name: 'spice' }],
    ['QXL', 'feature', "<video><model type='qxl' ram='65536'/></video>", { what: 'video', name: 'qxl' }]
  ])('%s', (_what, kind, devices, expected) => {
    expect(inDevices(kind, devices)).toMatchObject(expected)
    expect(needsOf(definition(devices)).filter((need) => need.kind === 'unknown')).toEqual([])
  })
})

describe('what nobody knows', () => {
  it.each([
    ["<a file='x'/>", 'a file=x'],
    ["<a b='/x'/>", 'a b=/x'],
    ['<a>/x</a>', 'a=/x'],
    ["<a b='0000:01:00.0'/>", 'a b=0000:01:00.0'],
    ["<a b='198.51.100.1'/>", 'a b=198.51.100.1'],
    ["<a><b><c uri='x'/></b></a>", 'c uri=x']
  ])('%s is listed', (xml, said) => {
    const unknown = of('unknown', definition('', xml)) as readonly (Need & { name: string; value: string })[]
    expect(unknown.map(({ name, value }) => `${name}=${value}`)).toEqual([said])
  })

  it('is not listed where it is said in words, or noted beside the definition', () => {
    expect(
      of('unknown', definition('', "<a b='on' c='7'/><title>a/b</title><description>see http://x</description>"))
    ).toEqual([])
    const noted = "<metadata><l:os xmlns:l='http://libosinfo.org' id='http://debian.org/debian/12'/></metadata>"
    expect(of('foreign', definition('', noted))).toEqual([])
  })

  it('in another namespace is listed by that, whatever its prefix', () => {
    const QEMU = 'http://libvirt.org/schemas/domain/qemu/1.0'
    for (const prefix of ['qemu', 'q', 'x'])
      expect(
        oneOf(
          'foreign',
          definition(
            '',
            `<${prefix}:commandline><${prefix}:arg value='-S'/></${prefix}:commandline>`,
            `xmlns:${prefix}='${QEMU}'`
          )
        )
      ).toMatchObject({ namespace: QEMU, name: 'commandline', text: 'commandline (arg value="-S")' })
  })
})

describe('the word for a need', () => {
  it('is the same where a host is asked the same, and another where it is asked more', () => {
    const port = (path: string): string => `<serial type='file'><source path='${path}'/></serial>`
    const words = (devices: string): string[] => needsOf(definition(devices)).map(itemOf)
    expect(words(port('/a'))).toContain('write=/a')
    expect(words("<rng model='virtio'><backend model='random'>/a</backend></rng>")).toContain('read=/a')
    const folder = (more: string): string => `<filesystem><source dir='/a'/><target dir='x'/>${more}</filesystem>`
    expect(words(folder(''))).toContain('share=/a')
    expect(words(folder('<readonly/>'))).toContain('see=/a')
    expect(words(folder("<driver type='virtiofs'/>"))).toContain('share=virtiofs:/a')
    expect(words(folder('').replace('<filesystem', "<filesystem type='template'"))).toContain('share=template:/a')
  })

  it.each([...HOSTILE, ...MORE])('for $what can be typed', ({ devices = '', domain = '', root = '', os = '' }) => {
    for (const item of needsOf(definition(devices, `<os>${os}</os>${domain}`, root)).map(itemOf))
      expect(item).toMatch(/^[\x20-\x7e]{3,160}$/)
  })
})

describe('what a network asks', () => {
  it('is a bridge and a way outside; files, devices and options of other programs stand out', () => {
    const plain = needsOfNetwork(
      "<network><name>lan</name><uuid>x</uuid><forward mode='nat'><nat><port start='1024' end='65535'/></nat></forward><bridge name='virbr0' stp='on' delay='0'/><mac address='52:54:00:00:00:01'/><domain name='lan'/><dns><host ip='10.0.0.2'><hostname>a</hostname></host></dns><ip address='10.0.0.1' netmask='255.255.255.0'><dhcp><range start='10.0.0.2' end='10.0.0.254'/></dhcp></ip></network>"
    )
    expect(plain).toEqual({ name: 'lan', needs: [expect.objectContaining({ kind: 'interface', source: 'virbr0' })] })
    const odd = needsOfNetwork(
      "<network xmlns:d='http://libvirt.org/schemas/network/dnsmasq/1.0'><name>lan</name><ip address='10.0.0.1'><tftp root='/srv'/></ip><d:options><d:option value='x'/></d:options></network>"
    )
    expect(odd.needs.map(({ kind }) => kind)).toEqual(['folder', 'foreign'])
  })
})

describe('two of one element', () => {
  const wholeOf = ({ devices = '', os = '', domain = '', root = '' }: Hostile): string =>
    definition(devices, `<os><type>hvm</type>${os}</os>${domain}`, root)

  /** An element that says nothing, one that says something else everywhere, and one of another place alone. */
  const DECOYS: readonly (readonly [string, (at: Element) => void])[] = [
    ['empty', (at) => namesIn(at).forEach((name) => at.removeAttribute(name))],
    ['other', (at) => namesIn(at).forEach((name) => at.setAttribute(name, 'x'))],
    ['elsewhere', (at) => namesIn(at, /[/\d]/).forEach((name) => at.setAttribute(name, '/nowhere/x'))]
  ]
  const namesIn = (at: Element, values = /(?:)/): string[] =>
    [...at.attributes].filter(({ name, value }) => name !== 'xmlns' && values.test(value)).map(({ name }) => name)

  function doubled(hostile: Hostile): (readonly [string, string])[] {
    const count = [...parseXml(wholeOf(hostile), 'test').getElementsByTagName('*')].length
    return [...Array(count).keys()].flatMap((number) =>
      DECOYS.flatMap(([how, change]) =>
        (['before', 'behind'] as const).flatMap((side): (readonly [string, string])[] => {
          const document = parseXml(wholeOf(hostile), 'test')
          const at = [...document.getElementsByTagName('*')][number]
          if (at === undefined || ['domain', 'devices', 'os', 'name', 'uuid'].includes(at.tagName)) return []
          const decoy = at.cloneNode(how !== 'empty') as Element
          change(decoy)
          if (at.childNodes.length === 1 && at.firstChild?.nodeType === 3)
            decoy.textContent = how === 'empty' ? '' : '/nowhere/x'
          at.parentNode?.insertBefore(decoy, side === 'before' ? at : at.nextSibling)
          return [[`${how} <${at.tagName}> ${side} it`, serializeXml(document)]]
        })
      )
    )
  }

  it.each([...HOSTILE, ...MORE].filter(({ item }) => item !== undefined))('hide nothing of $what', (hostile) => {
    const { item = '' } = hostile
    // A label names all that it says.
    const isSaid = (need: Need): boolean =>
      itemOf(need).startsWith(item) || (need.kind === 'label' && item.endsWith(need.label.split(', ').at(-1) ?? ' '))
    const hidden = doubled(hostile).filter(([, xml]) => !needsOf(xml).some(isSaid))
    expect(hidden.map(([how]) => how)).toEqual([])
  })
})
