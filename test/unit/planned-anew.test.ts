import { expect, it, vi } from 'vitest'
import { backUp } from '../../src/engine/capture/backup.ts'
import type { JobContext } from '../../src/engine/jobs/job-context.ts'
import type { BackupSpec } from '../../src/shared/model/job.ts'
import { paperLibvirt } from './paper-libvirt.ts'
import { paperPlan } from './paper-plan.ts'

const VM = '0b5e3a52-9a3c-4a3e-8f55-6c2a1d5f0e11'
const DEFINITION = `<domain type='kvm'><name>web</name><uuid>${VM}</uuid><memory>1024</memory><os><type machine='q35'>hvm</type></os><devices/></domain>`

/** A VM that its owner has restarted each time that somebody looks: plans of it are outdated as soon as they are made. */
const looked = vi.hoisted(() => ({ times: 0 }))
vi.mock(import('../../src/engine/evidence/vm-before.ts'), async (original) => ({
  ...(await original()),
  noteVm: () => Promise.resolve({ log: { ino: '1', sizeBytes: ++looked.times } })
}))
vi.mock(import('../../src/engine/capture/plan-backup.ts'), async (original) => ({
  ...(await original()),
  planBackup: () => Promise.resolve(paperPlan(VM, DEFINITION, { method: 'live' })),
  isOutdated: (error) => error instanceof Error && error.message === 'outdated'
}))
vi.mock(import('../../src/engine/capture/live.ts'), async (original) => ({
  ...(await original()),
  captureLive: () => Promise.reject(new Error('outdated'))
}))

it('a VM that is planned anew is noted anew: it may have been restarted since', async () => {
  const before: unknown[] = []
  const job = {
    id: '20261128T050000Z-00beef',
    spec: { kind: 'backup', vm: VM, vmName: 'web' },
    shell: paperLibvirt({ [VM]: { next: DEFINITION, live: DEFINITION } }).shell,
    fact: () => undefined,
    step: (_name: string, data: object) => Promise.resolve(before.push(data))
  }
  await expect(backUp(job as unknown as JobContext<BackupSpec>)).rejects.toThrow('outdated')
  expect(before).toMatchObject([1, 2, 3].map((sizeBytes) => ({ before: { log: { sizeBytes } } })))
})
