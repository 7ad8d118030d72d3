import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { BackupSpec } from '../../src/shared/model/job.ts'
import type { CapturePlan } from '../../src/engine/capture/capture-plan.ts'
import type { JobContext } from '../../src/engine/jobs/job-context.ts'
import type { Shell } from '../../src/shared/shell.ts'
import { eventually } from '../patience.ts'
import { paperPlan } from './paper-plan.ts'
import { paperLibvirt, type PaperLibvirt, type PaperVm } from './paper-libvirt.ts'

const state = vi.hoisted(() => ({ dir: '' }))
vi.mock(import('../../src/shared/host-paths.ts'), async (original) =>
  Object.defineProperties({ ...(await original()) }, { JOBS_DIR: { get: () => `${state.dir}/jobs` as never } })
)
const { runAgainAfterFault, whileSeen, whileVmRuns } = await import('../../src/engine/capture/keep-running.ts')
const { jobContext } = await import('../../src/engine/jobs/job-context.ts')
const { journalPath, writeSpec } = await import('../../src/engine/jobs/job-directory.ts')
const { Journal, readJournal } = await import('../../src/engine/journal/journal.ts')

const ID = '20261128T010000Z-000001'
const VM = '0b5e3a52-9a3c-4a3e-8f55-6c2a1d5f0e11'
const spec: BackupSpec = {
  kind: 'backup',
  vm: VM,
  vmName: 'web',
  hostName: 'kvm-1',
  store: '/nowhere',
  budgetMs: 300,
  onBusy: 'pause'
}
const domain = (devices = ''): string =>
  `<domain type='kvm'><name>web</name><uuid>${VM}</uuid><memory>1024</memory><os><type machine='q35'>hvm</type></os><devices>${devices}</devices></domain>`

/** A backup that copies disks while its VM, which ran before, is off by a fault. */
interface Copying {
  readonly libvirt: PaperLibvirt
  readonly job: JobContext<BackupSpec>
  readonly plan: CapturePlan
}

function copying(vm: Partial<PaperVm>, disks: object[] = [], stateBefore: 'running' | 'paused' = 'running'): Copying {
  const libvirt = paperLibvirt({ [VM]: { next: domain(), ...vm } })
  const plan = paperPlan(VM, domain(), { stateBefore, disks: disks as CapturePlan['disks'] })
  writeSpec(ID, spec)
  const journal = Journal.open(journalPath(ID))
  journal.append({ type: 'begin', id: ID, spec, bootId: 'an earlier boot', engine: 'e' })
  journal.append({ type: 'step', step: 'begin-point', data: { plan, before: {} } })
  return { libvirt, plan, job: jobContext(ID, spec, libvirt.shell, journal, new AbortController().signal) }
}

const starts = ({ libvirt }: Copying): number =>
  libvirt.shell.lines.filter((line) => line.startsWith('virsh start')).length
const runs = ({ libvirt }: Copying): boolean => libvirt.vms.get(VM)?.live !== undefined
const notes = (): string[] => readJournal(journalPath(ID)).flatMap((entry) => (entry.type === 'note' ? entry.text : []))
/** How its owner had it, each time that this was noted. */
const seen = (): unknown[] =>
  readJournal(journalPath(ID)).flatMap((entry) =>
    entry.type === 'step' && entry.step === 'seen' ? entry.data?.['state'] : []
  )
/** So many more looks at its state. */
async function looks({ libvirt }: Copying, more: number): Promise<void> {
  const seen = (): number => libvirt.shell.lines.filter((line) => line.includes('domstate')).length
  const before = seen()
  await eventually(() => {
    expect(seen()).toBeGreaterThanOrEqual(before + more)
  })
}
const OFTEN = { lookEveryMs: 1 }

beforeEach(() => {
  state.dir = mkdtempSync(join(tmpdir(), 'stillpoint-copying-'))
})
afterEach(() => {
  rmSync(state.dir, { recursive: true })
})

describe('a VM that a fault ends while its disks are copied', () => {
  it('is started until it runs, however often that fails at first', async () => {
    const copy = copying({ cannotStart: 5 })
    const untilItRuns = (): Promise<string> =>
      eventually(() => {
        expect(runs(copy)).toBe(true)
        return 'copied'
      })
    expect(await whileVmRuns(copy.job, copy.plan, untilItRuns, OFTEN)).toBe('copied')
    expect(starts(copy)).toBe(6)
  })

  it('is started no more once it has fallen again and again; what its owner does is seen all the same', async () => {
    const copy = copying({})
    const fallsAgain = async (): Promise<void> => {
      for (let fallen = 1; fallen <= 3; fallen++) {
        await eventually(() => {
          expect(starts(copy)).toBe(fallen)
        }, OFTEN.lookEveryMs)
        await looks(copy, 1)
        copy.libvirt.vms.set(VM, { next: domain() })
      }
      await looks(copy, 3)
      copy.libvirt.vms.set(VM, { next: domain(), live: domain(), paused: true, reason: 'user' })
      await looks(copy, 3)
      copy.libvirt.vms.set(VM, { next: domain() })
      await looks(copy, 3)
    }
    await whileVmRuns(copy.job, copy.plan, fallsAgain, OFTEN)
    expect(starts(copy)).toBe(3)
    expect(seen()).toEqual(['paused'])
  })

  it('is not started while its overlays are folded back; what its owner does is seen all the same', async () => {
    const copy = copying({ live: domain(), paused: true, reason: 'user' })
    const fallsThen = async (): Promise<void> => {
      await looks(copy, 2)
      copy.libvirt.vms.set(VM, { next: domain(), live: domain() })
      await looks(copy, 2)
      copy.libvirt.vms.set(VM, { next: domain() })
      await looks(copy, 2)
    }
    await whileSeen(copy.job, copy.plan, fallsThen, OFTEN)
    expect(starts(copy)).toBe(0)
    expect(seen()).toEqual(['paused', 'running'])
  })

  it('stands as its owner had it last, whoever looked then', async () => {
    const pauses = { live: domain(), paused: true, reason: 'user' }
    const goesOn = { paused: false, reason: 'unpaused' }
    const copy = copying({ live: domain() })
    const vm = copy.libvirt.vms.get(VM)
    const once = (): Promise<void> => looks(copy, 2)
    for (const looking of [
      () => whileVmRuns(copy.job, copy.plan, once, OFTEN),
      () => runAgainAfterFault(copy.job, copy.plan)
    ]) {
      Object.assign(vm ?? {}, pauses)
      await whileVmRuns(copy.job, copy.plan, once, OFTEN)
      Object.assign(vm ?? {}, goesOn)
      await looking()
      expect(seen().at(-1)).toBe('running')
      Object.assign(vm ?? {}, { live: undefined, reason: undefined })
      await runAgainAfterFault(copy.job, copy.plan)
      expect(vm).toMatchObject({ live: domain(), paused: false })
    }
  })

  it('goes on where it has no room, as its owner lets it now who had it paused when the job began', async () => {
    const copy = copying({ live: domain() }, [], 'paused')
    const stopsThen = async (): Promise<void> => {
      await looks(copy, 2)
      Object.assign(copy.libvirt.vms.get(VM) ?? {}, { paused: true, reason: 'I/O error' })
      await looks(copy, 2)
    }
    await whileVmRuns(copy.job, copy.plan, stopsThen, OFTEN)
    expect(copy.libvirt.vms.get(VM)).toMatchObject({ paused: false })
  })

  it('stays off where it would lack what is in its overlay, and the journal says why, once', async () => {
    const [image, sidecar] = [join(state.dir, 'a.qcow2'), join(state.dir, `a.qcow2.stillpoint-${ID}`)]
    for (const path of [image, sidecar]) writeFileSync(path, '')
    const disk = { target: 'vda', source: image, format: 'qcow2', type: 'file', sidecar, allocatedBytes: 1 }
    const named = `<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${image}'/><target dev='vda' bus='virtio'/></disk>`
    const copy = copying({ next: domain(named) }, [{ ...disk, virtualSizeBytes: 1 }])
    const aFewLooks = (): Promise<void> =>
      eventually(() => {
        expect(copy.libvirt.shell.lines.filter((line) => line.includes('domstate')).length).toBeGreaterThan(6)
      })
    const { shell } = copy.libvirt
    // What does not understand the overlay does not call it empty.
    const unread = { exitCode: 1, signal: undefined, stdout: '', stderr: 'not in qcow2 format' }
    const run: Shell['run'] = (argv, options) =>
      argv[0] === 'qemu-img' ? Promise.resolve(unread) : shell.run(argv, options)
    await whileVmRuns({ ...copy.job, shell: { ...shell, run } }, copy.plan, aFewLooks, OFTEN)
    expect(starts(copy)).toBe(0)
    expect(notes().filter((text) => text.includes('it would run without what it wrote last to vda'))).toHaveLength(1)
  })

  it.each([
    ['lets it go on', { paused: true, reason: 'user' }, { paused: false, reason: 'unpaused' }, false],
    ['pauses it', {}, { paused: true, reason: 'user' }, true]
  ])('stands as its owner wants it who %s meanwhile', async (_, before, then, isPaused) => {
    const copy = copying({ live: domain(), ...before })
    const fallsLater = async (): Promise<void> => {
      const vm = copy.libvirt.vms.get(VM)
      if (vm === undefined) return expect.fail('no VM')
      if (isPaused) await looks(copy, 2)
      Object.assign(vm, then)
      await looks(copy, 3)
      copy.libvirt.vms.set(VM, { next: domain() })
      await eventually(() => {
        expect(runs(copy)).toBe(true)
      })
    }
    await whileVmRuns(copy.job, copy.plan, fallsLater, OFTEN)
    expect(copy.libvirt.vms.get(VM)?.paused).toBe(isPaused)
  })

  it('is said to stand still, with what to type, where its point is whole and it has no room', async () => {
    const { job, plan } = copying({ live: domain(), paused: true, reason: 'I/O error', full: 100 })
    expect(await runAgainAfterFault(job, plan)).toBeUndefined()
    expect(job.warnings).toEqual([expect.stringContaining("When they can be: virsh resume 'web'")])
  })

  it('costs nothing of a copy that succeeds, though not even a note can be written', async () => {
    const copy = copying({ cannotStart: 1 })
    const job = { ...copy.job, note: () => expect.fail('no space left on device') }
    const afterATry = (): Promise<string> =>
      eventually(() => {
        expect(runs(copy)).toBe(true)
        return 'copied'
      })
    expect(await whileVmRuns(job, copy.plan, afterATry, OFTEN)).toBe('copied')
  })
})
