import { describe, expect, it } from 'vitest'
import { hostCpuModel } from '../../src/engine/host-facts.ts'
import { preflightRestore } from '../../src/engine/restore/plan-restore.ts'
import { RestoreTrace } from '../../src/engine/restore/restore-plan.ts'
import type { PreflightItem } from '../../src/shared/engine-protocol.ts'
import type { JournalEntry, RestoreSpec } from '../../src/shared/model/job.ts'
import type { Manifest } from '../../src/shared/model/point.ts'
import { addDisk, setEmulator } from '../../src/libvirt/domain-xml-edit.ts'
import { parseDomain } from '../../src/libvirt/domain-xml.ts'
import { cpuFits, emulatorIn, qemuOwner } from '../../src/libvirt/host.ts'
import { fakeShell } from '../../src/shell/fake.ts'
import { FILES, POINT, VM, manifestOf, temporaryStore } from './store-points.ts'

const CAPABILITIES = '<domainCapabilities><path>/usr/bin/qemu-here</path></domainCapabilities>'
const disk = (target: string, more = ''): string =>
  `<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/nowhere/${target}.img'/><target dev='${target}' bus='virtio'/>${more}</disk>`
const cdrom = (path: string): string =>
  `<disk type='file' device='cdrom'><source file='${path}'/><target dev='sda' bus='sata'/><readonly/></disk>`
const domain = (devices: string, more = ''): string =>
  `<domain type='kvm'><name>web &lt;1&gt;</name><uuid>${VM}</uuid><memory>1024</memory><os><type machine='q35'>hvm</type></os>${more}<devices>${devices}</devices></domain>`
const PASSTHROUGH = "<cpu mode='host-passthrough'/>"

interface Definitions {
  readonly next: string
  readonly ram: string
  readonly cpuModel?: string | undefined
}

/** What a host without VMs says to a restore with RAM of a point that is elsewhere. */
async function look({ next, ram, cpuModel }: Definitions, manifest: Partial<Manifest> = {}): Promise<PreflightItem[]> {
  const shell = fakeShell(({ argv: [, verb] }) => {
    if (verb === 'domstate') return { exitCode: 1, stderr: `error: failed to get domain '${VM}'` }
    return verb === 'domcapabilities' ? CAPABILITIES : ''
  })
  const spec: RestoreSpec = {
    kind: 'restore',
    vm: VM,
    vmName: 'web <1>',
    hostName: 'beta',
    point: POINT,
    store: await temporaryStore(),
    mode: 'resume',
    replace: false
  }
  const memory = { memory: { file: 'memory.save', ramBytes: 1 } }
  const files = {
    manifest: JSON.stringify(manifestOf(FILES, { ...memory, ...manifest })),
    domain: next,
    host: JSON.stringify({ networks: [], cpuModel: cpuModel ?? (await hostCpuModel()) ?? 'a CPU' }),
    memory: ram
  }
  return preflightRestore(shell, spec, files)
}

const warnings = (items: readonly PreflightItem[], check: string): string[] =>
  items.filter((item) => item.check === check && item.state === 'warning').map(({ text }) => text)

describe('RAM and the disks of its own definition', () => {
  it('fit where a disk waits for the next start only', async () => {
    const items = await look({
      next: domain(disk('vda') + disk('vdc'), PASSTHROUGH),
      ram: domain(disk('vda'), PASSTHROUGH)
    })
    expect(warnings(items, 'mode')).toEqual([])
    expect(warnings(items, 'disks').join()).toContain('vdc is not in the point')
  })

  it('fit where a medium is gone that was inserted while it ran', async () => {
    const ram = domain(disk('vda') + cdrom('/nowhere/a.iso'), PASSTHROUGH)
    const items = await look({ next: domain(disk('vda'), PASSTHROUGH), ram })
    expect(warnings(items, 'mode')).toEqual([])
    expect(warnings(items, 'disks')).toEqual([
      'The medium in sda (/nowhere/a.iso) is not here; the drive is left empty'
    ])
  })

  it('do not fit where one that it knows is elsewhere, which is said once', async () => {
    const both = domain(disk('vda') + disk('vdb'), PASSTHROUGH)
    const items = await look({ next: both, ram: both })
    expect(warnings(items, 'mode').join()).toContain('vdb is not in the point, so the VM is booted')
    expect(warnings(items, 'disks')).toHaveLength(1)
  })
})

describe('RAM and the processor', () => {
  const definition = domain(disk('vda'), PASSTHROUGH)

  it('fit on the same CPU', async () => {
    const items = await look({ next: definition, ram: definition })
    expect(items.find(({ check }) => check === 'processor')).toMatchObject({ state: 'ok' })
  })

  it('of its host do not fit another: it boots, and says why before', async () => {
    const items = await look({ next: definition, ram: definition, cpuModel: 'Another CPU @ 9 GHz' })
    expect(warnings(items, 'mode').join()).toMatch(/Another CPU @ 9 GHz.*so the VM is booted/)
  })

  it.each([
    [0, 'The CPU provided by hypervisor on the host is a superset of CPU described in x', true],
    [1, 'CPU described in x is incompatible with the CPU provided by hypervisor on the host', false],
    [1, '', undefined]
  ])('are compared by libvirt: exit code %s, "%s"', async (exitCode, stdout, fits) => {
    const shell = fakeShell({ virsh: { exitCode, stdout, stderr: stdout === '' ? 'error: unsupported' : '' } })
    expect(await cpuFits(shell, '/x', { virtType: 'kvm', arch: 'x86_64', machine: 'q35' })).toBe(fits)
  })
})

describe('a program or firmware of another distribution', () => {
  it('is replaced by the one of this host, or named', async () => {
    const devices = `<emulator>/nowhere/qemu-kvm</emulator>${disk('vda')}`
    const items = await look({ next: domain(devices, PASSTHROUGH), ram: domain(devices, PASSTHROUGH) })
    expect(warnings(items, 'emulator')).toEqual([
      'The program /nowhere/qemu-kvm is not here: /usr/bin/qemu-here runs the VM'
    ])
    expect(emulatorIn(CAPABILITIES)).toBe('/usr/bin/qemu-here')
    expect(parseDomain(setEmulator(domain(devices), '/here')).emulator).toBe('/here')
    const bios = domain(disk('vda')).replace('</os>', "<loader type='rom'>/nowhere/bios.bin</loader></os>")
    expect(await look({ next: bios, ram: bios })).toContainEqual(
      expect.objectContaining({ check: 'firmware', state: 'problem' })
    )
  })
})

describe('a disk of the point that the definition lacks', () => {
  const place = { path: '/new.qcow2', format: 'qcow2' }

  it('is added as the RAM knows it, without the address, or as a plain disk of its name', () => {
    const ram = domain(disk('vda') + disk('vdb', "<serial>S1</serial><address type='pci' slot='0x05'/>"))
    const added = addDisk(domain(disk('vda')), 'vdb', place, ram) ?? ''
    expect(parseDomain(added).disks).toMatchObject([{ target: 'vda' }, { target: 'vdb', source: '/new.qcow2' }])
    expect(added).toContain('<serial>S1</serial>')
    expect(added).not.toContain('<address')
    const plain = addDisk(domain(''), 'vdb', place, undefined) ?? ''
    expect(plain).toContain('<target dev="vdb" bus="virtio"/>')
    expect(parseDomain(plain).disks).toMatchObject([{ target: 'vdb', format: 'qcow2' }])
    expect(addDisk(domain(''), 'nvme0', place, undefined)).toBeUndefined()
  })
})

describe('whom QEMU runs as', () => {
  const capabilities = `<capabilities><host><secmodel><model>none</model></secmodel><secmodel><model>dac</model>
    <baselabel type='kvm'>+64055:+108</baselabel><baselabel type='qemu'>+1:+2</baselabel></secmodel></host></capabilities>`

  it('is said by libvirt, for each kind of guest', async () => {
    expect(await qemuOwner(fakeShell({ virsh: capabilities }), 'kvm')).toEqual({ uid: 64055, gid: 108 })
    expect(await qemuOwner(fakeShell({ virsh: '<capabilities/>' }), 'kvm')).toBeUndefined()
  })
})

describe('the journal of a restore', () => {
  const at = '2026-11-28T05:00:00.000Z'
  const step = (name: string, data: Record<string, unknown> = {}): JournalEntry => ({
    n: 0,
    at,
    type: 'step',
    step: name,
    data
  })
  const vm = (name: string): Record<string, unknown> => ({
    uuid: VM,
    name,
    wasActive: false,
    autostart: false,
    definition: '',
    renames: []
  })
  const plan = {
    vm: VM,
    vmName: 'web',
    mode: 'boot',
    pointDir: '/p',
    disks: [],
    displaced: [vm('as planned')],
    orphans: [],
    networks: { define: [], start: [] },
    definition: '',
    runsAfterwards: 'running',
    autostart: false,
    hasAgent: false,
    takenAt: at
  }

  it('has the VM that made way as it was found right before, not as it was planned', () => {
    const trace = new RestoreTrace([
      step('prepare', { plan }),
      step('displace', { displaced: [vm('as found')], orphans: [] })
    ])
    expect(trace.plan?.displaced.map(({ name }) => name)).toEqual(['as found'])
    expect([trace.announced('displace'), trace.done('displace'), trace.announced('place')]).toEqual([
      true,
      false,
      false
    ])
  })

  it('is read where an earlier engine wrote it, which noted no roles', () => {
    const kernel = { file: 'boot/kernel-0', formerPath: '/k', path: '/p/k', staged: '/p/k.staged' }
    const medium = { ...kernel, role: 'medium' }
    const trace = new RestoreTrace([step('prepare', { plan: { ...plan, boot: [kernel, medium] } })])
    expect(trace.plan?.boot).toEqual([{ ...kernel, role: 'kernel' }, medium])
  })

  it('says nothing of a job that touched nothing', () => {
    expect(new RestoreTrace([step('verify')]).plan).toBeUndefined()
  })
})
