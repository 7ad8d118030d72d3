import { describe, expect, it } from 'vitest'
import type { Core } from '../../../src/main/core/core.ts'
import { twinsOf } from '../../../src/main/core/hosts/twins.ts'
import type { Shell } from '../../../src/shared/shell.ts'
import { fakeShell } from '../../../src/shell/fake.ts'

const A = 'a'.repeat(32)
const B = 'b'.repeat(32)
const BOOT = '99999999-2222-4333-8444-555555555555'
const VM = '11111111-2222-4333-8444-555555555555'
const DISKS = `<disk type='file' device='disk'><source file='/srv/a.qcow2'/><target dev='vda'/></disk>
  <disk type='block' device='disk'><source dev='/dev/mapper/lun'/><target dev='vdb'/><shareable/></disk>
  <disk type='file' device='cdrom'><source file='/srv/a.iso'/><target dev='sda'/><readonly/></disk>`
const UNKNOWN = { exitCode: 1, stderr: `error: failed to get domain '${VM}'\nerror: Domain not found` }

interface PaperTwin {
  readonly state: string
  readonly autostart?: boolean
}

/** A host that has the VM so, or not at all. */
const hostWith = (twin?: PaperTwin, identity = ''): Shell =>
  fakeShell(({ argv: [program, verb] }) => {
    if (program === 'cat') return identity
    if (twin === undefined) return UNKNOWN
    if (verb === 'domstate') return `${twin.state} (unknown)`
    if (verb === 'dominfo')
      return `Persistent: yes\nAutostart: ${twin.autostart === true ? 'enable' : 'disable'}\nManaged save: no`
    return `<domain type='kvm'><name>web1</name><uuid>${VM}</uuid><memory>1</memory><devices>${DISKS}</devices></domain>`
  })

type Connected = Shell | 'never answers' | undefined

/** Hosts of the book, each with its connection, if it has one. */
function coreWith(
  hosts: Readonly<Record<string, { machineId?: string; address?: string; connected?: Connected }>>
): Core {
  const connected = (name: string): Promise<unknown> => {
    const shell = hosts[name]?.connected
    if (shell === 'never answers') return new Promise(() => undefined)
    return Promise.resolve(shell && { shell })
  }
  const records = Object.entries(hosts).map(([name, { machineId, address = name }]) => ({
    name,
    address,
    ...(machineId !== undefined && { machineId })
  }))
  return { settings: { read: () => ({ hosts: records }) }, connections: { connected } } as unknown as Core
}

const ALPHA = { name: 'alpha', machineId: A }

describe('the same VM on other hosts', () => {
  it('is found where it runs, with the disks that only one of the two may write to', async () => {
    const core = coreWith({ alpha: { machineId: A, connected: hostWith({ state: 'running' }) }, beta: {} })
    expect(await twinsOf(core, VM, 'beta', ALPHA)).toEqual({
      twins: [
        { host: 'alpha', machineId: A, name: 'web1', state: 'running', autostart: false, images: ['/srv/a.qcow2'] }
      ]
    })
  })

  it.each<[PaperTwin | undefined, number]>([
    [{ state: 'paused' }, 1],
    [{ state: 'shut off', autostart: true }, 1],
    [{ state: 'shut off' }, 0],
    [undefined, 0]
  ])('%j: %i', async (twin, count) => {
    const core = coreWith({ alpha: { connected: hostWith(twin) }, beta: {} })
    const { twins = [] } = await twinsOf(core, VM, 'beta', ALPHA)
    expect(twins).toHaveLength(count)
    if (twin?.state === 'shut off') expect(twins.flatMap(({ images }) => images)).toEqual([])
  })

  it('is not looked for where it is restored, under whatever name or user that host is known', async () => {
    const beta = hostWith({ state: 'running' }, `${B}\n${BOOT}\n`)
    const byIp = coreWith({ beta: { machineId: B, connected: beta }, 'beta-by-ip': { machineId: B, connected: beta } })
    expect(await twinsOf(byIp, VM, 'beta', ALPHA)).toEqual({ twins: [] })
    const asOther = coreWith({ beta: { connected: beta }, 'beta-as-other': { address: 'beta', connected: beta } })
    expect(await twinsOf(asOther, VM, 'beta', ALPHA)).toEqual({})
  })

  it.each([
    ['that were made from one image', A, BOOT.replaceAll('9', '8')],
    ['that have no machine id', '', BOOT],
    ['whose machine id is not set', 'uninitialized', BOOT],
    ['whose machine id is all zeros', '0'.repeat(32), BOOT],
    ['that do not say when they booted', A, ''],
    ['that say nothing of who they are', '', '']
  ])('is found on another of two machines %s', async (_, machineId, boot) => {
    const alpha = hostWith({ state: 'running' }, `${machineId}\n${boot}\n`)
    const beta = hostWith(undefined, `${machineId}\n${boot.replaceAll('8', '9')}\n`)
    const core = coreWith({ alpha: { machineId, connected: alpha }, beta: { machineId, connected: beta } })
    const { twins } = await twinsOf(core, VM, 'beta', { name: 'alpha', machineId })
    expect(twins?.map(({ host }) => host)).toEqual(['alpha'])
  })
})

describe('a host that cannot be asked', () => {
  it('is named where the point was taken there, and passed over where not', async () => {
    const core = coreWith({ alpha: {}, beta: {}, gamma: { connected: hostWith() } })
    expect(await twinsOf(core, VM, 'beta', ALPHA)).toEqual({ twins: [], originAway: 'alpha' })
    expect(await twinsOf(core, VM, 'beta', { name: 'gamma', machineId: '' })).toEqual({ twins: [] })
  })

  it('holds nothing up, even where its connection is half dead', async () => {
    const core = coreWith({
      alpha: { connected: 'never answers' },
      beta: {},
      gamma: { connected: hostWith({ state: 'running' }) }
    })
    const seen = await twinsOf(core, VM, 'beta', ALPHA, 50)
    expect([seen.originAway, seen.twins?.map(({ host }) => host)]).toEqual(['alpha', ['gamma']])
  })

  it('is known by its machine id under another name; one that was rebuilt is another machine', async () => {
    const away = coreWith({ 'old-alpha': { machineId: A }, beta: {} })
    expect(await twinsOf(away, VM, 'beta', ALPHA)).toEqual({ twins: [], originAway: 'old-alpha' })
    const rebuilt = coreWith({ alpha: { machineId: 'e'.repeat(32) }, beta: {} })
    expect(await twinsOf(rebuilt, VM, 'beta', ALPHA)).toEqual({ twins: [] })
  })

  it('is the one of that name among machines that were made from one image, and could be any where none has it', async () => {
    const ofOneImage = {
      other: { machineId: A, connected: hostWith() },
      alpha: { machineId: A },
      beta: { machineId: A }
    }
    expect(await twinsOf(coreWith(ofOneImage), VM, 'beta', ALPHA)).toEqual({ twins: [], originAway: 'alpha' })
    expect(await twinsOf(coreWith(ofOneImage), VM, 'alpha', ALPHA)).toEqual({ twins: [] })
    const renamed = { other: { machineId: A, connected: hostWith() }, another: { machineId: A }, beta: {} }
    expect(await twinsOf(coreWith(renamed), VM, 'beta', ALPHA)).toEqual({ twins: [], originAway: 'another' })
  })

  it('is no matter where it was forgotten: its owner knows', async () => {
    expect(await twinsOf(coreWith({ beta: {}, gamma: {} }), VM, 'beta', ALPHA)).toEqual({ twins: [] })
  })

  it('counts as silent where its libvirt does not answer', async () => {
    const broken = fakeShell({ virsh: { exitCode: 1, stderr: 'error: failed to connect to the hypervisor' } })
    const core = coreWith({ alpha: { connected: broken }, beta: {} })
    expect(await twinsOf(core, VM, 'beta', ALPHA)).toEqual({ twins: [], originAway: 'alpha' })
  })
})
