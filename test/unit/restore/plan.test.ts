import { describe, expect, it } from 'vitest'
import { hostCpuModel } from '../../../src/engine/host-facts.ts'
import type { JobContext } from '../../../src/engine/jobs/job-context.ts'
import { PREFLIGHT } from '../../../src/engine/restore/conflicts.ts'
import { planRestore } from '../../../src/engine/restore/plan-restore.ts'
import type { RestorePlan } from '../../../src/engine/restore/restore-plan.ts'
import { parseDomain } from '../../../src/libvirt/domain-xml.ts'
import { fixedPortsIn } from '../../../src/libvirt/ports.ts'
import { failureOf, type Failure } from '../../../src/shared/failure.ts'
import type { RestoreSpec } from '../../../src/shared/model/job.ts'
import type { RestoreChoice } from '../../../src/shared/model/restore-choice.ts'
import { FILES, POINT, VM, makePoint, temporaryStore } from '../store-points.ts'
import { paperHost } from './asked-host.ts'

const DEFAULT = `<network><name>default</name><bridge name='virbr0'/></network>`
const SS = 'tcp LISTEN 0 1 0.0.0.0:5999 0.0.0.0:* users:(("nginx",pid=999999999,fd=21))\n'
const domain = (more: string): string =>
  `<domain type='kvm'><name>web &lt;1&gt;</name><uuid>${VM}</uuid><memory unit='MiB'>64</memory><cpu mode='host-passthrough'/>
  <os><type arch='x86_64' machine='q35'>hvm</type></os><devices>
  <disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/nowhere/a.qcow2'/><target dev='vda' bus='virtio'/></disk>
  <interface type='network'><mac address='52:54:00:00:00:01'/><source network='lan'/></interface>
  <graphics type='vnc' port='5999' autoport='no'/>${more}</devices></domain>`
const SHARE = `<filesystem type='mount'><source dir='/nowhere/share'/><target dir='share'/></filesystem>`

/** The plan of a restore with RAM of a VM whose port is taken here, and whose network is not here. */
async function plan(
  choices: readonly RestoreChoice[],
  more = '',
  ordered: Partial<RestoreSpec> = {},
  warned: string[] = []
): Promise<RestorePlan> {
  const store = await temporaryStore()
  const text = (content: string): Uint8Array => new TextEncoder().encode(content)
  const { dir, manifest } = await makePoint(store, {
    ...FILES,
    'domain.xml': text(domain(more)),
    'host.json': text(JSON.stringify({ networks: [], cpuModel: (await hostCpuModel()) ?? '' }))
  })
  const shell = paperHost({
    networks: { default: DEFAULT },
    ss: SS,
    capabilities: { q35: '<domainCapabilities><path>/usr/bin/true</path></domainCapabilities>' },
    answers: {
      'save-image-dumpxml': domain(more),
      domstate: { exitCode: 1, stderr: `error: failed to get domain '${VM}'\nerror: Domain not found` },
      capabilities: '<capabilities/>',
      measure: JSON.stringify({ required: 1 }),
      'pool-list': ''
    }
  })
  const spec: RestoreSpec = {
    kind: 'restore',
    vm: VM,
    vmName: 'web <1>',
    hostName: 'beta',
    point: POINT,
    store,
    mode: 'resume',
    replace: false,
    choices: [...choices],
    ...ordered
  }
  // As a look, that claims no room of this machine.
  const job = { shell, spec, id: PREFLIGHT, warn: (text: string) => void warned.push(text) }
  return planRestore(job as unknown as JobContext<RestoreSpec>, dir, {
    ...manifest,
    autostart: true,
    memory: { file: 'memory.save', ramBytes: 1 }
  })
}

const failureFrom = (work: Promise<unknown>): Promise<Failure | undefined> =>
  work.then(
    () => undefined,
    (error: unknown) => failureOf(error)
  )

const CHOICES: readonly RestoreChoice[] = [{ kind: 'auto-ports' }, { kind: 'map-network', from: 'lan', to: 'default' }]

describe('a restore to a host that is not as the VM asks', () => {
  it('is refused before anything is touched, with what can be typed', async () => {
    const failure = await failureFrom(plan([]))
    expect(failure).toMatchObject({ kind: 'preflight' })
    const problems = failure?.kind === 'preflight' ? failure.problems : []
    expect(problems.map(({ fix }) => fix.replace(/ or --map-network lan=(bridge|device).*/, ''))).toEqual([
      'free it; or restore with --auto-ports',
      'make it with virsh net-define; or restore with --map-network lan=default'
    ])
  })

  it('resumes with choices that the guest does not see: they are in both of its definitions', async () => {
    const { mode, definition, memoryXml = '' } = await plan(CHOICES)
    expect(mode).toBe('resume')
    for (const xml of [definition, memoryXml]) {
      expect(fixedPortsIn(xml)).toEqual([])
      expect(parseDomain(xml).interfaces.map(({ source }) => source)).toEqual(['default'])
    }
  })

  it('boots with one that it sees, and says why', async () => {
    const { mode, modeReason, definition, memoryXml } = await plan(
      [...CHOICES, { kind: 'drop', device: 'folder:/nowhere/share' }],
      SHARE
    )
    expect([mode, memoryXml]).toEqual(['boot', undefined])
    expect(modeReason).toBe('RAM is not resumed: the shared folder /nowhere/share is left out, so the VM is booted')
    expect(definition).not.toContain('/nowhere/share')
  })
})

describe('a restore of a VM that runs on another host as well', () => {
  const twin = { host: 'alpha', machineId: 'a', name: 'web <1>', state: 'running', autostart: true, images: [] }

  it('goes ahead with a warning, and leaves its autostart off', async () => {
    const warned: string[] = []
    const { autostart, heldAutostart } = await plan(CHOICES, '', { twins: [twin] }, warned)
    expect([autostart, heldAutostart]).toEqual([false, { host: 'alpha', machineId: 'a' }])
    expect(warned.filter((text) => /is on alpha too|Autostart is left off/.test(text))).toHaveLength(2)
    // What can be done about it goes along: nobody has seen a check of it.
    expect(warned.join()).toContain('; shut it down there first')
  })

  it('starts with its host as it did where no other has it', async () => {
    expect(await plan(CHOICES, '', { twins: [] })).toMatchObject({ autostart: true })
  })
})
