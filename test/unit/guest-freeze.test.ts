import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { JobContext } from '../../src/engine/jobs/job-context.ts'
import type { VmHistory } from '../../src/engine/evidence/vm-history.ts'
import { paperLibvirt } from './paper-libvirt.ts'

const state = vi.hoisted(() => ({ dir: '', history: undefined as VmHistory | undefined }))
vi.mock(import('../../src/shared/host-paths.ts'), async (original) =>
  Object.defineProperties({ ...(await original()) }, { JOBS_DIR: { get: () => `${state.dir}/jobs` as never } })
)
vi.mock(import('../../src/engine/evidence/vm-history.ts'), async (original) => ({
  ...(await original()),
  historySince: () => Promise.resolve(state.history)
}))
const { endFreeze } = await import('../../src/engine/capture/guest-freeze.ts')
const { journalPath, writeSpec } = await import('../../src/engine/jobs/job-directory.ts')
const { Journal } = await import('../../src/engine/journal/journal.ts')

const ID = '20261128T010000Z-000001'
const VM = '0b5e3a52-9a3c-4a3e-8f55-6c2a1d5f0e11'
const DEFINITION = `<domain type='kvm'><name>web</name><uuid>${VM}</uuid><memory>1024</memory><os><type machine='q35'>hvm</type></os><devices/></domain>`

beforeEach(() => {
  state.dir = mkdtempSync(join(tmpdir(), 'stillpoint-freeze-'))
})
afterEach(() => {
  state.history = undefined
  rmSync(state.dir, { recursive: true })
})

it('ends with the QEMU that was told to freeze: one that was booted since is not waited for, nor looked after', async () => {
  const { shell } = paperLibvirt({ [VM]: { next: DEFINITION, live: DEFINITION } })
  writeSpec(ID, { kind: 'backup', vm: VM, vmName: 'web', hostName: 'h', store: '/s', budgetMs: 1, onBusy: 'pause' })
  const journal = Journal.open(journalPath(ID))
  journal.append({ type: 'step', step: 'freeze', data: {} })
  state.history = { events: ['crashed', 'started'], startedAgain: true, ended: undefined }
  const job = { id: ID, shell, step: () => expect.fail('its agent is waited for') } as unknown as JobContext
  expect(await endFreeze(job, { vm: VM, vmName: 'web' })).toBeUndefined()
  expect(shell.lines.filter((line) => line.includes('guest-fsfreeze'))).toEqual([])
})
