import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { whileVmRuns } from '../../src/engine/capture/keep-running.ts'
import { backUp } from '../../src/engine/capture/backup.ts'
import { endMirrors } from '../../src/engine/capture/classic.ts'
import type { JobContext } from '../../src/engine/jobs/job-context.ts'
import { journalPath } from '../../src/engine/jobs/job-directory.ts'
import { undoBackup } from '../../src/engine/recover/undo-backup.ts'
import type * as HostPaths from '../../src/shared/host-paths.ts'
import type { BackupSpec, JournalEntry } from '../../src/shared/model/job.ts'
import { eventually } from '../patience.ts'
import { paperPlan } from './paper-plan.ts'
import { paperLibvirt, type PaperLibvirt } from './paper-libvirt.ts'
import { makePoint, VM, temporaryStore } from './store-points.ts'

const state = vi.hoisted(() => ({ dir: '' }))
vi.mock('../../src/shared/host-paths.ts', async (original) =>
  Object.defineProperties(
    { ...(await original<typeof HostPaths>()) },
    {
      JOBS_DIR: { get: () => `${state.dir}/jobs` },
      STORES_FILE: { get: () => `${state.dir}/stores.json` },
      STORE_MOUNTS_FILE: { get: () => `${state.dir}/mounts.json` }
    }
  )
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

/** A backup whose VM ran when it began, and is off by now. */
async function begun(reason: string, more: object[] = []): Promise<PaperLibvirt & { job: JobContext<BackupSpec> }> {
  state.dir = dirname(await temporaryStore())
  await mkdir(dirname(journalPath(JOB)), { recursive: true })
  const spec = { kind: 'backup', vm: VM, vmName: 'web', hostName: 'alpha', store: '/x', budgetMs: 50, onBusy: 'pause' }
  const vms = [{ uuid: VM, name: 'web', before: { process: { pid: 1, startTicks: '1' }, state: 'running' } }]
  const begin = { type: 'begin', id: JOB, spec, bootId: 'b', engine: 'e', vms }
  const lines = [begin, ...more].map((event, n) => JSON.stringify({ n, at: '2026-11-28T05:00:00.000Z', ...event }))
  await writeFile(journalPath(JOB), `${lines.join('\n')}\n`)
  const libvirt = paperLibvirt({ [VM]: { next: DEFINITION, reason } })
  const nothing = (): undefined => undefined
  const job = { id: JOB, spec, shell: libvirt.shell, warn: nothing, note: nothing }
  return { ...libvirt, job: job as unknown as JobContext<BackupSpec> }
}

it.each([
  ['crashed', 'live'],
  ['shutdown', 'offline']
])('a VM that ran when its backup began and is off (%s) when that is planned is taken %s', async (reason, method) => {
  const { job, vms: known } = await begun(reason)
  const planned: unknown[] = []
  const fact = (each: object): never => {
    planned.push(each)
    throw new Error('planned')
  }
  await expect(backUp({ ...job, fact })).rejects.toThrow('planned')
  expect(planned).toMatchObject([{ method }])
  expect(known.get(VM)?.live !== undefined).toBe(method === 'live')
})

const PLAN = paperPlan(VM, DEFINITION)
const step = { type: 'step', step: 'begin-point', data: { plan: PLAN, before: {} } }

it('a VM that a fault ends while its disks are copied runs again before they are', async () => {
  const { job, vms } = await begun('crashed', [step])
  await whileVmRuns(job, PLAN, () => eventually(() => expect(vms.get(VM)?.live).toBeDefined()))
  vms.set(VM, { next: DEFINITION, reason: 'crashed' })
  await expect(whileVmRuns(job, PLAN, () => Promise.reject(new Error('no room')))).rejects.toThrow('no room')
})

it('a VM that its owner ends meanwhile stays off, and nothing is said of it yet', async () => {
  const { job, vms, shell } = await begun('destroyed', [step])
  const warned: string[] = []
  const warn = (text: string): void => void warned.push(text)
  await whileVmRuns({ ...job, warn }, PLAN, () => eventually(() => expect(shell.lines).not.toEqual([])))
  expect([vms.get(VM)?.live, warned]).toEqual([undefined, []])
})

it('a mirror that its owner has ended is no copy, and what he copies elsewhere instead is not aborted', async () => {
  const xml = (to: string): string =>
    `<domain type='kvm'><name>web</name><uuid>${VM}</uuid><memory>1</memory><devices><disk type='file' device='disk'><source file='/i/a'/><mirror type='file' job='copy' ready='yes'><source file='${to}'/></mirror><target dev='vda'/></disk></devices></domain>`
  const plan = paperPlan(VM, DEFINITION, {
    disks: [{ target: 'vda', source: '/i/a', sidecar: '/i/a.mirror' } as never]
  })
  const ended = async (to: string): Promise<string> => {
    const { shell } = paperLibvirt({ [VM]: { next: xml(to), live: xml(to) } })
    const error = await endMirrors({ shell }, plan).then(
      () => '',
      (reason: unknown) => String(reason)
    )
    return `${error}\n${shell.lines.join('\n')}`
  }
  expect(await ended('/i/his')).toMatch(/the mirror of vda ended by itself/)
  expect(await ended('/i/his')).not.toContain('--abort')
  expect(await ended('/i/a.mirror')).toContain('--abort')
})

describe('a job that died behind its point, whose store is not mounted when it is undone', () => {
  const ID = 'aaaaaaaa-0000-4000-8000-000000000001'

  /** Its store was known, and is away. */
  async function away(
    ...steps: string[]
  ): Promise<{ undone: () => Promise<unknown>; back: () => Promise<void>; dir: string; warned: string[] }> {
    const store = await temporaryStore()
    const { dir } = await makePoint(store)
    const { job } = await begun('shutdown')
    await writeFile(`${state.dir}/stores.json`, JSON.stringify({ [store]: ID }))
    await writeFile(join(store, '.stillpoint-store.json'), JSON.stringify({ format: 'stillpoint-store', id: ID }))
    const plan = { ...PLAN, method: 'offline', stateBefore: 'shut off', pointDir: dir }
    const entries = ['begin-point', ...steps].flatMap((name) => [
      { ...step, step: name, data: { plan, before: {} } },
      { type: 'step-done', step: name, ms: 1 }
    ])
    await rename(store, `${store}.away`)
    await mkdir(store)
    const warned: string[] = []
    const doing = {
      ...job,
      spec: { ...job.spec, store },
      step: (_name: string, _data: object, work: () => Promise<unknown>) => work(),
      fact: () => undefined,
      warn: (text: string) => void warned.push(text)
    }
    const back = async (): Promise<void> => {
      await rm(store, { recursive: true })
      await rename(`${store}.away`, store)
    }
    return {
      undone: () => undoBackup(doing as unknown as JobContext, entries as unknown as JournalEntry[]),
      back,
      dir,
      warned
    }
  }

  it('does not say that there is no point, and has it once it is', async () => {
    const { undone, back, dir } = await away('commit')
    expect(await undone()).toMatchObject({ end: 'undone', kept: [{ path: dir }] })
    await back()
    expect(await undone()).toMatchObject({ end: 'was-finished', kept: [] })
    await rm(dir, { recursive: true })
    expect(await undone()).toEqual({ end: 'undone', kept: [] })
  })

  it('says where a half point stays', async () => {
    const { undone, dir, warned } = await away()
    expect(await undone()).toEqual({ end: 'undone', kept: [] })
    expect(warned.join()).toContain(dir)
  })
})
