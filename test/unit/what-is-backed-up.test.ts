import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { backupLimits, snapshotLimit, whyLeftOut } from '../../src/libvirt/backup-limits.ts'
import { parseDomain } from '../../src/libvirt/domain-xml.ts'

const ROOT = join(import.meta.dirname, '../..')
const page = readFileSync(join(ROOT, 'docs/what-is-backed-up.md'), 'utf8')

const disk = (type: string, source: string, more = '', driver = 'raw'): string =>
  `<disk type='${type}' device='disk'><driver name='qemu' type='${driver}'/>${source}<target dev='vda' bus='virtio'/>${more}</disk>`
const FILE = `<source file='/srv/a.img'/>`
const LUKS = `<encryption format='luks'><secret type='passphrase' uuid='11111111-2222-4333-8444-555555555555'/></encryption>`

interface Kind {
  readonly devices?: string
  readonly os?: string
  readonly more?: string
  readonly attributes?: string
}

/** A VM of each kind that the page has a row for. */
const KINDS: Readonly<Record<string, Kind>> = {
  'image file, qcow2 or raw': { devices: disk('file', FILE, '', 'qcow2') },
  'image with images below it': {
    devices: disk(
      'file',
      FILE,
      `<backingStore type='file'><format type='qcow2'/><source file='/srv/b'/></backingStore>`,
      'qcow2'
    )
  },
  'block device': { devices: disk('block', `<source dev='/dev/vg/a'/>`) },
  'volume of a pool': { devices: disk('volume', `<source pool='p' volume='a'/>`) },
  'NBD export': { devices: disk('network', `<source protocol='nbd' name='a'><host name='store'/></source>`) },
  'iSCSI LUN, RBD image': { devices: disk('network', `<source protocol='rbd' name='p/a'/>`) },
  'other disks on the network (Gluster, SSH, HTTP, ...)': {
    devices: disk('network', `<source protocol='gluster' name='v/a'><host name='store'/></source>`)
  },
  'read-only disk': { devices: disk('file', FILE, '<readonly/>') },
  'shareable disk': { devices: disk('file', FILE, '<shareable/>') },
  'disk whose writes are thrown away': { devices: disk('file', FILE, '<transient/>') },
  'LUKS, raw': { devices: disk('file', `<source file='/srv/l.img'>${LUKS}</source>`) },
  'LUKS inside of qcow2': { devices: disk('file', FILE, LUKS, 'qcow2') },
  'part of a file (`<slices>`), raw': {
    devices: disk(
      'file',
      `<source file='/srv/a.img'><slices><slice type='storage' offset='0' size='512'/></slices></source>`
    )
  },
  'LUN passed through': {
    devices: disk('block', `<source dev='/dev/sdb'/>`).replace("device='disk'", "device='lun'")
  },
  'disk of vhost-user or NVMe': { devices: disk('vhostuser', `<source type='unix' path='/run/v'/>`) },
  'folder shown as a disk': { devices: disk('dir', `<source dir='/srv/d'/>`) },
  'medium in a drive': {
    devices: disk('file', `<source file='/srv/a.iso'/>`).replace("device='disk'", "device='cdrom'")
  },
  'empty drive': { devices: disk('file', '').replace("device='disk'", "device='cdrom'") },
  'firmware variables (NVRAM), file or device': {
    os: `<nvram type='block'><source dev='/dev/vg/nvram'/></nvram>`
  },
  'firmware variables on a server': {
    os: `<nvram type='network'><source protocol='nbd' name='n'><host name='store'/></source></nvram>`
  },
  'TPM, emulated': { devices: `<tpm><backend type='emulator'><source type='dir' path='/srv/tpm'/></backend></tpm>` },
  'TPM, emulated, state in a file': {
    devices: `<tpm><backend type='emulator'><source type='file' path='/srv/tpm'/></backend></tpm>`
  },
  'TPM of the host': { devices: `<tpm><backend type='passthrough'><device path='/dev/tpm0'/></backend></tpm>` },
  'kernel, initrd, device tree of the host': { os: '<kernel>/boot/k</kernel><initrd>/boot/i</initrd>' },
  'host device (PCI, USB, mediated, SCSI)': { devices: `<hostdev mode='subsystem' type='pci'/>` },
  'shared folder': { devices: `<filesystem type='mount'><source dir='/srv/share'/></filesystem>` },
  'memory shared between VMs': { devices: `<shmem name='x'/>` },
  'network card of vhost-user, vDPA or SR-IOV': { devices: `<interface type='hostdev'/>` },
  'network card of a network, bridge or macvtap': {
    devices: `<interface type='direct'><source dev='lan0'/></interface>`
  },
  'settings for QEMU past libvirt (`qemu:`)': {
    attributes: `xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'`,
    more: `<q:commandline><q:arg value='-x'/></q:commandline>`
  }
}

const domainOf = ({ devices = '', os = '', more = '', attributes = '' }: Kind): ReturnType<typeof parseDomain> =>
  parseDomain(
    `<domain type='kvm' ${attributes}><name>web</name><uuid>0b5e3a52-9a3c-4a3e-8f55-6c2a1d5f0e11</uuid><memory>1024</memory><os><type>hvm</type>${os}</os>${more}<devices>${devices}</devices></domain>`
  )

const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| -+ /.test(line))
  .slice(1)
  .map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim())
  )

const RAM = /^Its RAM is in no point/
const isTaken = (limits: readonly string[]): boolean =>
  !limits.some((limit) => /in no point/.test(limit) && !RAM.test(limit))
const answer = (cell = ''): string => /^(in the point|yes|no)/.exec(cell)?.[0] ?? cell

describe('the page on what is backed up', () => {
  it('has a row for each kind, and no other', () => {
    expect(rows.map(([kind]) => kind)).toEqual(Object.keys(KINDS))
  })

  it.each(rows)('says of %s what the code does', (kind = '', running, off, ram, _restored, said) => {
    const domain = domainOf(KINDS[kind] ?? {})
    const [now, later] = [backupLimits(domain, { isOff: false }), backupLimits(domain, { isOff: true })]
    expect({ running: answer(running), off: answer(off), ram: answer(ram), said: answer(said) }).toEqual({
      running: isTaken(now) ? 'in the point' : 'no',
      off: isTaken(later) ? 'in the point' : 'no',
      ram: now.some((limit) => RAM.test(limit)) ? 'no' : 'yes',
      said: now.length === 0 ? 'no' : 'yes'
    })
  })

  it.each(rows)('names tests of %s that exist', (...cells) => {
    const named = [...(cells[6] ?? '').matchAll(/`(test\/[^`]+)`: `([^`]+)`/g)]
    expect(named).not.toEqual([])
    for (const [, file = '', title = ''] of named) expect(readFileSync(join(ROOT, file), 'utf8')).toContain(title)
  })
})

describe('what is said before a backup', () => {
  it('says when a disk is taken after all, and what follows for a restore', () => {
    const [limit] = backupLimits(domainOf(KINDS['shareable disk'] ?? {}), { isOff: false })
    expect(limit).toBe(
      'Disk vda is in no point while the VM runs: other VMs may write to it, so it cannot be held still. A restore leaves it attached as it is on this host, and out elsewhere'
    )
  })

  it('says that QEMU on the host cannot speak to the server of a disk', () => {
    const domain = domainOf(KINDS['iSCSI LUN, RBD image'] ?? {})
    expect(backupLimits(domain, { isOff: false, missingDrivers: ['iscsi'] })).toEqual([])
    expect(backupLimits(domain, { isOff: false, missingDrivers: ['rbd'] })).toEqual([
      'Disk vda is in no point: QEMU on this host has no driver for disks over rbd (packages qemu-block-extra, or qemu-block-rbd). A restore leaves it attached as it is on this host, and out elsewhere'
    ])
  })

  it('says of a medium whether a point can have it', () => {
    const said = (type: string, source: string, driver?: string): string => {
      const devices = disk(type, source, '', driver).replace("device='disk'", "device='cdrom'")
      return backupLimits(domainOf({ devices }), { isOff: false }).join()
    }
    expect(said('file', FILE)).toContain('is in no point unless that is asked for (--media): a restore')
    expect(said('file', FILE, 'qcow2')).toContain('is in no point: its format is qcow2, and points take media only as')
    expect(said('block', `<source dev='/dev/sr0'/>`)).toContain('is in no point: it is no file of this host, and a')
  })

  it('is what the backup itself goes by', () => {
    for (const kind of Object.values(KINDS))
      for (const each of domainOf(kind).disks.filter(({ device }) => device === 'disk' || device === 'lun')) {
        const because = whyLeftOut(each, { isOff: false })
        if (because !== undefined) expect(backupLimits(domainOf(kind), { isOff: false }).join()).toContain(because)
      }
  })

  it('names its snapshots', () => {
    expect(snapshotLimit([])).toEqual([])
    expect(snapshotLimit(['s1', 's2'])).toEqual([expect.stringContaining('(s1, s2)')])
  })
})
