import { describe, expect, it } from 'vitest'
import type { Answers } from '../../../src/engine/restore/answers.ts'
import { checkDevices } from '../../../src/engine/restore/check-devices.ts'
import { hostDevicesIn, withoutDevices } from '../../../src/libvirt/host-devices.ts'
import type { RestoreSpec } from '../../../src/shared/model/job.ts'
import { OTHER, answersFor, asking, flags, guest, hardwareWith, paperHost, said } from './asked-host.ts'

const hostdev = (type: string, source: string): string =>
  `<hostdev mode='subsystem' type='${type}' managed='yes'><source>${source}</source></hostdev>`
const USB = hostdev('usb', `<vendor id='0x1d6b'/><product id='0xfffe'/>`)
const PCI = hostdev('pci', `<address domain='0x0000' bus='0x01' slot='0x00' function='0x1'/>`)
const MDEV = hostdev('mdev', `<address uuid='c2177883-f1bb-47f0-914d-32a22e3a8804'/>`)
const VF = `<interface type='hostdev'><mac address='52:54:00:00:00:01'/><source><address type='pci' domain='0x0000' bus='0x3b' slot='0x02' function='0x0'/></source></interface>`
const SHARE = `<filesystem type='mount'><source dir='/srv/share'/><target dir='share'/></filesystem>`
const FILE = `<serial type='file'><source path='/srv/logs/a.log'/><target port='0'/></serial><console type='file'><source path='/srv/logs/a.log'/><target type='serial' port='0'/></console>`
const LOG = `<serial type='pty'><log file='/srv/logs/b.log'/><target port='1'/></serial>`
const SOCKET = `<channel type='unix'><source mode='bind' path='/run/app/a.sock'/><target type='virtio' name='x'/></channel>`
const OWN = `<channel type='unix'><source mode='bind' path='/var/lib/libvirt/qemu/channel/a'/><target type='virtio' name='org.qemu.guest_agent.0'/></channel>`
const PIPE = `<serial type='pipe'><source path='/srv/p'/></serial>`
const EVDEV = `<input type='evdev'><source dev='/dev/input/by-id/k'/></input>`
const RNG = `<rng model='virtio'><backend model='random'>/dev/hwrng</backend></rng>`
const TPM = `<tpm model='tpm-tis'><backend type='passthrough'><device path='/dev/tpm7'/></backend></tpm>`
const ALL = [USB, PCI, MDEV, VF, SHARE, EVDEV, RNG, TPM, FILE, LOG, SOCKET, OWN, PIPE].join('')
const KERNEL = `<os><type machine='q35'>hvm</type><kernel>/boot/k</kernel><initrd>/boot/i</initrd></os>`
const USB_HERE = { '/sys/bus/usb/devices/1-1/idVendor': '1d6b\n', '/sys/bus/usb/devices/1-1/idProduct': 'fffe\n' }

interface Around {
  readonly files?: Readonly<Record<string, string>>
  readonly vms?: Readonly<Record<string, string>>
}

async function check(
  xml: string,
  { files = {}, vms = {} }: Around = {},
  spec: Partial<RestoreSpec> = {}
): Promise<Answers> {
  const answers = answersFor(spec)
  const request = { asking: asking(xml), displaced: [], brought: [], isCopy: false }
  await checkDevices(paperHost({ vms }), request, await hardwareWith(files), answers)
  return answers
}

describe('devices, folders and files of the host that a definition hands to the guest', () => {
  it('are all named, each once', () => {
    const names = hostDevicesIn(guest(ALL, KERNEL)).map(({ name }) => name)
    expect(names.toSorted()).toEqual(
      [
        'usb:1d6b:fffe',
        'pci:0000:01:00.1',
        'mdev:c2177883-f1bb-47f0-914d-32a22e3a8804',
        'pci:0000:3b:02.0',
        'folder:/srv/share',
        'file:/dev/input/by-id/k',
        'file:/dev/hwrng',
        'file:/dev/tpm7',
        'file:/srv/logs/a.log',
        'file:/srv/p',
        'file:/srv/logs/b.log',
        'file:/run/app/a.sock',
        'file:/boot/k',
        'file:/boot/i'
      ].toSorted()
    )
  })

  it('can be left out by name: ports stay in the guest', () => {
    const names = hostDevicesIn(guest(ALL)).map(({ name }) => name)
    const left = withoutDevices(guest(ALL), names)
    expect(hostDevicesIn(left)).toEqual([])
    expect(left.match(/type="pty"/g)).toHaveLength(5)
    expect(left).toContain('org.qemu.guest_agent.0')
    expect(withoutDevices(guest(USB + PCI), ['usb:1d6b:fffe'])).not.toContain('0xfffe')
    expect(withoutDevices(guest(USB + PCI), ['usb:1d6b:fffe'])).toContain('0x01')
  })
})

describe('a device that is not in this host', () => {
  it('is a problem, and can be left out', async () => {
    const answers = await check(guest(USB + PCI + SHARE))
    expect(said(answers)).toEqual([
      'problem: the USB device 1d6b:fffe is not here',
      'problem: the PCI device 0000:01:00.1 is not here',
      'problem: the shared folder /srv/share is not here'
    ])
    expect(flags(answers)).toEqual(['--drop usb:1d6b:fffe', '--drop pci:0000:01:00.1', '--drop folder:/srv/share'])
  })

  it('is none where it is', async () => {
    const files = { ...USB_HERE, '/sys/bus/pci/devices/0000:01:00.1/x': '', '/srv/share/x': '' }
    expect(said(await check(guest(USB + PCI + SHARE), { files }))).toEqual([])
  })

  it('is left out by choice, after which RAM does not fit', async () => {
    const answers = await check(
      guest(USB + PCI),
      { files: { '/sys/bus/pci/devices/0000:01:00.1/x': '' } },
      { choices: [{ kind: 'drop', device: 'usb:1d6b:fffe' }] }
    )
    expect(said(answers)).toEqual([])
    expect(answers.misfits).toEqual(['the USB device 1d6b:fffe is left out'])
    expect(hostDevicesIn(answers.apply(guest(USB + PCI))).map(({ name }) => name)).toEqual(['pci:0000:01:00.1'])
  })

  it('stays where it is here, whatever was left out at an earlier restore', async () => {
    const remembered = [{ kind: 'drop', device: 'usb:1d6b:fffe' } as const]
    const answers = await check(guest(USB), { files: USB_HERE }, { remembered })
    expect([said(answers), answers.apply(guest(USB))]).toEqual([[], guest(USB)])
    expect((await check(guest(USB), {}, { remembered })).apply(guest(USB))).not.toContain('hostdev')
  })

  it('may be in use by another VM that runs', async () => {
    const running = guest(USB, '', OTHER)
      .replace("<domain type='kvm'>", "<domain type='kvm' id='4'>")
      .replace('>web<', '>shop<')
    const answers = await check(guest(USB), { files: USB_HERE, vms: { [OTHER]: running } })
    expect(said(answers)).toEqual(['problem: the USB device 1d6b:fffe is in use by VM shop'])
    const off = running.replace(" id='4'", '')
    expect(said(await check(guest(USB), { files: USB_HERE, vms: { [OTHER]: off } }))).toEqual([])
  })

  it('is not what a choice was about that names none', async () => {
    const answers = await check(guest(''), {}, { choices: [{ kind: 'drop', device: 'usb:1:2' }] })
    expect(said(answers)).toEqual(['warning: The VM has nothing called usb:1:2, so there is nothing to leave out'])
  })
})

describe('a file of the host that is not here', () => {
  it('is a problem by the folder that it is written to, and RAM fits without it', async () => {
    const answers = await check(guest(FILE + LOG))
    expect(said(answers)).toEqual([
      'problem: the folder for /srv/logs/a.log (its serial port) is not here',
      'problem: the folder for /srv/logs/b.log (its serial port) is not here'
    ])
    expect(said(await check(guest(FILE + LOG), { files: { '/srv/logs/x': '' } }))).toEqual([])
    const dropped = await check(guest(FILE), {}, { choices: [{ kind: 'drop', device: 'file:/srv/logs/a.log' }] })
    expect([said(dropped), dropped.misfits]).toEqual([[], []])
    expect(dropped.apply(guest(FILE))).not.toContain('/srv/logs')
  })

  it('is a problem that only the host can mend where it is the kernel', async () => {
    const answers = await check(guest('', KERNEL))
    expect(said(answers)).toEqual([
      'problem: its kernel /boot/k is not here',
      'problem: its initrd /boot/i is not here'
    ])
    expect(answers.list.items.map(({ fix }) => fix)).toEqual(['bring /boot/k here', 'bring /boot/i here'])
    expect(flags(answers)).toEqual([])
  })
})
