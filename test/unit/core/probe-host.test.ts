import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Core } from '../../../src/main/core/core.ts'
import { addHost } from '../../../src/main/core/hosts/hosts.ts'
import { isUsable, probeHost, services, type ProbeItem } from '../../../src/main/core/hosts/probe-host.ts'
import { openSettings } from '../../../src/main/core/settings/settings-file.ts'
import { failureOf } from '../../../src/shared/failure.ts'
import { fakeShell } from '../../../src/shell/fake.ts'
import { localShell } from '../../../src/shell/local.ts'

interface Told {
  /** What the first script says behind who we are. */
  readonly look?: readonly string[]
  /** Sections of the second. */
  readonly sections?: Readonly<Record<string, string>>
}

/** A host on paper: what it says of itself, and what its libvirt says. */
function hostTelling({ look = ['apt', 'libvirtd'], sections = {} }: Told): ReturnType<typeof fakeShell> {
  return fakeShell(({ argv }) => {
    if (argv[2]?.startsWith('\nid -u') === true) return ['0', 'systemd', ...look].join('\n')
    const mark = argv[4] ?? ''
    const all = { begin: '', version: '', 'list-status': '0', list: '', ...sections, end: '' }
    return Object.entries(all)
      .map(([name, text]) => `\n${mark} ${name}\n${text}\n`)
      .join('')
  })
}

const itemsOf = async (told: Told, check: string): Promise<ProbeItem[]> =>
  (await probeHost(hostTelling(told))).items.filter((item) => item.check === check)

describe('a host that is added', () => {
  /** What came of it, and what is remembered of the host. */
  async function added(machineId: string): Promise<{ failure?: unknown; machineId?: string | undefined }> {
    const folder = mkdtempSync(join(tmpdir(), 'stillpoint-added-'))
    const settings = openSettings(folder)
    const shell = hostTelling({ sections: { 'machine-id': machineId } })
    const connections = {
      try: () => Promise.resolve({ shell, close: () => Promise.resolve() }),
      adopt: () => Promise.resolve(),
      engine: () => Promise.resolve({ call: () => Promise.resolve({}) })
    }
    const core = { settings, connections } as unknown as Core
    try {
      await addHost(core, {
        name: 'evil',
        address: '192.0.2.1',
        user: 'root',
        port: undefined,
        identityFile: undefined
      })
      return { machineId: settings.read().hosts[0]?.machineId }
    } catch (error) {
      expect(settings.read().hosts).toEqual([])
      return { failure: failureOf(error) }
    } finally {
      rmSync(folder, { recursive: true })
    }
  }

  it('is known by the name of its machine', async () => {
    expect(await added('f'.repeat(32))).toEqual({ machineId: 'f'.repeat(32) })
  })

  it.each(['', 'uninitialized', '0b5e3a52-9a3c-4a3e-8f55-6c2a1d5f0e11'])(
    'is there without one that tells it from others: “%s”',
    async (machineId) => {
      expect(await added(machineId)).toEqual({ machineId: undefined })
    }
  )

  it.each(['f'.repeat(65), 'f'.repeat(300), 'two words', '../../etc', 'a\u202eb', '{"a":1}'])(
    'is refused in words where that is no name: “%s”',
    async (machineId) => {
      expect(await added(machineId)).toMatchObject({
        failure: { kind: 'bad-output', what: '/etc/machine-id on evil' }
      })
    }
  )
})

describe('the checklist of a host', () => {
  it('is in order where nothing is missing', async () => {
    const probe = await probeHost(hostTelling({}))
    expect(isUsable(probe)).toBe(true)
    expect(probe.items.map(({ state }) => state)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok'])
  })

  it.each([
    ['apt', 'apt install qemu-utils'],
    ['dnf', 'dnf install /usr/bin/qemu-img'],
    ['zypper', 'zypper install /usr/bin/qemu-img'],
    ['pacman', 'pacman -F qemu-img names the package; then pacman -S it'],
    ['unknown', 'apt install qemu-utils']
  ])('names what brings a program that is missing, with %s', async (installer, fix) => {
    const told = { look: [installer, 'libvirtd', 'missing qemu-img'] }
    expect(await itemsOf(told, 'tools')).toMatchObject([{ state: 'problem', text: 'qemu-img is missing', fix }])
  })

  it.each([
    ['libvirtd', 'systemctl status libvirtd'],
    ['virtqemud', 'systemctl enable --now virtqemud.socket']
  ])('names the daemon to look at where libvirt does not answer: %s', async (daemon, fix) => {
    const told = { look: ['dnf', daemon], sections: { 'list-status': '1', version: 'error: no socket' } }
    expect(await itemsOf(told, 'libvirt')).toMatchObject([{ state: 'problem', fix }])
  })

  it('names modular daemons that are not there, with what does not go without them', async () => {
    const told = { look: ['dnf', 'virtqemud', 'idle virtnetworkd', 'idle virtsecretd'] }
    expect(await itemsOf(told, 'libvirt')).toMatchObject([
      { state: 'ok' },
      { state: 'warning', fix: 'systemctl enable --now virtnetworkd.socket' },
      { state: 'warning', text: 'virtsecretd is not there: encrypted disks cannot be opened' }
    ])
    expect(isUsable(await probeHost(hostTelling(told)))).toBe(true)
  })

  it('names VMs of users’ own libvirt, which nobody looks after', async () => {
    const sections = {
      'session-vms': [
        'anna\t/home/anna/.config/libvirt/qemu/web 1.xml',
        'anna\t/run/user/1000/libvirt/qemu/run/web 1.xml',
        'bo\t/home/bo/.config/libvirt/qemu/\u202ex.xml',
        'no line of this kind'
      ].join('\n')
    }
    const { items, inventory } = await probeHost(hostTelling({ sections }))
    const item = items.find(({ check }) => check === 'session VMs')
    expect(item).toMatchObject({
      state: 'warning',
      text: '2 VMs of users’ own libvirt (qemu:///session) are not looked after: web 1 (anna), \\u{202e}x (bo)',
      fix: expect.stringContaining('virsh -c qemu:///session dumpxml') as string
    })
    expect(inventory?.sessionVms?.map(({ name, isRunning }) => [name, isRunning])).toEqual([
      ['web 1', true],
      ['\u202ex', false]
    ])
  })

  it('has what its systemd made of the engine', () => {
    expect(services(undefined)).toMatchObject({ state: 'ok' })
    expect(services({ reason: 'closed', fix: 'open it' })).toMatchObject({
      state: 'problem',
      text: 'closed',
      fix: 'open it'
    })
  })

  it('tells daemons by their sockets, as they start by themselves', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'stillpoint probe '))
    const active = (units: string): string =>
      `[ "$1" = is-active ] && case " ${units} " in *" $3 "*) exit 0 ;; esac; exit 1`
    const look = async (units: string): Promise<ProbeItem[]> => {
      writeFileSync(join(folder, 'systemctl'), `#!/bin/sh\n${active(units)}\n`, { mode: 0o755 })
      const path = `${folder}:${process.env['PATH'] ?? ''}`
      const shell = localShell({ env: { PATH: path } })
      return (await probeHost(shell)).items.filter(({ fix }) => /virt\w+d\.socket$/.test(fix))
    }
    try {
      mkdirSync(join(folder, 'x'))
      symlinkSync('/bin/false', join(folder, 'virsh'))
      expect(await look('libvirtd.socket')).toEqual([])
      const modular = 'virtqemud.socket virtstoraged.service virtlogd.socket virtsecretd.socket'
      expect((await look(modular)).map(({ fix }) => fix)).toEqual([
        'systemctl enable --now virtqemud.socket', // virsh here answers nothing
        'systemctl enable --now virtnetworkd.socket'
      ])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
