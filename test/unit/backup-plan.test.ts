import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { expect, it, vi } from 'vitest'
import { backUp } from '../../src/engine/capture/backup.ts'
import type { JobContext } from '../../src/engine/jobs/job-context.ts'
import { journalPath } from '../../src/engine/jobs/job-directory.ts'
import type * as HostPaths from '../../src/shared/host-paths.ts'
import type { BackupSpec } from '../../src/shared/model/job.ts'
import { paperLibvirt } from './paper-libvirt.ts'
import { VM, temporaryStore } from './store-points.ts'

const state = vi.hoisted(() => ({ dir: '' }))
vi.mock('../../src/shared/host-paths.ts', async (original) =>
  Object.defineProperties({ ...(await original<typeof HostPaths>()) }, { JOBS_DIR: { get: () => `${state.dir}/jobs` } })
)
vi.mock('../../src/engine/capture/plan-backup.ts', () => ({
  isOutdated: () => false,
  requireCurrent: () => Promise.resolve(),
  async planBackup({ shell, spec }: JobContext<BackupSpec>) {
    const { stdout } = await shell.run(['virsh', 'domstate', spec.vm])
    return { vm: spec.vm, vmName: spec.vmName, method: stdout.startsWith('running') ? 'live' : 'offline' }
  }
}))

const JOB = '20261128T050000Z-00beef'
const DEFINITION = `<domain type='kvm'><name>web</name><uuid>${VM}</uuid><memory>1024</memory><os><type machine='q35'>hvm</type></os><devices/></domain>`

it.each([
  ['crashed', 'live'],
  ['shutdown', 'offline']
])('a VM that ran when its backup began and is off (%s) when that is planned is taken %s', async (reason, method) => {
  state.dir = dirname(await temporaryStore())
  await mkdir(dirname(journalPath(JOB)), { recursive: true })
  const spec = { kind: 'backup', vm: VM, vmName: 'web', hostName: 'alpha', store: '/x', budgetMs: 50, onBusy: 'pause' }
  const vms = [{ uuid: VM, name: 'web', before: { process: { pid: 1, startTicks: '1' }, state: 'running' } }]
  const begin = { n: 0, at: '2026-11-28T05:00:00.000Z', type: 'begin', id: JOB, spec, bootId: 'b', engine: 'e', vms }
  await writeFile(journalPath(JOB), `${JSON.stringify(begin)}\n`)
  const { shell, vms: known } = paperLibvirt({ [VM]: { next: DEFINITION, reason } })
  const planned: unknown[] = []
  const fact = (each: object): never => {
    planned.push(each)
    throw new Error('planned')
  }
  const job = { id: JOB, spec, shell, fact, warn: () => undefined } as unknown as JobContext<BackupSpec>
  await expect(backUp(job)).rejects.toThrow('planned')
  expect(planned).toMatchObject([{ method }])
  expect(known.get(VM)?.live !== undefined).toBe(method === 'live')
})
