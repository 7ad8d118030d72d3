import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Answers } from '../../../src/engine/restore/answers.ts'
import { checkFirmware, checkMachine } from '../../../src/engine/restore/check-machine.ts'
import { firmwareHere } from '../../../src/engine/restore/firmware-here.ts'
import { setHostCpu } from '../../../src/libvirt/domain-xml-edit.ts'
import { parseDomain } from '../../../src/libvirt/domain-xml.ts'
import { fitsGuest, parseFirmwareDescriptor, type FirmwareImage } from '../../../src/libvirt/firmware-builds.ts'
import { machineFamily } from '../../../src/libvirt/host.ts'
import { displayIn, spiceToVnc } from '../../../src/libvirt/spice.ts'
import type { RestoreSpec } from '../../../src/shared/model/job.ts'
import { answersFor, asking, flags, guest, paperHost, said } from './asked-host.ts'

const os = (machine: string, more = ''): string => `<os><type arch='x86_64' machine='${machine}'>hvm</type>${more}</os>`
const SPICE = `<graphics type='spice' port='5901' tlsPort='5902' autoport='no' defaultMode='any' passwd='x'><listen type='address' address='127.0.0.1'/><image compression='off'/></graphics>
  <video><model type='qxl' ram='65536' vram='65536' vgamem='16384' heads='1' primary='yes'/></video>
  <channel type='spicevmc'><target type='virtio' name='com.redhat.spice.0'/></channel>
  <redirdev bus='usb' type='spicevmc'/><audio id='1' type='spice'/>`
const offered = (screens: string, cards: string, machine = 'pc-q35-7.2'): string =>
  `<domainCapabilities><path>/usr/bin/true</path><machine>${machine}</machine><devices>
   <graphics supported='yes'><enum name='type'>${values(screens)}</enum></graphics>
   <video supported='yes'><enum name='modelType'>${values(cards)}</enum></video></devices></domainCapabilities>`
const values = (list: string): string =>
  list
    .split(' ')
    .map((value) => `<value>${value}</value>`)
    .join('')
const BOOKWORM = {
  q35: offered('sdl vnc spice', 'vga qxl virtio'),
  'pc-q35-7.2': offered('vnc spice', 'vga qxl virtio')
}
const NO_SPICE = { q35: offered('sdl vnc', 'vga cirrus virtio none') }

async function check(
  xml: string,
  capabilities: Readonly<Record<string, string>>,
  spec: Partial<RestoreSpec> = {},
  cpuFits = true
): Promise<Answers> {
  const answers = answersFor(spec)
  const [asked] = asking(xml)
  if (asked !== undefined) await checkMachine(paperHost({ capabilities, cpuFits }), asked, answers)
  return answers
}

describe('a machine type that this host does not know', () => {
  const newer = guest('', os('pc-q35-10.0'))

  it('is a problem; the newest of its family is a choice, with which RAM does not fit', async () => {
    const answers = await check(newer, BOOKWORM)
    expect(said(answers)).toEqual([`problem: this host's QEMU does not know machine type pc-q35-10.0`])
    expect(answers.list.items[0]?.choices?.[0]?.label).toContain('pc-q35-7.2')
    const chosen = await check(newer, BOOKWORM, { choices: [{ kind: 'host-machine' }] })
    expect([said(chosen), chosen.misfits]).toEqual([[], ['its machine type is pc-q35-7.2']])
    expect(parseDomain(chosen.apply(newer)).machine).toBe('pc-q35-7.2')
  })

  it('has nothing to choose where the family is not known either', async () => {
    expect(flags(await check(newer, {}))).toEqual([])
    expect(said(await check(newer, {}, { choices: [{ kind: 'host-machine' }] }))).toHaveLength(1)
  })

  it.each([
    ['pc-q35-rhel9.2.0', 'q35'],
    ['pc-i440fx-7.2', 'pc'],
    ['pc-1.0', 'pc'],
    ['virt-8.0', 'virt'],
    ['s390-ccw-virtio-7.2', 's390-ccw-virtio'],
    ['pseries-rhel8.6.0', 'pseries'],
    ['q35', undefined],
    ['microvm', undefined]
  ])('%s is a %s', (machine, family) => expect(machineFamily(machine)).toBe(family))
})

describe('the watchdog that a newer libvirt writes into every q35', () => {
  const xml = guest(`<watchdog model='itco' action='reset'/><watchdog model='i6300esb' action='reset'/>`, os('q35'))
  const by = async (libvirt: string): Promise<Answers> => {
    const answers = answersFor()
    const version = `Using library: libvirt ${libvirt}\nRunning hypervisor: QEMU 7.2.9\n`
    const shell = paperHost({ capabilities: BOOKWORM, answers: { version } })
    const [asked] = asking(xml)
    if (asked !== undefined) await checkMachine(shell, asked, answers)
    return answers
  }

  it('is left out where libvirt does not know it, and no other', async () => {
    const old = await by('9.0.0')
    expect(said(old)).toEqual(['warning: The watchdog itco is left out: libvirt 9.0.0 of this host does not know it'])
    expect(old.apply(xml)).not.toContain('itco')
    expect(old.apply(xml)).toContain('i6300esb')
    for (const version of ['9.1.0', '10.0.0', '11.3.0']) expect(said(await by(version))).toEqual([])
  })
})

describe('SPICE on a QEMU without', () => {
  const xml = guest(SPICE, os('q35'))

  it('is a problem, and VNC a choice, with which RAM does not fit', async () => {
    const answers = await check(xml, NO_SPICE)
    expect(said(answers)).toEqual([`problem: this host's QEMU has no spice screens and no qxl video cards`])
    expect(flags(answers)).toEqual(['--spice-to-vnc'])
    const chosen = await check(xml, NO_SPICE, { choices: [{ kind: 'spice-to-vnc' }] })
    expect([said(chosen), chosen.misfits]).toEqual([[], ['its screen is VNC instead of SPICE']])
    expect(displayIn(chosen.apply(xml))).toEqual({ screens: ['vnc'], videoCards: ['virtio'] })
    expect(said(await check(xml, BOOKWORM))).toEqual([])
  })

  it('goes with all that belongs to it; password and address stay', () => {
    const edited = spiceToVnc(xml, 'vga')
    expect(edited).not.toMatch(/spice|qxl|vgamem|tlsPort|defaultMode|compression/)
    expect(edited).toMatch(/<graphics type="vnc" port="5901" autoport="no" passwd="x"><listen type="address"/)
    expect(edited).toContain('<audio id="1" type="none"/>')
    const both = spiceToVnc(guest(`<graphics type='vnc' port='5999'/>${SPICE}`), 'virtio')
    expect(both.match(/<graphics/g)).toHaveLength(1)
  })

  it('is not a way round another screen that is missing', async () => {
    const answers = await check(guest(`<graphics type='egl-headless'/>`, os('q35')), NO_SPICE)
    expect(said(answers)).toEqual([`problem: this host's QEMU has no egl-headless screens`])
    expect(flags(answers)).toEqual([])
  })
})

describe('a CPU that this host does not have', () => {
  const xml = guest(
    '',
    `${os('q35')}<cpu mode='custom' match='exact' check='partial'><model fallback='forbid'>EPYC</model><vendor>AMD</vendor><topology sockets='1' cores='2' threads='1'/><feature policy='require' name='avx512f'/></cpu>`
  )

  it('is exchanged for that of the host: the topology stays', () => {
    const edited = setHostCpu(xml)
    expect(edited).toContain('<cpu mode="host-model"><topology')
    expect(edited).not.toMatch(/EPYC|avx512f|AMD|check=/)
  })

  it('is a problem for a VM that starts; that of the host is a choice, with which RAM does not fit', async () => {
    const answers = await check(xml, BOOKWORM, {}, false)
    expect(said(answers)).toEqual(['problem: the CPU of this host lacks something that the VM insists on (EPYC)'])
    expect(flags(answers)).toEqual(['--host-cpu'])
    const chosen = await check(xml, BOOKWORM, { choices: [{ kind: 'host-cpu' }] }, false)
    expect([said(chosen), chosen.misfits]).toEqual([[], ['its CPU is that of this host']])
    expect(parseDomain(chosen.apply(xml)).cpu.mode).toBe('host-model')
  })

  it('counts where libvirt compares it before a start, and nowhere else', async () => {
    expect(said(await check(xml, BOOKWORM, { mode: 'define' }, false))).toEqual([])
    expect(said(await check(xml.replace('partial', 'none'), BOOKWORM, {}, false))).toEqual([])
    expect(said(await check(xml, BOOKWORM))).toEqual([])
  })
})

/** As Debian 12 ships them. */
const descriptor = (code: string, vars: string, features: readonly string[] = []): string =>
  JSON.stringify({
    description: 'x',
    'interface-types': ['uefi'],
    mapping: {
      device: 'flash',
      executable: { filename: code, format: 'raw' },
      'nvram-template': { filename: vars, format: 'raw' }
    },
    targets: [{ architecture: 'x86_64', machines: ['pc-i440fx-*', 'pc-q35-*'] }],
    features
  })

describe('firmware of another distribution', () => {
  const build = parseFirmwareDescriptor(descriptor('/a', '/b'))
  const image: FirmwareImage = { path: '/usr/share/edk2/ovmf/OVMF_CODE.fd', format: 'raw', isSecure: false }

  it.each([
    ['pc-q35-9.0', image, true],
    ['q35', image, true],
    ['virt-8.0', image, false],
    ['pc-q35-9.0', { ...image, isSecure: true }, false],
    ['pc-q35-9.0', { ...image, format: 'qcow2' }, false]
  ])('fits a %s with %j: %s', (machine, asked, expected) => {
    expect(build && fitsGuest(build, asked, { arch: 'x86_64', machine })).toBe(expected)
    expect(build && fitsGuest(build, asked, { arch: 'aarch64', machine })).toBe(false)
  })

  it('is found by the descriptors of the host, those of its administrator first', async () => {
    const root = await mkdtemp(join(tmpdir(), 'stillpoint-firmware-'))
    onTestFinished(() => rm(root, { recursive: true, force: true }))
    const files = {
      '/usr/share/qemu/firmware/60-a.json': descriptor('/usr/a', '/usr/b', ['requires-smm']),
      '/usr/share/qemu/firmware/50-a.json': descriptor('/usr/c', '/usr/d'),
      '/etc/qemu/firmware/60-a.json': descriptor('/etc/a', '/etc/b'),
      '/usr/share/qemu/firmware/10-broken.json': '{',
      '/usr/share/qemu/firmware/11-bios.json': descriptor('/x', '/y').replace('uefi', 'bios')
    }
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(root + path), { recursive: true })
      await writeFile(root + path, text)
    }
    expect((await firmwareHere(root)).map(({ path }) => path)).toEqual(['/usr/c', '/etc/a'])
    expect(await firmwareHere('/nowhere')).toEqual([])
  })

  it('takes the place of the missing one where its variables have the same size', async () => {
    const root = await mkdtemp(join(tmpdir(), 'stillpoint-firmware-'))
    onTestFinished(() => rm(root, { recursive: true, force: true }))
    const [code, vars] = [join(root, 'code.fd'), join(root, 'vars.fd')]
    for (const path of [code, vars]) await writeFile(path, 'four')
    const xml = guest(
      '',
      os(
        'pc-q35-7.2',
        `<loader readonly='yes' type='pflash'>/nowhere/C.fd</loader><nvram template='/nowhere/V.fd'>/v</nvram>`
      )
    )
    const [asked] = asking(xml)
    const builds = [
      parseFirmwareDescriptor(descriptor('/nowhere/x', vars)),
      parseFirmwareDescriptor(descriptor(code, vars))
    ]
    const here = builds.filter((each) => each !== undefined)
    const found = answersFor()
    if (asked !== undefined) await checkFirmware(asked, 4, found, () => Promise.resolve(here))
    expect(said(found)).toEqual([
      `warning: The firmware /nowhere/C.fd is not here: ${code}, of the same kind, runs the VM`
    ])
    expect(found.misfits).toEqual([])
    expect(parseDomain(found.apply(xml))).toMatchObject({ loader: code, nvram: { path: '/v', template: vars } })
    const other = answersFor()
    if (asked !== undefined) await checkFirmware(asked, 5, other, () => Promise.resolve(here))
    expect(said(other)).toEqual(['problem: the firmware /nowhere/C.fd is not here'])
  })
})
