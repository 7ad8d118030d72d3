import { describe, expect, it } from 'vitest'
import {
  ejectMedia,
  removeDisk,
  renameDomain,
  setBootPaths,
  setChannelSocketsToDefault,
  setDiskSource,
  setNvramPath,
  setTpmStateToDefault
} from '../../src/libvirt/domain-xml-edit.ts'
import { parseDomain, withoutSavableState } from '../../src/libvirt/domain-xml.ts'
import { failureOf, type Failure } from '../../src/shared/failure.ts'

const UUID = '11111111-2222-4333-8444-555555555555'
const domain = (devices = '', more = ''): string =>
  `<domain type='kvm'><name>a &lt;b&gt;</name><uuid>${UUID}</uuid><memory unit='MiB'>64</memory>${more}` +
  `<devices>${devices}</devices></domain>`
const DISK = `<disk type='block' device='disk'><driver name='qemu' type='raw'/><auth username='x'/>
  <source dev='/dev/vg/a'/><backingStore type='file'><format type='qcow2'/><source file='/b'/><backingStore/></backingStore>
  <target dev='vda' bus='virtio'/></disk>`
const BARE = `<disk type='file' device='disk'><source file='/bare.img'/><target dev='vdb' bus='virtio'/></disk>`
const CDROM = `<disk type='file' device='cdrom'><source file='/iso'/><target dev='hda'/><readonly/></disk>`
const CARD = `<interface type='network'><mac address='52:54:00:AA:bb:cc'/><source network='lan' portgroup='x'/><model type='virtio'/></interface>`

function failureFrom(work: () => unknown): Failure | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    return failureOf(error)
  }
}

describe('the sockets of channels', () => {
  const channel = (path: string, mode = 'bind'): string =>
    domain(
      `<channel type='unix'><source mode='${mode}' path='${path}'/><target type='virtio' name='org.qemu.guest_agent.0'/></channel>`
    )

  it.each([
    '/var/lib/libvirt/qemu/channel/target/domain-5-web/org.qemu.guest_agent.0',
    '/var/lib/libvirt/qemu/channel/target/web.agent',
    '/run/libvirt/qemu/channel/5-web/org.qemu.guest_agent.0',
    '/var/lib/libvirt/qemu/f16x86_64.agent'
  ])('are libvirt’s to make anew where it made %s', (path) => {
    expect(setChannelSocketsToDefault(channel(path))).toContain('<source mode="bind"/>')
    expect(setChannelSocketsToDefault(channel(path, 'connect'))).toContain(path)
  })

  it.each(['/run/x.sock', '/var/lib/libvirt/qemu/channel/target/../x', '/var/lib/libvirt/qemu/nvram/x.agent'])(
    'are left alone where it made no %s',
    (path) => expect(setChannelSocketsToDefault(channel(path))).toContain(path)
  )
})

describe('a definition that nobody vouches for', () => {
  const bomb = `<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>${domain()}`
  it.each([
    ['an entity bomb', bomb],
    ['an external entity', `<!doctype x SYSTEM "file:///etc/shadow">${domain()}`],
    ['200 levels', domain('<a>'.repeat(200) + '</a>'.repeat(200))],
    ['10,000 levels, each seeming to close itself', domain(`<a b='/>'>`.repeat(10_000) + '</a>'.repeat(10_000))],
    ['50 MB', domain(`<description>${'x'.repeat(50_000_000)}</description>`)],
    ['no end', domain().slice(0, -5)],
    ['an unquoted attribute', domain('<a b=c/>')],
    ['an unknown entity', domain('<a>&nope;</a>')],
    ['nothing', ''],
    ['JSON', '{"domain": 1}'],
    ['another element', '<network/>'],
    ['no UUID', domain().replace(UUID, '../../etc')]
  ])('is refused with %s', (_what, text) => {
    expect(failureFrom(() => parseDomain(text))).toMatchObject({ kind: 'bad-output' })
  })

  it('may have many elements, comments and quotes', () => {
    const many = domain(`${`<a b='x>y' c="it's"/><d e='>'></d><!-- <e> <f> -->`.repeat(500)}${CDROM}`)
    expect(parseDomain(many).disks).toHaveLength(1)
  })
})

describe('reading a definition', () => {
  it('knows which secrets a VM needs, wherever they stand, and which disk is a part of a file', () => {
    const at = (name: string): string => `<encryption format='luks'><secret type='passphrase' ${name}/></encryption>`
    const disks = `<disk type='file'><source file='/a'>${at(`uuid='${UUID}'`)}<slices><slice type='storage' offset='0' size='1'/></slices></source><target dev='vda'/></disk>
      <disk type='file'><source file='/b'/><target dev='vdb'/>${at("usage='/b'")}</disk>`
    const tpm = `<tpm><backend type='emulator'><encryption secret='${UUID}'/></backend></tpm>`
    expect(parseDomain(domain(disks + tpm))).toMatchObject({
      disks: [
        { secrets: [UUID], isSlice: true },
        { secrets: ['volume /b'], isSlice: false }
      ],
      tpmSecrets: [UUID]
    })
  })

  it('keeps the name as it is and knows units', () => {
    expect(parseDomain(domain())).toMatchObject({ name: 'a <b>', memoryBytes: 64 * 2 ** 20, vcpus: 1, id: undefined })
  })

  it('knows disks of all kinds', () => {
    const net = `<disk type='network'><source protocol='rbd' name='pool/img'/><target dev='vdc'/><shareable/><transient/></disk>`
    const empty = `<disk type='file' device='cdrom'><target dev='hdb'/></disk>`
    expect(parseDomain(domain(DISK + BARE + net + empty)).disks).toMatchObject([
      { target: 'vda', type: 'block', source: '/dev/vg/a', format: 'raw', chainDepth: 1 },
      { target: 'vdb', source: '/bare.img', format: 'raw', chainDepth: 0 },
      { target: 'vdc', type: 'network', source: 'rbd:pool/img', shareable: true, transient: true },
      { target: 'hdb', device: 'cdrom', source: undefined }
    ])
  })

  it('names the devices whose state cannot be saved', () => {
    const devices = `<hostdev type='pci'/><filesystem><driver type='virtiofs'/></filesystem><filesystem/><shmem name='s'/>
      <interface type='vdpa'/><tpm><backend type='passthrough'/></tpm><tpm><backend type='emulator'/></tpm>${CARD}${DISK}`
    expect(parseDomain(domain(devices)).devicesWithoutSavableState).toEqual([
      'host device (pci)',
      'shared folder (virtiofs)',
      'shared folder (9p)',
      'network card (vdpa)',
      'memory shared between VMs (shmem)',
      "the host's TPM"
    ])
  })

  it('knows volumes of pools, encryption, and the image below a disk whose writes are thrown away', () => {
    const volume = `<disk type='volume'><driver type='qcow2'/><source pool='p' volume='v.qcow2'/><target dev='vda'/></disk>`
    const luks = `<encryption format='luks'><secret type='passphrase' uuid='${UUID}'/></encryption>`
    const inside = `<disk type='file'><source file='/l'>${luks}</source><target dev='vdb'/></disk>`
    const beside = `<disk type='file'><source file='/l'/><target dev='vdc'/>${luks}</disk>`
    const thrown = DISK.replace('vda', 'vdd').replace('</disk>', '<transient/></disk>')
    const parsed = parseDomain(domain(volume + inside + beside + thrown))
    expect(parsed.disks).toMatchObject([
      { source: 'p/v.qcow2', volume: { pool: 'p', name: 'v.qcow2' }, encrypted: false, below: undefined },
      { encrypted: true },
      { encrypted: true },
      { transient: true, below: { source: '/b', format: 'qcow2' } }
    ])
    expect(withoutSavableState(parsed)).toEqual(['disk vdd, whose writes are thrown away'])
  })

  it.each([
    ['qemu:commandline', 'commandline'],
    ['q:override', 'override'],
    ['x:capabilities', 'capabilities']
  ])('knows what %s tells QEMU past libvirt, by its namespace', (tag, name) => {
    const [prefix = ''] = tag.split(':')
    const element = `<${tag} xmlns:${prefix}='http://libvirt.org/schemas/domain/qemu/1.0'/>`
    expect(parseDomain(domain('', element)).qemuExtensions).toEqual([name])
    expect(parseDomain(domain('', element.replace('schemas', 'others'))).qemuExtensions).toEqual([])
  })

  it('knows firmware, CPU, TPM, serial files and QEMU command lines', () => {
    const os = `<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type><loader>/usr/share/OVMF.fd</loader><nvram template='/t.fd'>/n.fd</nvram></os>
      <cpu mode='custom'><model>EPYC</model></cpu><title>T</title>
      <qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'/>`
    const devices = `<emulator>/usr/bin/qemu</emulator><tpm><backend type='emulator'/></tpm>
      <serial type='file'><source path='/var/log/s'/></serial><console type='pty'><log file='/var/log/c'/></console>`
    expect(parseDomain(domain(devices, os))).toMatchObject({
      machine: 'pc-q35-7.2',
      loader: '/usr/share/OVMF.fd',
      nvram: { path: '/n.fd', template: '/t.fd' },
      cpu: { mode: 'custom', model: 'EPYC' },
      title: 'T',
      emulator: '/usr/bin/qemu',
      tpm: 'emulator',
      serialFiles: ['/var/log/s', '/var/log/c']
    })
  })
})

describe('changing a definition', () => {
  const full = domain(DISK + BARE + CDROM + CARD, `<os><nvram>/n.fd</nvram></os>`)

  it('puts a disk on a file and takes away what belonged to the old source', () => {
    const edited = setDiskSource(full, 'vda', { path: `/new & "old's".qcow2`, format: 'qcow2' })
    expect(parseDomain(edited).disks[0]).toMatchObject({
      type: 'file',
      source: `/new & "old's".qcow2`,
      format: 'qcow2',
      chainDepth: 0
    })
    expect(edited).not.toMatch(/backingStore|<auth/)
    expect(parseDomain(edited).disks.slice(1)).toEqual(parseDomain(full).disks.slice(1))
  })

  // field case 7
  it('keeps what is said of the content of a disk, wherever that lies now, and not how it was reached', () => {
    const kept = `<seclabel model='dac' relabel='no'/><encryption format='luks'><secret type='passphrase' uuid='${UUID}'/></encryption><reservations managed='yes'/><slices><slice type='storage' offset='4096' size='65536'/></slices>`
    const gone = `<host name='store'/><dataStore type='file'><source file='/data'/></dataStore>`
    const before = domain(
      `<disk type='file'><source file='/l.img' startupPolicy='optional' index='3' fdgroup='x'>${kept}${gone}</source><target dev='vda'/></disk>`
    )
    const edited = setDiskSource(before, 'vda', { path: '/new.img', format: 'raw' })
    expect(edited).toContain(`<source file="/new.img" startupPolicy="optional">${kept.replaceAll("'", '"')}</source>`)
    expect(edited).not.toMatch(/dataStore|<host|index|fdgroup/)
  })

  it('puts firmware variables, TPM state and kernels where this host has them, whatever they lay on', () => {
    const os = `<os><nvram type='block' template='/t'><source dev='/dev/vg/nvram'/></nvram><kernel>/boot/k</kernel><initrd>/boot/i</initrd></os>`
    const tpm = `<tpm><backend type='emulator' version='1.2'><source type='dir' path='/srv/tpm'/></backend></tpm>`
    const before = domain(tpm, os)
    expect(parseDomain(before)).toMatchObject({
      nvram: { path: '/dev/vg/nvram', type: 'block' },
      tpmState: { type: 'dir', path: '/srv/tpm', version: '1.2' },
      boot: [
        { role: 'kernel', path: '/boot/k' },
        { role: 'initrd', path: '/boot/i' }
      ]
    })
    const edited = setBootPaths(setTpmStateToDefault(setNvramPath(before, '/n.fd')), new Map([['/boot/i', '/img/i']]))
    expect(parseDomain(edited)).toMatchObject({
      nvram: { path: '/n.fd', type: 'file', template: '/t' },
      tpm: 'emulator',
      tpmState: undefined,
      boot: [{ path: '/boot/k' }, { path: '/img/i' }]
    })
  })

  it('puts a medium that lies elsewhere here into its drive, and nothing else', () => {
    const edited = parseDomain(setBootPaths(full, new Map([['/iso', '/img/iso']])))
    expect(edited.disks.map(({ source }) => source)).toEqual(
      parseDomain(full).disks.map(({ source }) => (source === '/iso' ? '/img/iso' : source))
    )
    expect(
      parseDomain(
        setBootPaths(full, new Map(parseDomain(full).disks.map(({ source = '' }) => [source, '/x'])))
      ).disks.map(({ source }) => source === '/x')
    ).toEqual([false, false, true])
  })

  it('says the format also where there was no driver', () => {
    expect(parseDomain(setDiskSource(full, 'vdb', { path: '/x', format: 'qcow2' })).disks[1]?.format).toBe('qcow2')
  })

  it('empties drives, removes disks and moves NVRAM', () => {
    expect(parseDomain(ejectMedia(full, 'hda')).disks[2]).toMatchObject({ device: 'cdrom', source: undefined })
    expect(parseDomain(removeDisk(full, 'vda')).disks.map(({ target }) => target)).toEqual(['vdb', 'hda'])
    expect(parseDomain(setNvramPath(full, '/other.fd')).nvram?.path).toBe('/other.fd')
  })

  it('gives another name and UUID, also to the firmware', () => {
    const uuid = UUID.replaceAll('1', '9')
    const sysinfo = `<sysinfo type='smbios'><system><entry name='uuid'>${UUID}</entry></system></sysinfo>`
    const edited = renameDomain(domain('', sysinfo), { name: '</name><x>', uuid })
    expect(parseDomain(edited)).toMatchObject({ name: '</name><x>', uuid })
    expect(edited).not.toContain(UUID)
  })

  it('says which disk it does not find', () => {
    expect(failureFrom(() => removeDisk(full, 'vdz'))).toMatchObject({ kind: 'not-found', what: 'disk', name: 'vdz' })
  })
})
