import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { bootId } from '../../src/engine/host-facts.ts'
import { SEEN_STEP } from '../../src/engine/evidence/seen.ts'
import { noteVms } from '../../src/engine/evidence/vm-before.ts'
import type { JobContext } from '../../src/engine/jobs/job-context.ts'
import { bringStateBack, endOurPause } from '../../src/engine/recover/bring-state-back.ts'
import { IncompleteUndo } from '../../src/engine/recover/program.ts'
import { startAfterFault } from '../../src/engine/recover/start-after-fault.ts'
import { BackupTrace } from '../../src/engine/recover/trace.ts'
import { undoBackup } from '../../src/engine/recover/undo-backup.ts'
import { StillpointError, type Failure } from '../../src/shared/failure.ts'
import { ofType } from '../../src/shared/job-report.ts'
import type { JournalEntry } from '../../src/shared/model/job.ts'
import type { Shell } from '../../src/shared/shell.ts'
import { paperLibvirt, type PaperLibvirt, type PaperVm } from './paper-libvirt.ts'

const VM = '0b5e3a52-9a3c-4a3e-8f55-6c2a1d5f0e11'
const DEFINITION = `<domain type='kvm'><name>web</name><uuid>${VM}</uuid><memory>1024</memory><os><type machine='q35'>hvm</type></os><devices/></domain>`

const entry = (event: object): JournalEntry => ({ n: 0, at: '2026-11-28T05:00:00.000Z', ...event }) as JournalEntry
const step = (name: string, data: Record<string, unknown> = {}): JournalEntry =>
  entry({ type: 'step', step: name, data })
const done = (name: string): JournalEntry => entry({ type: 'step-done', step: name, ms: 1 })

const planned = (
  method: string,
  stateBefore: string,
  pointDir = '/nowhere/point',
  disks: object[] = []
): JournalEntry[] => {
  const plan = {
    vm: VM,
    vmName: 'web',
    method,
    methodReason: 'as asked',
    stateBefore,
    persistent: true,
    autostart: false,
    ramBytes: 1024,
    disks,
    excluded: [],
    agent: 'none',
    definition: DEFINITION,
    pointDir
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

const everyLookTakesAMinute = (): void => {
  const began = performance.now()
  let looks = 0
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => began + 60_000 * looks++)
  onTestFinished(() => {
    clock.mockRestore()
  })
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

  it('ends its pause once: one that its owner makes while recovery comes by again and again stays', async () => {
    for (const pausedBy of [[step('force-pause')], suspended('running').slice(2)]) {
      const paper = onPaper(paused, [...planned('live', 'running'), ...pausedBy])
      await bring(paper)
      expect(await paper.state()).toMatch(/^running/)
      Object.assign(paper.libvirt.vms.get(VM) ?? {}, paused)
      await bring(paper)
      expect(await paper.state()).toMatch(/^paused/)
      expect(paper.warned.join()).toContain('not by this job')
    }
  })

  const pausedByOwner = ({ libvirt }: OnPaper): unknown => Object.assign(libvirt.vms.get(VM) ?? {}, paused)

  it('ends its pause once in an undo too: one that its owner makes in the hours of that stays', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'stillpoint-images-'))
    onTestFinished(() => rm(dir, { recursive: true }))
    const disks = ['vda', 'vdb'].map((target) => {
      const source = join(dir, `${target}.qcow2`)
      const sidecar = `${source}.stillpoint-20261128T050000Z-00beef`
      return { target, source, sidecar, format: 'qcow2', type: 'file', virtualSizeBytes: 1, allocatedBytes: 1 }
    })
    for (const { source, sidecar } of disks) for (const path of [source, sidecar]) await writeFile(path, '')
    const paper = onPaper(paused, [...planned('live', 'running', dir, disks), step('force-pause')])
    const { shell } = paper.libvirt
    const run: Shell['run'] = (argv, options) => {
      const isCommitted = paper.entries.some((entry) => entry.type === 'step' && entry.step === 'undo.commit.vda')
      if (isCommitted && !paper.entries.some((entry) => entry.type === 'step' && entry.step === 'undo.commit.vdb'))
        pausedByOwner(paper)
      return shell.run(argv, options)
    }
    everyLookTakesAMinute()
    await undoBackup({ ...paper.job, shell: { ...shell, run } }, [...paper.entries]).catch(() => undefined)
    expect(ofType(paper.entries, 'step-done').map(({ step }) => step)).toContain('undo.go-on')
    expect(await paper.state()).toMatch(/^paused/)
    expect(paper.warned.join()).toContain('not by this job')
  })

  it('has ended its pause also where its owner did while others kept the undo back', async () => {
    const seen = [step('force-pause'), done('force-pause')]
    const paper = onPaper({ live: DEFINITION }, [...planned('live', 'running'), ...seen])
    const vm = paper.libvirt.vms.get(VM)
    everyLookTakesAMinute()
    Object.assign(vm ?? {}, { busy: { operation: 5, looks: Infinity } })
    await expect(undoBackup(paper.job, [...paper.entries])).rejects.toMatchObject({ failure: { kind: 'foreign-work' } })
    Object.assign(vm ?? {}, { ...paused, busy: undefined })
    await undoBackup(paper.job, [...paper.entries]).catch(() => undefined)
    expect(ofType(paper.entries, 'step').map(({ step }) => step)).toContain('undo.state')
    expect(await paper.state()).toMatch(/^paused/)
  })

  describe('and of which nobody saw whether that came', () => {
    const onItsWay = (method: 'classic' | 'live', boot: string): JournalEntry[] => [
      entry({ type: 'begin', id: 'x', bootId: boot }),
      ...planned(method, 'running'),
      method === 'live' ? step('force-pause') : step('suspend', { stateBefore: 'running' })
    ]

    /** The pause comes when libvirt is first asked what is in its way. */
    const comes = (paper: OnPaper): JobContext => {
      const { shell } = paper.libvirt
      const run: Shell['run'] = async (argv, options) => {
        if (argv[1] === 'domjobinfo') pausedByOwner(paper)
        return shell.run(argv, options)
      }
      return { ...paper.job, shell: { ...shell, run } }
    }

    it.each(['classic', 'live'] as const)('goes on, though it ran when it was looked at first: %s', async (method) => {
      const paper = onPaper({ live: DEFINITION }, onItsWay(method, await bootId()))
      await undoBackup(comes(paper), [...paper.entries]).catch(() => undefined)
      expect(await paper.state()).toMatch(/^running/)
      expect(paper.warned).toEqual([])
    })

    it.each(['classic', 'live'] as const)('is told to go on behind it, however long it takes: %s', async (method) => {
      const paper = onPaper({ live: DEFINITION, cannotResume: true }, onItsWay(method, await bootId()))
      const undo = (): Promise<unknown> => undoBackup(paper.job, [...paper.entries]).catch((error: unknown) => error)
      const [first, second] = [await undo(), await undo()]
      for (const failed of [first, second]) expect(failed).toMatchObject({ failure: { kind: 'command-failed' } })
      Object.assign(paper.libvirt.vms.get(VM) ?? {}, { ...paused, cannotResume: false })
      await undo()
      expect(await paper.state()).toMatch(/^running/)
      pausedByOwner(paper)
      await undo()
      expect(await paper.state()).toMatch(/^paused/)
    })

    it('has its owner heard once the host was booted', async () => {
      const paper = onPaper({ live: DEFINITION, cannotResume: true }, onItsWay('live', 'an earlier boot'))
      await undoBackup(comes(paper), [...paper.entries]).catch(() => undefined)
      expect(await paper.state()).toMatch(/^paused/)
      expect(paper.warned.join()).toContain('not by this job')
    })
  })

  it('has ended its pause with a halt of its VM that it ended: one that its owner makes behind that stays', async () => {
    const halted = { ...paused, reason: 'I/O error' }
    for (const tryIt of [bring, ({ job, entries }: OnPaper) => undoBackup(job, [...entries]).catch(() => undefined)]) {
      const paper = onPaper(halted, [...planned('live', 'running'), step('force-pause')])
      await tryIt(paper)
      expect(await paper.state()).toMatch(/^running/)
      pausedByOwner(paper)
      await bring(paper)
      expect(await paper.state()).toMatch(/^paused/)
    }
  })

  it('leaves one that its owner had made just before, whoever comes by', async () => {
    const found = (state?: string): JournalEntry[] => [
      step('stood-already', { ...(state && { state }) }),
      done('stood-already')
    ]
    const ways = [
      [...planned('classic', 'running'), step('suspend', { stateBefore: 'running' }), ...found('paused')],
      [...planned('live', 'running'), step('force-pause'), ...found()]
    ]
    for (const entries of ways) {
      const paper = onPaper(paused, entries)
      await endOurPause(paper.job, VM, new BackupTrace(paper.entries))
      await bring(paper)
      expect(await paper.state()).toMatch(/^paused/)
    }
  })

  it('has ended its pause with the QEMU that it had paused, where it starts another', async () => {
    const begin = entry({ type: 'begin', id: 'x', bootId: 'an earlier boot' })
    const times = Array.from({ length: 3 }, () => step('undo.load-ram'))
    const saved = [...suspended('running'), done('save'), ...times]
    const point = await mkdtemp(join(tmpdir(), 'stillpoint-point-'))
    onTestFinished(() => rm(point, { recursive: true }))
    await writeFile(join(point, 'memory.save'), '')
    for (const { entries, vm } of [
      { entries: [...planned('live', 'running'), step('force-pause')], vm: { reason: 'crashed' } },
      { entries: [...saved, ...planned('classic', 'running', point)], vm: { reason: 'saved', cannotRestore: true } }
    ]) {
      const paper = onPaper(vm, [begin, ...entries])
      await bring(paper)
      expect(await paper.state()).toMatch(/^running/)
      pausedByOwner(paper)
      await bring(paper)
      expect(await paper.state()).toMatch(/^paused/)
    }
  })

  it('has ended its pause also where somebody was faster', async () => {
    const paper = onPaper({ live: DEFINITION }, suspended('running'))
    await endOurPause(paper.job, VM, new BackupTrace(paper.entries))
    expect(new BackupTrace(paper.entries).wePaused).toBe(false)
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

describe('a VM that stands still for want of room when its backup is over', () => {
  const halted = { live: DEFINITION, paused: true, reason: 'I/O error' }

  it('goes on, though it takes more than one try', async () => {
    const paper = onPaper({ ...halted, full: 1 }, planned('disk', 'running'))
    await bring(paper)
    expect(await paper.state()).toMatch(/^running/)
    expect(paper.warned).toEqual([])
  })

  it('is not well where there is no room still: recovery comes again until it goes on', async () => {
    const paper = onPaper({ ...halted, full: 4 }, planned('disk', 'running'))
    await expect(bring(paper)).rejects.toMatchObject({ failure: { kind: 'vm-state', vm: 'web' } })
    expect(await paper.state()).toMatch(/^paused/)
    await bring(paper)
    expect(await paper.state()).toMatch(/^running/)
  })
})

describe('a VM that a fault has ended while its backup was under way', () => {
  const begin = (more: object = {}): JournalEntry =>
    entry({ type: 'begin', id: 'x', bootId: 'an earlier boot', ...more })
  const noted = (state?: string): object => ({
    vms: [{ uuid: VM, name: 'web', before: { process: { pid: 1, startTicks: '1' }, ...(state && { state }) } }]
  })

  const folderWithRam = async (): Promise<string> => {
    const dir = await mkdtemp(join(tmpdir(), 'stillpoint-point-'))
    onTestFinished(() => rm(dir, { recursive: true }))
    await writeFile(join(dir, 'memory.save'), '')
    return dir
  }

  it.each([
    ['running', /^running/],
    ['paused', /^paused/]
  ])('stands as its owner had it: %s', async (stateBefore, wanted) => {
    const paper = onPaper({}, [begin(), ...planned('disk', stateBefore)])
    await bring(paper)
    expect(await paper.state()).toMatch(wanted)
    const unplanned = onPaper({}, [])
    await startAfterFault(unplanned.job, [begin(noted(stateBefore))]).work()
    expect(await unplanned.state()).toMatch(wanted)
  })

  it.each([
    ['paused', 'running', /^running/],
    ['running', 'paused', /^paused/]
  ])('was %s when the job began, and %s when that was seen last', async (stateBefore, state, wanted) => {
    const seen = step(SEEN_STEP, { vm: VM, state })
    const paper = onPaper({}, [begin(), ...planned('disk', stateBefore), seen])
    await bring(paper)
    expect(await paper.state()).toMatch(wanted)
    const unplanned = onPaper({}, [])
    await startAfterFault(unplanned.job, [begin(noted(stateBefore)), seen]).work()
    expect(await unplanned.state()).toMatch(wanted)
  })

  it('runs again where an engine before this one has not noted how it stood', async () => {
    const paper = onPaper({}, [])
    await startAfterFault(paper.job, [begin(noted())]).work()
    expect(await paper.state()).toMatch(/^running/)
  })

  it('is said to be started again once it is', async () => {
    for (const lost of [{}, { reason: 'saved', cannotRestore: true }]) {
      const times = Array.from({ length: 3 }, () => step('undo.load-ram'))
      const steps = [step('suspend', { stateBefore: 'running' }), step('save', { before: {} }), done('save'), ...times]
      const plan = planned('classic', 'running', await folderWithRam())
      const paper = onPaper({ cannotStart: 1, ...lost }, [begin(), ...plan, ...('reason' in lost ? steps : [])])
      await expect(bring(paper)).rejects.toThrow('cannot start')
      expect(paper.warned).toEqual([])
      await bring(paper)
      expect(paper.warned).toHaveLength(1)
    }
  })

  it('had its state noted when the job began', async () => {
    const { libvirt } = onPaper({ live: DEFINITION, paused: true }, [])
    const spec = { kind: 'backup', vm: VM, vmName: 'web' } as never
    const vm = libvirt.vms.get(VM)
    if (vm !== undefined) vm.reason = 'user'
    expect(await noteVms(libvirt.shell, spec)).toMatchObject([{ uuid: VM, before: { state: 'paused' } }])
    if (vm !== undefined) vm.reason = 'creating snapshot'
    expect(await noteVms(libvirt.shell, spec)).toMatchObject([{ uuid: VM, before: { state: 'running' } }])
  })

  it('is noted with the log of the name that it has, though its point and its job know it by another', async () => {
    const { libvirt } = onPaper({ live: DEFINITION }, [])
    const other = '7d0c1f9e-1111-4222-8333-944444444444'
    const named = (uuid: string, name: string): string =>
      DEFINITION.replace(VM, uuid).replace('<name>web<', `<name>${name}<`)
    libvirt.vms.set(VM, { next: named(VM, 'former') })
    libvirt.vms.set(other, { next: named(other, 'web') })
    const spec = { kind: 'restore', vm: VM, vmName: 'web' } as never
    expect(await noteVms(libvirt.shell, spec)).toMatchObject([
      { uuid: VM, name: 'former' },
      { uuid: other, name: 'web' }
    ])
  })

  it('comes back paused where its RAM cannot be loaded again, and its owner had paused it', async () => {
    const times = Array.from({ length: 3 }, () => step('undo.load-ram'))
    const steps = [step('suspend', { stateBefore: 'paused' }), step('save', { before: {} }), done('save'), ...times]
    const paper = onPaper({ reason: 'saved', cannotRestore: true }, [
      begin(),
      ...planned('classic', 'running', await folderWithRam()),
      ...steps
    ])
    await bring(paper)
    expect(await paper.state()).toMatch(/^paused/)
  })
})

describe('the undo of a backup whose VM a power cut ended, with an overlay in place', () => {
  const domain = (source: string): string =>
    DEFINITION.replace(
      '<devices/>',
      `<devices><disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${source}'/><target dev='vda' bus='virtio'/></disk></devices>`
    )

  /** What the host is told to do, in its order, until the overlay is looked into. */
  async function told(named: (image: string, overlay: string) => string, vm: Partial<PaperVm> = {}): Promise<string[]> {
    const dir = await mkdtemp(join(tmpdir(), 'stillpoint-images-'))
    onTestFinished(() => rm(dir, { recursive: true }))
    const [image, sidecar] = [join(dir, 'a.qcow2'), join(dir, 'a.qcow2.stillpoint-20261128T050000Z-00beef')]
    for (const path of [image, sidecar]) await writeFile(path, '')
    const disk = { target: 'vda', source: image, format: 'qcow2', type: 'file', sidecar }
    const entries = planned('live', 'running', dir, [{ ...disk, virtualSizeBytes: 1, allocatedBytes: 1 }])
    const paper = onPaper({ next: domain(named(image, sidecar)), ...vm }, [
      entry({ type: 'begin', id: 'x', bootId: 'an earlier boot' }),
      ...entries
    ])
    await undoBackup(paper.job, paper.entries).catch(() => undefined)
    return paper.libvirt.shell.lines.filter((line) => /^virsh start|^qemu-img/.test(line))
  }

  it('starts it before that is committed, which may take hours', async () => {
    expect((await told((_image, overlay) => overlay))[0]).toBe(`virsh start ${VM}`)
  })

  it('does not, where it would start without it', async () => {
    everyLookTakesAMinute()
    expect(await told((image) => image)).not.toContain(`virsh start ${VM}`)
  })

  const overlayOf = (_image: string, overlay: string): string => overlay

  it('tries that until it can be started, since nobody can while it is committed', async () => {
    const [first, second, third] = await told(overlayOf, { cannotStart: 2 })
    expect([first, second, third]).toEqual(Array.from({ length: 3 }, () => `virsh start ${VM}`))
  })

  it('commits all the same where it cannot be started for long', async () => {
    everyLookTakesAMinute()
    expect((await told(overlayOf, { cannotStart: Infinity })).join()).toContain('qemu-img')
  })
})

describe('the undo of a backup whose store does not answer', () => {
  const begin = entry({ type: 'begin', id: 'x', bootId: 'an earlier boot' })

  /** The steps that were announced, and why the undo is to be done again. */
  async function undone(paper: OnPaper): Promise<{ steps: string[]; failures: readonly Failure[] }> {
    const { shell } = paper.libvirt
    const hangs = (what: string): Promise<never> =>
      Promise.reject(new StillpointError({ kind: 'timeout', what, afterMs: 20_000 }))
    const job = {
      ...paper.job,
      shell: {
        ...shell,
        run: (...asked: Parameters<Shell['run']>) => (asked[0][0] === 'stat' ? hangs('stat') : shell.run(...asked))
      }
    }
    const error: unknown = await undoBackup(job, paper.entries).catch((error: unknown) => error)
    const steps = ofType(paper.entries, 'step').map(({ step }) => step)
    return { steps, failures: error instanceof IncompleteUndo ? error.failures : [] }
  }

  it('has its VM started and lets nothing wait but what lies there', async () => {
    const paper = onPaper({}, [begin, ...planned('disk', 'running')])
    const { steps, failures } = await undone(paper)
    expect(await paper.state()).toMatch(/^running/)
    expect(steps.indexOf('undo.run')).toBeLessThan(steps.indexOf('undo.copies'))
    expect(steps).toContain('undo.state')
    const silent = { kind: 'io', path: '/nowhere/point', code: 'ETIMEDOUT' }
    expect(failures).toMatchObject([silent, silent])
  })

  it('lets a VM go on that it had paused before it asks the store', async () => {
    const paper = onPaper({ live: DEFINITION, paused: true, reason: 'user' }, [
      begin,
      ...planned('classic', 'running'),
      step('suspend', { stateBefore: 'running' }),
      done('suspend')
    ])
    const { steps, failures } = await undone(paper)
    expect(await paper.state()).toMatch(/^running/)
    expect(steps.indexOf('undo.go-on')).toBeLessThan(steps.indexOf('undo.copies'))
    expect(failures).not.toEqual([])
  })

  it('waits for RAM that may be there', async () => {
    const paper = onPaper({ reason: 'saved' }, [
      begin,
      ...planned('classic', 'running'),
      step('suspend', { stateBefore: 'running' }),
      step('save', { before: {} }),
      done('save')
    ])
    const { failures } = await undone(paper)
    expect(await paper.state()).toMatch(/^shut off/)
    expect(failures.map(({ kind }) => kind)).toEqual(['io', 'io'])
  })
})
