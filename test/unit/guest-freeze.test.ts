import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { JobContext } from '../../src/engine/jobs/job-context.ts'
import type { VmHistory } from '../../src/engine/evidence/vm-history.ts'
import type { BackupSpec } from '../../src/shared/model/job.ts'
import type { FakeShell } from '../../src/shell/fake.ts'
import { paperLibvirt } from './paper-libvirt.ts'
import { paperPlan } from './paper-plan.ts'

/** What became of the VM since a place in libvirt's log of it. */
const state = vi.hoisted(() => ({
  dir: '',
  since: (_place: number): VmHistory => ({ events: [], startedAgain: false, ended: undefined })
}))
vi.mock(import('../../src/shared/host-paths.ts'), async (original) =>
  Object.defineProperties({ ...(await original()) }, { JOBS_DIR: { get: () => `${state.dir}/jobs` as never } })
)
vi.mock(import('../../src/engine/evidence/vm-history.ts'), async (original) => ({
  ...(await original()),
  historySince: (_vm, log) => Promise.resolve(log && state.since(log.sizeBytes)),
  logPosition: () => Promise.resolve({ ino: '1', sizeBytes: 40 })
}))
const { endFreeze, whileFrozen } = await import('../../src/engine/capture/guest-freeze.ts')
const { journalPath, writeSpec } = await import('../../src/engine/jobs/job-directory.ts')
const { Journal } = await import('../../src/engine/journal/journal.ts')

const ID = '20261128T010000Z-000001'
const VM = '0b5e3a52-9a3c-4a3e-8f55-6c2a1d5f0e11'
const DEFINITION = `<domain type='kvm'><name>web</name><uuid>${VM}</uuid><memory>1024</memory><os><type machine='q35'>hvm</type></os><devices/></domain>`

beforeEach(() => {
  state.dir = mkdtempSync(join(tmpdir(), 'stillpoint-freeze-'))
})
afterEach(() => {
  rmSync(state.dir, { recursive: true })
})

/** A job that told a guest to freeze, when libvirt's log of it had got so far, if that was noted. */
function frozen(...log: number[]): { shell: FakeShell; job: JobContext } {
  const { shell } = paperLibvirt({ [VM]: { next: DEFINITION, live: DEFINITION } })
  writeSpec(ID, { kind: 'backup', vm: VM, vmName: 'web', hostName: 'h', store: '/s', budgetMs: 1, onBusy: 'pause' })
  const journal = Journal.open(journalPath(ID))
  const at = (sizeBytes: number): object => ({ log: { ino: '1', sizeBytes } })
  journal.append({ type: 'step', step: 'begin-point', data: { plan: paperPlan(VM, DEFINITION), before: at(10) } })
  for (const sizeBytes of log.length === 0 ? [undefined] : log)
    journal.append({ type: 'step', step: 'freeze', data: sizeBytes === undefined ? {} : { ...at(sizeBytes) } })
  const job = { id: ID, shell, step: () => expect.fail('its agent is waited for') } as unknown as JobContext
  return { shell, job }
}
const startedAt =
  (place: number) =>
  (since: number): VmHistory =>
    since < place
      ? { events: ['crashed', 'started'], startedAgain: true, ended: undefined }
      : { events: [], startedAgain: false, ended: undefined }

it('ends with the QEMU that was told to freeze: one that was booted since is not waited for, nor looked after', async () => {
  const { shell, job } = frozen(20)
  state.since = startedAt(30)
  expect(await endFreeze(job, { vm: VM, vmName: 'web' })).toBeUndefined()
  expect(shell.lines.filter((line) => line.includes('guest-fsfreeze'))).toEqual([])
})

it.each([
  ['was booted between its plan and that', [20]],
  ['froze twice, and was booted between', [12, 20]],
  ['froze by an engine that did not note when', []]
])('is waited for in a guest that %s', async (_what, log) => {
  const { shell, job } = frozen(...log)
  state.since = startedAt(15)
  await expect(endFreeze(job, { vm: VM, vmName: 'web' })).rejects.toThrow('its agent is waited for')
  expect(shell.lines.filter((line) => line.includes('stop'))).toEqual([])
})

it('is announced with how far the log of its VM had got', async () => {
  const steps: unknown[] = []
  const { job, shell } = frozen()
  const run: FakeShell['run'] = (argv, options) =>
    argv.join(' ').includes('guest-fsfreeze-status')
      ? Promise.resolve({ exitCode: 0, signal: undefined, stdout: '{"return":"thawed"}', stderr: '' })
      : shell.run(argv, options)
  const noting = {
    ...job,
    shell: { ...shell, run },
    warn: () => undefined,
    step: (name: string, data: object) => Promise.resolve(steps.push([name, data]) && 'refused')
  }
  await whileFrozen(noting as unknown as JobContext<BackupSpec>, paperPlan(VM, DEFINITION, { agent: 'answered' }), () =>
    Promise.resolve()
  )
  expect(steps[0]).toEqual(['freeze', { log: { ino: '1', sizeBytes: 40 } }])
})
