import { describe, expect, it } from 'vitest'
import { manifestDisks } from '../../src/engine/capture/backup.ts'
import { pointDefinition } from '../../src/engine/capture/point-definition.ts'
import type { JobContext } from '../../src/engine/jobs/job-context.ts'
import { PREFLIGHT } from '../../src/engine/restore/conflicts.ts'
import { planRestore } from '../../src/engine/restore/plan-restore.ts'
import type { RestorePlan } from '../../src/engine/restore/restore-plan.ts'
import { parseDomain } from '../../src/libvirt/domain-xml.ts'
import type { RestoreMode, RestoreSpec } from '../../src/shared/model/job.ts'
import { fakeShell } from '../../src/shell/fake.ts'
import { DISK_BYTES, POINT, VM, emptyImage, makePoint, temporaryStore } from './store-points.ts'

const disk = (target: string): string =>
  `<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/nowhere/${target}.qcow2'/><target dev='${target}' bus='virtio'/></disk>`
const domain = (...targets: string[]): string =>
  `<domain type='qemu'><name>web &lt;1&gt;</name><uuid>${VM}</uuid><memory>1024</memory><os><type machine='q35'>hvm</type><kernel>/nowhere/vmlinuz</kernel></os><devices>${targets.map(disk).join('')}</devices></domain>`

/** As a backup keeps them: `vdb` was plugged into the running VM only, and is detached from its next start. */
const kept = pointDefinition(domain('vda'), domain('vda', 'vdb'), ['vda', 'vdb'])

async function planOf(mode: RestoreMode): Promise<RestorePlan> {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
  const files = {
    'domain.xml': bytes(kept.xml),
    'host.json': bytes('{}'),
    'memory.save': bytes('RAM'),
    'boot/kernel-0': bytes('kernel'),
    'disks/vda.qcow2': emptyImage(),
    'disks/vdb.qcow2': emptyImage()
  }
  const disks = ['vda', 'vdb'].map((target) => ({
    target,
    file: `disks/${target}.qcow2`,
    virtualSizeBytes: DISK_BYTES,
    originalSource: `/nowhere/${target}.qcow2`,
    originalFormat: 'qcow2',
    originalType: 'file' as const
  }))
  const store = await temporaryStore()
  const { dir, manifest } = await makePoint(store, files, {
    disks,
    pluggedDisks: [...kept.plugged],
    boot: [{ role: 'kernel', file: 'boot/kernel-0', originalPath: '/nowhere/vmlinuz' }],
    memory: { file: 'memory.save', ramBytes: 3 }
  })
  const shell = fakeShell(({ argv: [program, verb] }) => {
    if (program === 'qemu-img') return JSON.stringify({ required: 1 })
    if (verb === 'domstate') return { exitCode: 1, stderr: `error: failed to get domain '${VM}'` }
    return verb === 'save-image-dumpxml' ? domain('vda', 'vdb') : ''
  })
  const spec: RestoreSpec = {
    kind: 'restore',
    vm: VM,
    vmName: 'web <1>',
    hostName: 'beta',
    point: POINT,
    store,
    mode,
    replace: false
  }
  // As a look, that claims no room of this machine.
  const job = { id: PREFLIGHT, shell, spec, warn: () => undefined }
  return planRestore(job as unknown as JobContext<RestoreSpec>, dir, manifest)
}

const targetsIn = (xml: string | undefined): string[] =>
  xml === undefined ? [] : parseDomain(xml).disks.map(({ target }) => target)

// field cases 4 and 13
describe('a disk that only the running VM had', () => {
  it('is in what the point keeps as the definition, and said to be plugged in', () => {
    expect(targetsIn(kept.xml)).toEqual(['vda', 'vdb'])
    expect(kept.plugged).toEqual(['vdb'])
  })

  it('is spoken of in the manifest only where there is one: engines before this one do not know the word', () => {
    const noted = (plugged: string[]): string[] =>
      Object.keys(manifestDisks({ excluded: [], plugged }, { disks: [] }, { accessOf: () => ({}), leftOut: [] }))
    expect(noted([])).toEqual(['disks', 'excludedDisks', 'leftOut'])
    expect(noted(['vdb'])).toContain('pluggedDisks')
  })

  it('resumes with the RAM that knows it, and its next start is without it, as it was', async () => {
    const plan = await planOf('resume')
    expect(plan.mode).toBe('resume')
    expect(targetsIn(plan.memoryXml)).toEqual(['vda', 'vdb'])
    expect(targetsIn(plan.definition)).toEqual(['vda'])
    expect(targetsIn(plan.bootDefinition)).toEqual(['vda', 'vdb'])
  })

  it.each(['boot', 'define'] as const)('is part of the definition where the mode is %s', async (mode) => {
    expect(targetsIn((await planOf(mode)).definition)).toEqual(['vda', 'vdb'])
  })
})

describe('a kernel that is not on this host', () => {
  it('comes from the point, for the VM that goes on from RAM and for its next start', async () => {
    const { boot, memoryXml = '', definition, bootDefinition = '' } = await planOf('resume')
    const [path = 'none'] = boot.map((each) => each.path)
    expect(boot).toMatchObject([{ file: 'boot/kernel-0', formerPath: '/nowhere/vmlinuz' }])
    for (const xml of [memoryXml, definition, bootDefinition])
      expect(parseDomain(xml).boot).toEqual([{ role: 'kernel', path }])
  })
})
