import { describe, expect, it } from 'vitest'
import type { JobContext } from '../../src/engine/jobs/job-context.ts'
import { bringStateBack, endOurPause } from '../../src/engine/recover/bring-state-back.ts'
import { BackupTrace } from '../../src/engine/recover/trace.ts'
import type { JournalEntry } from '../../src/shared/model/job.ts'
import { paperLibvirt, type PaperLibvirt, type PaperVm } from './paper-libvirt.ts'

const VM = '0b5e3a52-9a3c-4a3e-8f55-6c2a1d5f0e11'
const DEFINITION = `<domain type='kvm'><name>web</name><uuid>${VM}</uuid><memory>1024</memory><os><type machine='q35'>hvm</type></os><devices/></domain>`

const entry = (event: object): JournalEntry => ({ n: 0, at: '2026-11-28T05:00:00.000Z', ...event }) as JournalEntry
const step = (name: string, data: Record<string, unknown> = {}): JournalEntry =>
  entry({ type: 'step', step: name, data })
const done = (name: string): JournalEntry => entry({ type: 'step-done', step: name, ms: 1 })

const planned = (method: string, stateBefore: string): JournalEntry[] => {
  const plan = {
    vm: VM,
    vmName: 'web',
    method,
    methodReason: 'as asked',
    stateBefore,
    persistent: true,
    autostart: false,
    ramBytes: 1024,
    disks: [],
    excluded: [],
    agent: 'none',
    definition: DEFINITION,
    pointDir: '/nowhere/point'
  }
  return [step('begin-point', { plan, before: {} }), done('begin-point')]
}

interface OnPaper {
  readonly libvirt: PaperLibvirt
  readonly job: JobContext
  /** What the job journals and warns of. */
  readonly entries: JournalEntry[]
  readonly warned: string[]
  state(): Promise<string>
}

function onPaper(vm: Partial<PaperVm>, entries: JournalEntry[]): OnPaper {
  const libvirt = paperLibvirt({ [VM]: { next: DEFINITION, ...vm } })
  const warned: string[] = []
  const job = {
    shell: libvirt.shell,
    async step<T>(name: string, data: Record<string, unknown>, work: () => Promise<T>): Promise<T> {
      entries.push(step(name, data))
      const result = await work()
      entries.push(done(name))
      return result
    },
    note: () => undefined,
    warn: (text: string) => void warned.push(text)
  } as unknown as JobContext
  const state = async (): Promise<string> => (await libvirt.shell.run(['virsh', 'domstate', VM])).stdout
  return { libvirt, job, entries, warned, state }
}

async function bring({ job, entries }: OnPaper): Promise<unknown> {
  const trace = new BackupTrace(entries)
  return trace.plan === undefined ? expect.fail('no plan') : bringStateBack(job, trace.plan, trace)
}

describe('a backup that paused its VM for RAM that could not be saved, and goes on with the disks', () => {
  const suspended = (stateBefore: string): JournalEntry[] => [
    ...planned('classic', 'running'),
    step('suspend', { stateBefore }),
    done('suspend'),
    step('save', { before: {} })
  ]
  const paused = { live: DEFINITION, paused: true, reason: 'user' }

  it('lets it go on before it plans anew', async () => {
    const paper = onPaper(paused, suspended('running'))
    await endOurPause(paper.job, VM, new BackupTrace(paper.entries))
    expect(await paper.state()).toMatch(/^running/)
  })

  it('knows the pause as its own also by the newer plan', async () => {
    const paper = onPaper(paused, [...suspended('running'), ...planned('disk', 'paused')])
    expect(await bring(paper)).toBeUndefined()
    expect(await paper.state()).toMatch(/^running/)
    expect(paper.warned).toEqual([])
  })

  it('takes no pause for its own that its owner made, before or behind it', async () => {
    const before = onPaper(paused, suspended('paused'))
    await endOurPause(before.job, VM, new BackupTrace(before.entries))
    await bring(before)
    expect(await before.state()).toMatch(/^paused/)

    const behind = onPaper(paused, suspended('running'))
    await endOurPause(behind.job, VM, new BackupTrace(behind.entries))
    Object.assign(behind.libvirt.vms.get(VM) ?? {}, paused)
    behind.entries.push(...planned('disk', 'running'))
    await bring(behind)
    expect(await behind.state()).toMatch(/^paused/)
    expect(behind.warned.join()).toContain('not by this job')
  })
})
