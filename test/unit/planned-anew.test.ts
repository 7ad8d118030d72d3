import { describe, expect, it, vi } from 'vitest'
import { backUp } from '../../src/engine/capture/backup.ts'
import type { JobContext } from '../../src/engine/jobs/job-context.ts'
import { StillpointError } from '../../src/shared/failure.ts'
import type { BackupSpec } from '../../src/shared/model/job.ts'
import { paperLibvirt } from './paper-libvirt.ts'
import { paperPlan } from './paper-plan.ts'

const VM = '0b5e3a52-9a3c-4a3e-8f55-6c2a1d5f0e11'
const DEFINITION = `<domain type='kvm'><name>web</name><uuid>${VM}</uuid><memory>1024</memory><os><type machine='q35'>hvm</type></os><devices/></domain>`

/** A VM that its owner has restarted each time that somebody looks: plans of it are outdated as soon as they are made. */
const looked = vi.hoisted(() => ({ times: 0, error: new Error('outdated') }))
vi.mock(import('../../src/engine/evidence/vm-before.ts'), async (original) => ({
  ...(await original()),
  noteVm: () => Promise.resolve({ log: { ino: '1', sizeBytes: ++looked.times } })
}))
vi.mock(import('../../src/engine/capture/plan-backup.ts'), async (original) => ({
  ...(await original()),
  planBackup: ({ spec: { method = 'live' } }) => Promise.resolve(paperPlan(VM, DEFINITION, { method })),
  isOutdated: (error) => error instanceof Error && error.message === 'outdated'
}))
vi.mock(import('../../src/engine/capture/disk.ts'), async (original) => ({
  ...(await original()),
  captureDisk: () => Promise.reject(new Error('disks only'))
}))
vi.mock(import('../../src/engine/capture/live.ts'), async (original) => ({
  ...(await original()),
  captureLive: () => Promise.reject(looked.error)
}))

const warned: string[] = []

/** What a backup says of the plans that it makes, until it ends as it is to end here. */
async function plansOf(spec: Partial<BackupSpec>, error: Error, ending: string): Promise<unknown[]> {
  const before: unknown[] = []
  Object.assign(looked, { times: 0, error })
  warned.length = 0
  const job = {
    id: '20261128T050000Z-00beef',
    spec: { kind: 'backup', vm: VM, vmName: 'web', ...spec },
    shell: paperLibvirt({ [VM]: { next: DEFINITION, live: DEFINITION } }).shell,
    fact: () => undefined,
    warn: (text: string) => warned.push(text),
    step: (_name: string, data: object) => Promise.resolve(before.push(data))
  }
  await expect(backUp(job as unknown as JobContext<BackupSpec>)).rejects.toThrow(ending)
  return before
}

it('a VM that is planned anew is noted anew: it may have been restarted since', async () => {
  expect(await plansOf({}, new Error('outdated'), 'outdated')).toMatchObject(
    [1, 2, 3].map((sizeBytes) => ({ before: { log: { sizeBytes } } }))
  )
})

// field case 10
describe('a VM whose RAM libvirt does not save', () => {
  const stderr = 'error: internal error: a device of 2031 has a mind of its own'
  const error = new StillpointError({
    kind: 'command-failed',
    command: `virsh snapshot-create-as ${VM}`,
    exitCode: 1,
    stderr
  })
  const because = 'internal error: a device of 2031 has a mind of its own'

  it.each([
    ['its best way', {}],
    [
      'a wish of its policy',
      { method: 'live', policy: { id: '0b5e3a52-9a3c-4a3e-8f55-6c2a1d5f0e12', name: 'nightly' } }
    ]
  ] as const)('gets a point of its disks instead, with the reason, where live is %s', async (_what, spec) => {
    const plans = await plansOf(spec, error, 'disks only')
    expect(plans).toMatchObject([
      { plan: { method: 'live' } },
      { plan: { method: 'disk', methodReason: `its RAM cannot be saved: ${because}` } }
    ])
    expect(warned).toEqual([expect.stringContaining(because)])
  })

  it('is answered in words where somebody asked for it', async () => {
    const plans = await plansOf({ method: 'live' }, error, `"kind":"state-not-savable"`)
    expect(plans).toHaveLength(1)
    await expect(plansOf({ method: 'live' }, error, because)).resolves.toBeDefined()
  })
})
