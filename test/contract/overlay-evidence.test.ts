import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, open, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { CaptureDisk, CapturePlan } from '../../src/engine/capture/capture-plan.ts'
import { commitOverlay, type OverlayCase, type Pivoted } from '../../src/engine/capture/commit-overlay.ts'
import { overlayCase as caseOf } from '../../src/engine/capture/commit-overlays.ts'
import { stampOf } from '../../src/engine/capture/change-stamp.ts'
import { lookAtOverlays, noteSamples } from '../../src/engine/capture/hold-disks.ts'
import { placesOf, sampleImage } from '../../src/engine/capture/image-samples.ts'
import { justHeld } from '../../src/engine/capture/noted.ts'
import { giveOverlays } from '../../src/engine/capture/overlay-owner.ts'
import { commitStrayOverlay } from '../../src/engine/capture/stray-overlay.ts'
import { strayFile } from '../../src/engine/doctor/stray-file.ts'
import { isGone, mountBelow } from '../../src/engine/evidence/presence.ts'
import type { VmHistory } from '../../src/engine/evidence/vm-history.ts'
import { vmProcess, type VmProcess } from '../../src/engine/evidence/vm-process.ts'
import { bootId } from '../../src/engine/host-facts.ts'
import type { JobContext } from '../../src/engine/jobs/job-context.ts'
import { jobContext } from '../../src/engine/jobs/job-context.ts'
import { hasEnd, journalPath, writeSpec } from '../../src/engine/jobs/job-directory.ts'
import { Journal, readJournal } from '../../src/engine/journal/journal.ts'
import { bringStateBack } from '../../src/engine/recover/bring-state-back.ts'
import { finish } from '../../src/engine/recover/recover.ts'
import { BackupTrace } from '../../src/engine/recover/trace.ts'
import { undoBackup } from '../../src/engine/recover/undo-backup.ts'
import { ownRanges, showsAllOf } from '../../src/libvirt/qemu-img.ts'
import { localShell } from '../../src/shell/local.ts'
import type { Uuid } from '../../src/shared/model/ids.ts'
import type { JournalEntry } from '../../src/shared/model/job.ts'
import type { Shell } from '../../src/shared/shell.ts'
import { eventually } from '../patience.ts'
import { paperLibvirt, type PaperVm } from './paper-libvirt.ts'
import { paperOverlayCase } from './paper-overlay-case.ts'

const jobs = vi.hoisted(() => ({ dir: '' }))
vi.mock('../../src/shared/host-paths.ts', async (original) => ({
  ...(await original<object>()),
  get JOBS_DIR() {
    return jobs.dir
  }
}))
let history: VmHistory | undefined
vi.mock(import('../../src/engine/evidence/vm-history.ts'), async (original) => ({
  ...(await original()),
  historySince: () => Promise.resolve(history)
}))

/** Folders that were made to last. */
const synced: string[] = []
vi.mock(import('../../src/store/durable.ts'), async (original) => ({
  ...(await original()),
  syncDir: (path) => Promise.resolve(void synced.push(path))
}))

/** Of the mount that all files lie on. Undefined: what it is. */
let fsType: string | undefined
vi.mock(import('../../src/engine/room/file-systems.ts'), async (original) => {
  const real = await original()
  const mountAt: typeof real.mountAt = async (path) => {
    const mount = await real.mountAt(path)
    return mount && { ...mount, ...(fsType !== undefined && { fsType }) }
  }
  return { ...real, mountAt }
})

/** What an undo concludes from what it finds: real images, and a libvirt on paper. */
const UUID = '7a1d3c5e-0000-4000-8000-000000000001' as Uuid
const JOB = '20261122T201744Z-3f9a1c'
const hasQemu = existsSync('/usr/bin/qemu-img')

let dir: string
let image: string
let overlay: string
/** Stands for a QEMU: its command line has the VM's UUID. */
let qemu: VmProcess | undefined
let endQemu: () => void

/** An image with an overlay on it, made once: a dozen QEMU tools more for each test take longer than all else. */
let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'stillpoint-evidence-'))
  dir = join(root, 'now')
  image = join(dir, 'web.qcow2')
  overlay = `${image}.stillpoint-${JOB}`
  await mkdir(dir)
  if (hasQemu) {
    const run = (program: string, ...args: string[]): void => {
      execFileSync(program, args, { stdio: 'ignore' })
    }
    run('qemu-img', 'create', '-q', '-f', 'qcow2', image, '16M')
    run('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', image, '-F', 'qcow2', overlay)
    run('qemu-io', '-f', 'qcow2', '-c', 'write -P 7 0 64k', overlay)
  }
  await rename(dir, join(root, 'fresh'))
})
afterAll(() => rm(root, { recursive: true }))

beforeEach(async () => {
  await cp(join(root, 'fresh'), dir, { recursive: true })
  jobs.dir = join(dir, 'jobs')
  qemu = await spawnQemu()
})

function spawnQemu(): Promise<VmProcess> {
  const child = spawn('sh', ['-c', 'read -r line', '--', '-uuid', UUID])
  endQemu = () => child.kill('SIGKILL')
  return eventually(async () => {
    const found = await vmProcess(UUID)
    // One that was ended may be there for a moment still.
    if (found === undefined || found.pid !== child.pid) throw new Error('not yet')
    return found
  })
}

afterEach(async () => {
  history = undefined
  fsType = undefined
  endQemu()
  await rm(dir, { recursive: true, force: true })
})

const mapOf = (path: string): string => execFileSync('qemu-img', ['map', '-f', 'qcow2', path], { encoding: 'utf8' })

const vda = (): CaptureDisk => ({
  target: 'vda',
  source: image,
  format: 'qcow2',
  type: 'file',
  node: '1',
  virtualSizeBytes: 16 << 20,
  allocatedBytes: 0,
  sidecar: overlay
})

const running = (live: PaperVm['live'], defined: PaperVm['defined']): PaperVm => ({
  uuid: UUID,
  name: 'web',
  state: 'running',
  reason: 'booted',
  live,
  defined
})

const off = (reason: string, defined: PaperVm['defined']): PaperVm => ({
  ...running([], defined),
  state: 'shut off',
  reason
})

/** With the definition as it was before the backup. */
const owner = (): OverlayCase['owner'] => ({
  vm: UUID,
  vmName: 'web',
  definition: `<domain type='kvm'><name>web</name><uuid>${UUID}</uuid><devices><disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${image}'/><target dev='vda' bus='virtio'/></disk></devices></domain>`
})

const overlayCase = (vm: PaperVm, more: Partial<OverlayCase> = {}): OverlayCase =>
  paperOverlayCase(
    {
      shell: paperLibvirt(vm),
      owner: { vm: UUID, vmName: 'web', definition: '<domain/>' },
      disk: vda()
    },
    { before: qemu === undefined ? {} : { process: qemu }, ...more }
  )

const askedOf = ({ shell }: OverlayCase): string => (shell as ReturnType<typeof paperLibvirt>).asked.join('\n')

describe.skipIf(!hasQemu)('an overlay whose VM runs on the image below it', () => {
  const onImage = (node: string): PaperVm['live'] => [{ target: 'vda', source: image, node }]

  it('goes, where the VM has gone over to the image that it was on before', async () => {
    const vm = running(onImage('1'), [{ target: 'vda', source: image }])
    expect(await commitOverlay(overlayCase(vm))).toBeUndefined()
    expect(existsSync(overlay)).toBe(false)
  })

  it('stays, where its disk was unplugged and plugged in again: nobody has committed it', async () => {
    const vm = running(onImage('4'), [{ target: 'vda', source: image }])
    expect(await commitOverlay(overlayCase(vm))).toMatchObject({ kind: 'keep', path: overlay })
    expect(existsSync(overlay)).toBe(true)
  })

  it('goes, where another QEMU was told to go over and has the same image since', async () => {
    const vm = running(onImage('3'), [{ target: 'vda', source: image }])
    const pivoted = { process: qemu, node: '3', wasDefined: true, done: false }
    expect(await commitOverlay(overlayCase(vm, { before: {}, pivoted: () => pivoted }))).toBeUndefined()
    expect(existsSync(overlay)).toBe(false)
  })
})

describe.skipIf(!hasQemu)('an overlay whose VM is off, and starts with the image below it', () => {
  const told = (wasDefined: boolean) => (): Pivoted => ({
    process: undefined,
    node: '1',
    wasDefined,
    done: false
  })
  const writtenLast = (path: string): Promise<void> => utimes(path, 4e9, 4e9)

  it('goes, where libvirt noted that its QEMU went over: the image was written to last', async () => {
    endQemu()
    await writtenLast(image)
    const vm = off('destroyed', [{ target: 'vda', source: image }])
    expect(await commitOverlay(overlayCase(vm, { pivoted: told(true) }))).toBeUndefined()
    expect(existsSync(overlay)).toBe(false)
  })

  it('stays, where its owner has put the definition back himself: the overlay was written to last', async () => {
    endQemu()
    await writtenLast(overlay)
    const vm = off('destroyed', [{ target: 'vda', source: image }])
    expect(await commitOverlay(overlayCase(vm, { pivoted: told(true) }))).toMatchObject({ kind: 'keep' })
    expect(existsSync(overlay)).toBe(true)
  })

  it('stays, where the definition never named it: then it says nothing', async () => {
    endQemu()
    await writtenLast(image)
    const vm = off('destroyed', [{ target: 'vda', source: image }])
    expect(await commitOverlay(overlayCase(vm, { pivoted: told(false) }))).toMatchObject({ kind: 'keep' })
    expect(existsSync(overlay)).toBe(true)
  })
})

describe.skipIf(!hasQemu)('an overlay that the definition of its VM names, which is off', () => {
  const named = (): PaperVm => off('crashed', [{ target: 'vda', source: overlay }])
  const crashed: VmHistory = { events: ['crashed'], startedAgain: false, ended: 'crashed' }
  const withHeld = async (began: boolean): Promise<OverlayCase> => {
    const { ino, mtimeNs, size } = await stat(image, { bigint: true })
    const held = { target: 'vda', image: { ino: String(ino), mtimeNs: String(mtimeNs), sizeBytes: String(size) } }
    return overlayCase(named(), {
      held,
      commitBegan: () => (began ? 'at rest' : undefined),
      before: {},
      owner: owner()
    })
  }
  const writtenBySomebody = (): Promise<void> => utimes(image, 4e9, 4e9)

  beforeEach(() => {
    endQemu()
    history = crashed
  })

  it('stays where somebody has written to the image below it since', async () => {
    const work = await withHeld(false)
    await writtenBySomebody()
    expect(await commitOverlay(work)).toMatchObject({ kind: 'keep', path: overlay })
    expect(execFileSync('qemu-img', ['map', '-f', 'qcow2', image], { encoding: 'utf8' })).not.toContain('0x10000')
  })

  it('goes, and its VM has its image again, where a person has typed how to go on without it: what it held is kept', async () => {
    const vm = named()
    const work = { ...(await withHeld(false)), shell: paperLibvirt(vm) }
    await writtenBySomebody()
    const line = (await commitOverlay(work))?.mend.find((each) => each.startsWith('mv')) ?? 'false'
    execFileSync('sh', ['-c', line])
    expect(await commitOverlay(work)).toBeUndefined()
    expect(vm.defined).toEqual([{ target: 'vda', source: image }])
    expect(existsSync(overlay)).toBe(false)
    expect(mapOf(`${overlay}.kept.qcow2`)).toContain(`${overlay}.kept.qcow2`)
  })

  it('is written into the image where nobody has, or where we have begun to', async () => {
    let began = 0
    const work = { ...(await withHeld(true)), write: (_how: unknown, go: () => Promise<void>) => (began++, go()) }
    await writtenBySomebody()
    expect(await commitOverlay(work)).toBeUndefined()
    expect(began).toBe(1)
    expect(execFileSync('qemu-img', ['map', '-f', 'qcow2', image], { encoding: 'utf8' })).toContain('0x10000')
  })
})

describe.skipIf(!hasQemu)(
  'an overlay that is not there, though the definition of its VM, which is off, names it',
  () => {
    const named = (): PaperVm => off('shutdown', [{ target: 'vda', source: overlay }])

    beforeEach(async () => {
      endQemu()
      await rm(overlay)
    })

    it('is told as lost where nobody shows that it was committed', async () => {
      const vm = named()
      expect(await commitOverlay(overlayCase(vm))).toMatchObject({ kind: 'keep', path: overlay })
      expect(vm.defined).toEqual([{ target: 'vda', source: overlay }])
    })

    it('is named no more where its job has removed it: somebody has defined it again since', async () => {
      const vm = named()
      expect(await commitOverlay(overlayCase(vm, { owner: owner(), dropped: true }))).toBeUndefined()
      expect(vm.defined).toEqual([{ target: 'vda', source: image }])
    })
  }
)

describe.skipIf(!hasQemu)('an overlay that is committed', () => {
  it('has its removal announced before it goes, and only then', async () => {
    endQemu()
    const vm = off('crashed', [{ target: 'vda', source: overlay }])
    history = { events: ['crashed'], startedAgain: false, ended: 'crashed' }
    const seen: boolean[] = []
    const drop = (): Promise<void> => Promise.resolve(void seen.push(existsSync(overlay)))
    const work = overlayCase(vm, { owner: owner(), before: {}, drop })
    const unfinished = { ...work, write: () => Promise.reject(new Error('no luck')) }
    await expect(commitOverlay(unfinished)).rejects.toThrow('no luck')
    expect(seen).toEqual([])
    expect(await commitOverlay(work)).toBeUndefined()
    expect(seen).toEqual([true])
    expect(existsSync(overlay)).toBe(false)
  })
})

describe('a file that is not there', () => {
  it('is gone where others are still in its folder, and not where that may not be mounted', async () => {
    const gone = (path: string): Promise<boolean> => isGone(join(dir, path), 'web')
    expect(await gone('other')).toBe(true)
    expect(await isGone(image, 'web')).toBe(false)
    await mkdir(join(dir, 'mount'))
    for (const folder of ['mount', 'none']) {
      const failure: unknown = await gone(`${folder}/a`).catch((error: unknown) => error)
      expect(failure).toMatchObject({ failure: { kind: 'left-behind' } })
      const line = /touch '([^']+)'/.exec(JSON.stringify(failure))?.[1] ?? ''
      execFileSync('sh', ['-c', `mkdir -p '${join(dir, folder)}' && touch '${line}'`])
      expect(await gone(`${folder}/a`)).toBe(true)
    }
  })
})

const at = { n: 1, at: '2026-11-22T20:17:44.000Z' }
const step = (name: string, data = {}): JournalEntry => ({ ...at, type: 'step', step: name, data })
const done = (name: string): JournalEntry => ({ ...at, type: 'step-done', step: name, ms: 1 })

const begunHere = (bootId: string): JournalEntry => ({
  ...at,
  type: 'begin',
  id: JOB,
  spec: contextOn(off('', [])).spec,
  bootId,
  engine: '1'
})

function planned(more: Partial<CapturePlan> = {}): JournalEntry[] {
  const plan = {
    vm: UUID,
    vmName: 'web',
    method: 'live',
    methodReason: 'the VM is running',
    stateBefore: 'running',
    persistent: true,
    autostart: false,
    ramBytes: 65536,
    disks: [vda()],
    still: [],
    excluded: [],
    agent: 'none',
    definition: '<domain/>',
    seen: [],
    pointDefinition: '<domain/>',
    pointDir: join(dir, 'point'),
    ...more
  }
  return [step('begin-point', { plan, before: {} }), done('begin-point')]
}

function planOf({ plan }: BackupTrace): CapturePlan {
  if (plan === undefined) throw new Error('no plan')
  return plan
}

function contextOn(vm: PaperVm): JobContext & { readonly shell: ReturnType<typeof paperLibvirt> } {
  return {
    id: JOB,
    spec: { kind: 'backup', vm: UUID, vmName: 'web', hostName: 'alpha', store: dir, budgetMs: 50, onBusy: 'pause' },
    shell: paperLibvirt(vm),
    signal: new AbortController().signal,
    step: (_name, _data, work) => work(),
    fact: () => undefined,
    note: () => undefined,
    warn: () => undefined,
    warnings: [],
    pause: () => undefined,
    progress: () => undefined
  }
}

describe.skipIf(!hasQemu)('an empty file that its job put down for libvirt to make an overlay of', () => {
  const plan = (): JournalEntry[] => planned({ definition: owner().definition, pointDir: join(dir, 'vms', UUID, JOB) })

  /** As the journal has it while the RAM is on its way to its file. */
  async function placed(): Promise<JournalEntry[]> {
    await rm(overlay)
    const entries = plan()
    const job: Pick<JobContext, 'step'> = {
      async step(name, data, work) {
        entries.push(step(name, data))
        const result = await work()
        entries.push(done(name))
        return result
      }
    }
    await giveOverlays(job, [vda()], { isDynamic: () => Promise.resolve(false) })
    return entries
  }

  beforeEach(() => endQemu())

  const ended = (): PaperVm => off('crashed', [{ target: 'vda', source: image }])
  const onImage = [{ target: 'vda', source: image, node: '4' }]

  it.each([
    ['a fault has ended, which runs again', ended, 'running'],
    ['its owner has shut down', () => off('shutdown', [{ target: 'vda', source: image }]), 'shut off'],
    ['somebody has started again', () => running(onImage, [{ target: 'vda', source: image }]), 'running']
  ] as const)('holds nothing of a VM that %s', async (_, vmNow, state) => {
    const entries = await placed()
    history = { events: [], startedAgain: false, ended: undefined }
    const vm = vmNow()
    if (vm.reason === 'crashed') history = { events: ['crashed'], startedAgain: false, ended: 'crashed' }
    expect((await undoBackup(contextOn(vm), [begunHere('an earlier boot'), ...entries])).kept).toEqual([])
    expect(vm.state).toBe(state)
    expect(existsSync(overlay)).toBe(false)
  })

  it('is known on a share that does not say when it was made, and has another number since a boot', async () => {
    const text = JSON.stringify(await placed()).replace(/"dev":"\d+"/, '"dev":"0"')
    const entries = JSON.parse(text.replace(/"bornNs":"\d+"/, '"bornNs":"0"')) as JournalEntry[]
    const trace = new BackupTrace(entries)
    history = { events: ['crashed'], startedAgain: false, ended: 'crashed' }
    const vm = ended()
    await bringStateBack(contextOn(vm), planOf(trace), trace)
    expect(vm.state).toBe('running')
    Object.assign(vm, ended())
    await utimes(overlay, 4e9, 4e9)
    await bringStateBack(contextOn(vm), planOf(trace), trace)
    expect(vm.state).toBe('shut off')
  })

  it('goes also where its job was killed before that was noted', async () => {
    const entries = (await placed()).filter((entry) => entry.type !== 'step' || entry.step !== 'placed-files')
    const trace = new BackupTrace(entries)
    const vm = ended()
    history = { events: ['crashed'], startedAgain: false, ended: 'crashed' }
    expect(await bringStateBack(contextOn(vm), planOf(trace), trace)).toBeUndefined()
    expect(vm.state).toBe('running')
  })

  it.each([
    ['is another file by now', '', () => rename(`${overlay}.other`, overlay)],
    ['was made an overlay', 'not empty', () => cp(`${overlay}.other`, overlay)]
  ])('is kept, and its VM off, where it %s', async (_, text, change) => {
    const trace = new BackupTrace(await placed())
    await writeFile(`${overlay}.other`, text)
    await change()
    const vm = ended()
    history = { events: ['crashed'], startedAgain: false, ended: 'crashed' }
    expect(await bringStateBack(contextOn(vm), planOf(trace), trace)).toMatchObject({ kind: 'keep', path: overlay })
    expect(vm.state).toBe('shut off')
  })

  it('goes by the doctor too, who leaves what is not that very file', async () => {
    const entries = await placed()
    writeSpec(JOB, contextOn(ended()).spec)
    const journal = Journal.open(journalPath(JOB))
    for (const entry of entries) journal.append(entry)
    journal.close()
    const verdict = async (): Promise<unknown> => strayFile(paperLibvirt(ended()), overlay).content()
    expect(await verdict()).toMatchObject({ kind: 'remove' })
    await writeFile(`${overlay}.other`, '')
    await rename(`${overlay}.other`, overlay)
    expect(await verdict()).toMatchObject({ kind: 'keep' })
  })
})

describe('a VM that a fault has ended', () => {
  it('is not started on an image whose overlay has not been committed', async () => {
    const vm = off('crashed', [{ target: 'vda', source: image }])
    const entries = planned()
    const job = contextOn(vm)
    const trace = new BackupTrace(entries)
    const { plan } = trace
    if (plan === undefined) throw new Error('no plan')
    expect(await bringStateBack(job, plan, trace)).toMatchObject({ kind: 'keep', path: overlay })
    expect(vm.state).toBe('shut off')
    await rm(overlay)
    expect(await bringStateBack(job, plan, trace)).toBeUndefined()
    expect(vm.state).toBe('running')
  })

  it.skipIf(!hasQemu)('is started where its overlay holds nothing more, though somebody reads that', async () => {
    execFileSync('qemu-img', ['commit', '-q', overlay])
    const vm = off('crashed', [{ target: 'vda', source: image }])
    const trace = new BackupTrace(planned())
    const reader = await open(overlay, 'r')
    onTestFinished(() => reader.close())
    expect(await bringStateBack(contextOn(vm), planOf(trace), trace)).toBeUndefined()
    expect(vm.state).toBe('running')
  })

  it('is not started while the file system of an overlay is not mounted', async () => {
    await rm(overlay)
    const vm = off('crashed', [{ target: 'vda', source: overlay }])
    const trace = new BackupTrace(planned({ disks: [{ ...vda(), mountPoint: join(dir, 'none') }] }))
    await expect(bringStateBack(contextOn(vm), planOf(trace), trace)).rejects.toMatchObject({
      failure: { kind: 'left-behind' }
    })
    expect(vm.state).toBe('shut off')
  })

  it.each(['file', 'block', 'network'] as const)(
    'is started where its overlay is gone, and there is nothing else in the folder for it: a %s',
    async (type) => {
      fsType = 'ext4'
      const sidecar = join(dir, 'overlays', `vda.stillpoint-${JOB}`)
      await mkdir(dirname(sidecar))
      const mountPoint = await mountBelow(sidecar)
      const disk = { ...vda(), type, sidecar, ...(mountPoint !== undefined && { mountPoint }) }
      endQemu()
      history = { events: ['crashed'], startedAgain: false, ended: 'crashed' }
      const vm = off('crashed', [{ target: 'vda', source: image }])
      const entries = [begunHere(await bootId()), ...planned({ disks: [disk], pointDir: join(dir, 'vms', UUID, JOB) })]
      expect((await undoBackup(contextOn(vm), entries)).kept).toEqual([])
      expect(vm.state).toBe('running')
    }
  )

  it('waits for its RAM, where that is all that there is of it, and its store is not there', async () => {
    const vm = off('saved', [{ target: 'vda', source: image }])
    const entries = [...planned({ method: 'classic' }), step('save', { before: {} }), done('save')]
    const trace = new BackupTrace(entries)
    const { plan } = trace
    if (plan === undefined) throw new Error('no plan')
    await expect(bringStateBack(contextOn(vm), plan, trace)).rejects.toMatchObject({ failure: { kind: 'io' } })
    expect(vm.state).toBe('shut off')
  })
})

describe('RAM that is in its file alone', () => {
  const saved = (log: VmHistory | undefined): JournalEntry[] => {
    history = log
    return [...planned({ method: 'classic', disks: [] }), step('save', { before: {} }), done('save'), step('restore')]
  }

  it('is loaded again and again before its VM is booted without it', async () => {
    const vm = off('saved', [{ target: 'vda', source: image }])
    const path = join(dir, 'journal.jsonl')
    await mkdir(join(dir, 'point'))
    execFileSync('touch', [join(dir, 'point/memory.save')])
    const entries = saved({ events: ['saved'], startedAgain: false, ended: 'saved' })
    const journal = Journal.open(path)
    for (const entry of entries) journal.append(entry)
    journal.close()
    let passes = 0
    for (; vm.state === 'shut off' && passes < 10; passes++) {
      const again = Journal.open(path, { unlike: readJournal(path) })
      const { spec, shell } = contextOn(vm)
      const trace = new BackupTrace(readJournal(path))
      const { plan } = trace
      if (plan === undefined) throw new Error('no plan')
      const job = jobContext(JOB, spec, shell, again, new AbortController().signal)
      await bringStateBack(job, plan, trace).catch(() => undefined)
      again.close()
    }
    expect(passes).toBe(4)
    expect(vm.state).toBe('running')
  })

  it('stays where nothing tells whether its VM has run since', async () => {
    const vm = off('saved', [{ target: 'vda', source: image }])
    await mkdir(join(dir, 'point'))
    execFileSync('touch', [join(dir, 'point/memory.save')])
    const { kept } = await undoBackup(contextOn(vm), saved(undefined))
    expect(kept).toMatchObject([{ kind: 'keep', path: join(dir, 'point/memory.save') }])
    expect(existsSync(join(dir, 'point/memory.save'))).toBe(true)
  })
})

describe('what libvirt does for others', () => {
  const SNAPSHOT = 6

  it('is not aborted by a later pass of an undo, whose own work is over', async () => {
    const vm = { ...running([{ target: 'vda', source: image, node: '1' }], []), operation: SNAPSHOT }
    const job = contextOn(vm)
    const past = [step('snapshot'), step('undo.job'), done('undo.job')]
    const begin: JournalEntry = { ...at, type: 'begin', id: JOB, spec: job.spec, bootId: await bootId(), engine: '1' }
    const end = undoBackup(job, [begin, ...planned({ disks: [] }), ...past])
    await eventually(() => {
      expect(job.shell.asked.filter((line) => line.startsWith('domjobinfo')).length).toBeGreaterThan(1)
    })
    delete (vm as Partial<PaperVm>).operation
    await end.catch(() => undefined)
    expect(job.shell.asked.join('\n')).not.toContain('domjobabort')
  })
})

describe.skipIf(!hasQemu)('the undo of a backup', () => {
  it('takes its own word for an overlay that it has removed, but not for one that a later plan made', async () => {
    endQemu()
    history = { events: ['shutdown'], startedAgain: false, ended: 'shutdown' }
    await rm(overlay)
    const vm = off('shutdown', [{ target: 'vda', source: overlay }])
    const pointDir = join(dir, 'vms', UUID, JOB)
    const entries = [...planned({ definition: owner().definition, pointDir }), step('drop.vda'), done('drop.vda')]
    const anew = [...entries, ...planned({ definition: owner().definition, pointDir })]
    expect((await undoBackup(contextOn(vm), anew)).kept).toMatchObject([{ path: overlay }])
    expect((await undoBackup(contextOn(vm), entries)).kept).toEqual([])
    expect(vm.defined).toEqual([{ target: 'vda', source: image }])
  })

  it('takes no word of an overlay that an earlier plan made for one of that which a later plan did', async () => {
    endQemu()
    history = { events: ['destroyed'], startedAgain: false, ended: 'destroyed' }
    const plan = planned({ definition: owner().definition, pointDir: join(dir, 'vms', UUID, JOB) })
    const pivot = step('pivot.vda', { process: qemu, node: '1', wasDefined: true })
    const first = [step('write.vda', { live: true }), pivot, done('pivot.vda'), step('drop.vda'), done('drop.vda')]
    const vm = off('destroyed', [{ target: 'vda', source: image }])
    const { kept } = await undoBackup(contextOn(vm), [...plan, ...first, ...plan])
    expect(kept).toMatchObject([{ path: overlay }])
    expect(existsSync(overlay)).toBe(true)
  })

  it('says anew that an overlay goes, though it said so of one that an earlier plan made', async () => {
    endQemu()
    history = { events: ['crashed'], startedAgain: false, ended: 'crashed' }
    const { shell, spec } = contextOn(off('crashed', [{ target: 'vda', source: overlay }]))
    writeSpec(JOB, spec)
    const plan = planned({ definition: owner().definition, pointDir: join(dir, 'vms', UUID, JOB) })
    const journal = Journal.open(journalPath(JOB))
    for (const entry of [begunHere(await bootId()), ...plan, step('drop.vda'), done('drop.vda'), ...plan])
      journal.append(entry)
    journal.close()
    await finish(shell, JOB)
    expect(existsSync(overlay)).toBe(false)
    const steps = readJournal(journalPath(JOB)).flatMap((entry) => (entry.type === 'step' ? [entry.step] : []))
    expect(steps.lastIndexOf('drop.vda')).toBeGreaterThan(steps.lastIndexOf('begin-point'))
  })
})

describe.skipIf(!hasQemu)('a disk that the snapshot took along though the plan does not know it', () => {
  let imageB: string
  let overlayB: string
  const run = (program: string, ...args: string[]): string => execFileSync(program, args, { encoding: 'utf8' })
  const ownB = (): PaperVm['live'] => [{ target: 'vdb', source: imageB, node: '2' }]
  const onOverlays = (): PaperVm['live'] => [
    { target: 'vda', source: overlay, node: '3', below: { source: image, node: '1' } },
    { target: 'vdb', source: overlayB, node: '4', below: { source: imageB, node: '2' } }
  ]

  beforeEach(() => {
    imageB = join(dir, 'data.qcow2')
    overlayB = `${join(dir, 'data')}.stillpoint-${JOB}`
    run('qemu-img', 'create', '-q', '-f', 'qcow2', imageB, '16M')
    run('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', imageB, '-F', 'qcow2', overlayB)
    run('qemu-io', '-f', 'qcow2', '-c', 'write -P 9 0 64k', overlayB)
    history = { events: ['shutdown'], startedAgain: false, ended: 'shutdown' }
  })

  /** As the journal has it once the VM has gone over to its overlays; the one of vda is committed, and gone. */
  async function noted(): Promise<JournalEntry[]> {
    const pointDir = join(dir, 'vms', UUID, JOB)
    const entries = planned({ definition: owner().definition, pointDir })
    const { plan } = new BackupTrace(entries)
    if (plan === undefined) throw new Error('no plan')
    const held = await lookAtOverlays(contextOn(running(onOverlays(), [])), plan)
    await rm(overlay)
    return [...entries, step('copy', { held })]
  }

  it('is written into its image, though its VM is off since and never had it for longer', async () => {
    const entries = await noted()
    endQemu()
    const vm = off('shutdown', [{ target: 'vda', source: image }])
    expect((await undoBackup(contextOn(vm), entries)).kept).toEqual([])
    expect(existsSync(overlayB)).toBe(false)
    expect(mapOf(imageB)).toContain('0x10000')
  })

  it('is left behind and named, where it was written to in its image meanwhile', async () => {
    const entries = await noted()
    endQemu()
    await utimes(imageB, 4e9, 4e9)
    const vm = off('shutdown', [{ target: 'vda', source: image }])
    expect((await undoBackup(contextOn(vm), entries)).kept).toMatchObject([{ path: overlayB }])
  })

  it('keeps its VM off, where that would start without what was written to it', async () => {
    const entries = await noted()
    endQemu()
    history = { events: ['crashed'], startedAgain: false, ended: 'crashed' }
    const trace = new BackupTrace(entries)
    const vda = { target: 'vda', source: image }
    const vm = off('crashed', [vda, { target: 'vdb', source: imageB }])
    expect(await bringStateBack(contextOn(vm), planOf(trace), trace)).toMatchObject({ kind: 'keep', path: overlayB })
    expect(vm.state).toBe('shut off')
    vm.defined = [vda]
    expect(await bringStateBack(contextOn(vm), planOf(trace), trace)).toBeUndefined()
    expect(vm.state).toBe('running')
  })

  it('has its overlay removed after a kill between the end of its commit and that', async () => {
    const entries = await noted()
    const pivot = step('pivot.vdb', { process: qemu, node: '2', wasDefined: false })
    const vm = running([{ target: 'vda', source: image, node: '1' }, ...ownB()], [{ target: 'vda', source: image }])
    const { kept } = await undoBackup(contextOn(vm), [begunHere(await bootId()), ...entries, pivot, done('pivot.vdb')])
    expect(kept).toEqual([])
    expect(existsSync(overlayB)).toBe(false)
    expect(existsSync(imageB)).toBe(true)
  })

  it('is left behind and named, where nobody could look before its VM had lost it', async () => {
    const pointDir = join(dir, 'vms', UUID, JOB)
    endQemu()
    await rm(overlay)
    const vm = off('shutdown', [{ target: 'vda', source: image }])
    const entries = planned({ definition: owner().definition, pointDir })
    expect((await undoBackup(contextOn(vm), entries)).kept).toMatchObject([{ path: overlayB }])
  })
})

describe.skipIf(!hasQemu)('an overlay whose job has ended', () => {
  it('is committed on after a kill in the middle of its commit: what was begun is noted', async () => {
    endQemu()
    history = { events: ['crashed'], startedAgain: false, ended: 'crashed' }
    const vm = off('crashed', [{ target: 'vda', source: overlay }])
    const job = contextOn(vm)
    writeSpec(JOB, job.spec)
    const { ino, mtimeNs, size } = await stat(image, { bigint: true })
    const held = [{ target: 'vda', image: { ino: String(ino), mtimeNs: String(mtimeNs), sizeBytes: String(size) } }]
    const journal = Journal.open(journalPath(JOB))
    for (const entry of [...planned({ definition: owner().definition }), step('copy', { held })]) journal.append(entry)
    journal.close()
    const stray = { vm: UUID, vmName: 'web', target: 'vda', overlay }
    const killed: Shell = {
      ...job.shell,
      run: (argv, options) =>
        argv[1] === 'commit' ? Promise.reject(new Error('killed')) : job.shell.run(argv, options)
    }
    await expect(commitStrayOverlay(killed, stray)).rejects.toThrow('killed')
    await utimes(image, 4e9, 4e9)
    expect(await commitStrayOverlay(job.shell, stray)).toBeUndefined()
    expect(existsSync(overlay)).toBe(false)
    const steps = readJournal(join(jobs.dir, JOB, 'late.jsonl')).map((entry) => entry.type === 'step' && entry.step)
    expect(steps).toEqual(expect.arrayContaining(['write.vda', 'drop.vda']))
    expect(hasEnd(JOB)).toBe(false)
  })
})

describe.skipIf(!hasQemu)('an image that another host has written to, which no time and no counter tells', () => {
  const BEGAN = 2 << 20
  let wasWritten: Date
  const crashed = (): PaperVm => off('crashed', [{ target: 'vda', source: overlay }])
  const writeThere = async (image: string, at: number): Promise<void> => {
    execFileSync('qemu-io', ['-f', 'qcow2', '-c', `write -q -P 5 ${at} 64k`, image], { stdio: 'ignore' })
    await utimes(image, wasWritten, wasWritten)
  }

  beforeEach(async () => {
    wasWritten = new Date('2026-11-22T20:00:00.000Z')
    execFileSync('qemu-io', ['-f', 'qcow2', '-c', `write -q -P 3 0 ${BEGAN}`, image], { stdio: 'ignore' })
    await utimes(image, wasWritten, wasWritten)
    history = { events: ['crashed'], startedAgain: false, ended: 'crashed' }
  })

  async function sampled(type: CaptureDisk['type'] = 'file'): Promise<Partial<OverlayCase>> {
    const disk = { ...vda(), type }
    const samples = await sampleImage(localShell(), disk)
    if (samples === undefined) throw new Error('not sampled')
    const { ino, mtimeNs, size } = await stat(image, { bigint: true })
    const file = { image: { ino: String(ino), mtimeNs: String(mtimeNs), sizeBytes: String(size) } }
    endQemu()
    return { disk, before: {}, owner: owner(), held: { target: 'vda', samples, ...(type === 'file' ? file : {}) } }
  }

  it.each(['file', 'block', 'network'] as const)('keeps its overlay: a %s', async (type) => {
    const more = await sampled(type)
    await writeThere(image, 1 << 20)
    for (const began of ['at rest', undefined] as const) {
      const work = overlayCase(crashed(), { ...more, commitBegan: () => began, sameBoot: false })
      expect(await commitOverlay(work)).toMatchObject({ kind: 'keep', path: overlay })
    }
    expect(existsSync(overlay)).toBe(true)
  })

  it.each([
    ['block', 'block', undefined],
    ['network', 'network', undefined],
    ['shared file', 'file', 'nfs4'],
    ['file on who knows what', 'file', 'made-up']
  ] as const)(
    'keeps its overlay and says both ways, where QEMU may have written that before it died: a %s',
    async (_what, kind, lies) => {
      const more = await sampled(kind)
      fsType = lies
      await writeThere(image, 1 << 20)
      const kept = await commitOverlay(
        overlayCase(crashed(), { ...more, commitBegan: () => 'in use', sameBoot: false })
      )
      expect(kept).toMatchObject({ kind: 'keep', path: overlay })
      expect(kept?.mend.join('\n')).toMatch(/no other host since[^]*qemu-img commit[^]*if it has[^]*convert[^]*\nmv/)
    }
  )

  it('is committed into, where no other host can: QEMU had copied what its overlay did not show yet, and died', async () => {
    const { held } = await sampled()
    await writeThere(image, 1 << 20)
    const vm = crashed()
    const entries = [
      begunHere('an earlier boot'),
      ...planned({ definition: owner().definition, pointDir: join(dir, 'vms', UUID, JOB) }),
      step('copy', { held: [held] })
    ]
    for (const began of [{ live: true }, {}]) {
      const { kept } = await undoBackup(contextOn(vm), [...entries, step('write.vda', began)])
      expect(kept).toEqual([])
      expect(vm.state).toBe('running')
      expect(existsSync(overlay)).toBe(false)
      execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', image, '-F', 'qcow2', overlay])
      execFileSync('qemu-io', ['-f', 'qcow2', '-c', 'write -q -P 7 0 64k', overlay])
      Object.assign(vm, crashed())
    }
  })

  it('is not committed into by a VM that runs on its overlay since the host was booted', async () => {
    const { held } = await sampled('block')
    await writeThere(image, 1 << 20)
    const live = [{ target: 'vda', source: overlay, node: '3', below: { source: image, node: '1' } }]
    const vm = running(live, [{ target: 'vda', source: overlay }])
    const job = contextOn(vm)
    const plan = planned({ disks: [{ ...vda(), type: 'block' }], pointDir: join(dir, 'vms', UUID, JOB) })
    const { kept } = await undoBackup(job, [begunHere('an earlier boot'), ...plan, step('copy', { held: [held] })])
    expect(kept).toMatchObject([{ path: overlay }])
    expect(job.shell.asked.join('\n')).not.toContain('blockcommit')
  })

  const away = (type: 'block' | 'network'): CaptureDisk => ({
    ...vda(),
    type,
    image: type === 'network' ? AWAY : join(dir, 'none')
  })
  const AWAY = 'json:{"driver":"raw","file":{"driver":"nbd","server":{"type":"unix","path":"/none"}}}'

  it.each(['block', 'network'] as const)(
    'is not committed into, nor is its VM started on it, and both are asked again, where it cannot be read just now: a %s',
    async (type) => {
      const more = await sampled(type)
      const work = overlayCase(crashed(), {
        ...more,
        disk: away(type),
        sameBoot: false,
        commitBegan: () => undefined
      })
      await expect(commitOverlay(work)).rejects.toMatchObject({ failure: { kind: 'left-behind' } })
      expect(mapOf(overlay)).toContain('0x10000')
      const vm = crashed()
      const trace = new BackupTrace([...planned({ disks: [away(type)] }), step('copy', { held: [more.held] })])
      const started = bringStateBack(contextOn(vm), planOf(trace), trace)
      await expect(started).rejects.toMatchObject({ failure: { kind: 'left-behind' } })
      expect(vm.state).toBe('shut off')
    }
  )

  it.each(['block', 'network'] as const)(
    'keeps no recovery going where it is gone for good: its disk is taken off as told, or was: a %s',
    async (type) => {
      const more = { ...(await sampled(type)), disk: away(type), sameBoot: false, commitBegan: () => undefined }
      const vm = crashed()
      const work = overlayCase(vm, more)
      const told = [
        { path: overlay, mend: expect.arrayContaining([expect.stringContaining('detach-disk')]) as unknown }
      ]
      await expect(commitOverlay(work)).rejects.toMatchObject({ failure: { left: told } })
      vm.defined = []
      expect((await commitOverlay(work))?.mend.join('\n')).toMatch(/qemu-img convert[^]*\nrm /)
      execFileSync('truncate', ['-s', '1M', join(dir, 'another')])
      vm.defined = [{ target: 'vda', source: join(dir, 'another') }]
      expect(await commitOverlay(work)).toMatchObject({ kind: 'keep', path: overlay })
      vm.defined = [{ target: 'vda', source: image }]
      await expect(commitOverlay(work)).rejects.toMatchObject({ failure: { left: told } })
      expect(mapOf(overlay)).toContain('0x10000')
    }
  )

  it('is not compared again once this host has, and has started its VM: its server may have no place for one more', async () => {
    const { held } = await sampled('network')
    const started: JournalEntry[] = []
    const announces: JobContext['step'] = (name, data, work) => {
      started.push(step(name, data))
      return work()
    }
    const entries = (disk: CaptureDisk): JournalEntry[] => [
      begunHere('an earlier boot'),
      ...planned({ disks: [disk], pointDir: join(dir, 'vms', UUID, JOB) }),
      step('copy', { held: [held] })
    ]
    await spawnQemu()
    const vm = crashed()
    const trace = new BackupTrace(entries({ ...vda(), type: 'network' }))
    await bringStateBack({ ...contextOn(vm), step: announces }, planOf(trace), trace)
    expect(vm.state).toBe('running')
    vm.live = [{ target: 'vda', source: overlay, node: '3', below: { source: image, node: '1' } }]
    const goesOn = expect.stringMatching(/^{ virsh blockcommit 'web' vda/) as unknown
    await expect(undoBackup(contextOn(vm), entries(away('network')))).rejects.toMatchObject({
      failure: { left: [{ path: overlay, mend: expect.arrayContaining([goesOn]) as unknown }] }
    })
    const { kept } = await undoBackup(contextOn(vm), [...entries(away('network')), ...started])
    expect(kept).toEqual([])
    expect(vm.live).toMatchObject([{ source: image }])
  })

  it('does not see what our own commit has written to it', async () => {
    const more = await sampled()
    await writeThere(image, 0)
    expect(await commitOverlay(overlayCase(crashed(), { ...more, commitBegan: () => 'at rest' }))).toBeUndefined()
    expect(existsSync(overlay)).toBe(false)
  })

  it('is what its VM is not started on', async () => {
    const { held } = await sampled('block')
    await writeThere(image, 1 << 20)
    const vm = crashed()
    const trace = new BackupTrace([
      ...planned({ disks: [{ ...vda(), type: 'block' }] }),
      step('copy', { held: [held] })
    ])
    const { plan } = trace
    if (plan === undefined) throw new Error('no plan')
    expect(await bringStateBack(contextOn(vm), plan, trace)).toMatchObject({ kind: 'keep', path: overlay })
    expect(vm.state).toBe('shut off')
  })
})

describe.skipIf(!hasQemu)(
  'an overlay whose VM is started on its own image, a linked clone, as it is to be committed',
  () => {
    const onOverlay = (): PaperVm =>
      running(
        [{ target: 'vda', source: overlay, node: '3', below: { source: image, node: '1' } }],
        [{ target: 'vda', source: overlay }]
      )

    /** Its owner destroys it, gives it an older definition and starts it on that. */
    const startOnImage = (vm: PaperVm): void => {
      const below = { source: '/srv/template.qcow2', node: '4' }
      vm.live = [{ target: 'vda', source: image, node: '5', below }]
      vm.defined = [{ target: 'vda', source: image }]
    }

    it('has nothing written into the template: what is to be committed is named', async () => {
      const vm = onOverlay()
      const write: OverlayCase['write'] = (_how, work) => {
        startOnImage(vm)
        return work()
      }
      await expect(commitOverlay(overlayCase(vm, { write }))).rejects.toThrow(/could not find image/)
      expect([vm.ready, existsSync(overlay)]).toEqual([undefined, true])
    })

    it('does not have it go over by a commit that its owner has begun of that', async () => {
      const vm = onOverlay()
      const write: OverlayCase['write'] = async (_how, work) => {
        await work()
        startOnImage(vm)
      }
      const work = overlayCase(vm, { write, before: {} })
      expect(await commitOverlay(work)).toMatchObject({ kind: 'keep', path: overlay })
      expect(askedOf(work)).not.toContain('--pivot')
      expect(vm.live).toMatchObject([{ source: image }])
    })
  }
)

describe.skipIf(!hasQemu)('an overlay that somebody has begun to commit by hand', () => {
  const stamped = async (): Promise<OverlayCase['held']> => {
    const { ino, mtimeNs, size } = await stat(image, { bigint: true })
    return { target: 'vda', image: { ino: String(ino), mtimeNs: String(mtimeNs), sizeBytes: String(size) } }
  }

  it('is gone on with, which is announced: what came of it in the image is no other host’s when its QEMU dies', async () => {
    const live = [{ target: 'vda', source: overlay, node: '3', below: { source: image, node: '1' } }]
    const vm: PaperVm = { ...running(live, [{ target: 'vda', source: overlay }]), ready: 'vda' }
    const job = contextOn(vm)
    const noted = justHeld({}, [(await stamped()) ?? { target: 'vda' }])
    const announced: JournalEntry[] = []
    const dies: JobContext['step'] = async (name, data, work) => {
      announced.push(step(name, data))
      const result = await work()
      if (!name.startsWith('write') || vm.state !== 'running') return result
      endQemu()
      history = { events: ['crashed'], startedAgain: false, ended: 'crashed' }
      await utimes(image, 4e9, 4e9)
      Object.assign(vm, off('crashed', [{ target: 'vda', source: overlay }]), { ready: undefined })
      return result
    }
    const plan = planOf(new BackupTrace(planned({ definition: owner().definition })))
    expect(await commitOverlay(caseOf({ ...job, step: dies }, plan, vda(), noted))).toBeUndefined()
    expect(announced.map((entry) => entry.type === 'step' && [entry.step, entry.data])).toEqual([
      ['write.vda', { live: true }],
      ['write.vda', { live: false }],
      ['drop.vda', {}]
    ])
    expect(job.shell.asked.join('\n')).not.toContain('blockcommit')
    expect(mapOf(image)).toContain('0x10000')
  })

  it('is not gone over to an image below its own by a commit that goes deeper, which is left to who began it', async () => {
    const template = '/srv/template.qcow2'
    const below = { source: image, node: '1', below: { source: template, node: '0' } }
    const live = [{ target: 'vda', source: overlay, node: '3', below }]
    const vm: PaperVm = {
      ...running(live, [{ target: 'vda', source: overlay }]),
      ready: 'vda',
      readyInto: template
    }
    const work = overlayCase(vm)
    await expect(commitOverlay(work)).rejects.toThrow(/foreign-work.*active-commit into \/srv\/template/)
    expect(askedOf(work)).not.toContain('--pivot')
    vm.readyInto = image
    expect(await commitOverlay(work)).toBeUndefined()
    expect(existsSync(overlay)).toBe(false)
  })

  it('is told with how to go on with that, and when its VM may start, where nobody saw it before its QEMU died, unless its VM was elsewhere', async () => {
    const held = await stamped()
    await utimes(image, 4e9, 4e9)
    endQemu()
    history = { events: ['crashed'], startedAgain: false, ended: 'crashed' }
    const vm = off('crashed', [{ target: 'vda', source: overlay }])
    const work = overlayCase(vm, { before: {}, owner: owner(), held, commitBegan: () => undefined })
    const told = async (): Promise<string> => (await commitOverlay(work))?.mend.join('\n') ?? ''
    expect(await told()).toMatch(/no other host since[^]*qemu-img commit[^]*if it has[^]*convert[^]*\nmv/)
    const typed = (await told()).split('\n').filter((line) => /^(qemu-img commit|mv) /.test(line))
    expect(typed).toHaveLength(2)
    for (const line of typed) expect(line).toMatch(/looked after again, before web is started$/)
    history = { events: ['migrated', 'started', 'crashed'], startedAgain: true, ended: 'crashed' }
    expect(await told()).not.toContain('qemu-img commit')
    expect(await told()).toContain('convert')
  })

  it('is written into a device that has counted no write since, though nothing names it, but not after a boot', async () => {
    const disk = { ...vda(), type: 'block' as const }
    const held = { target: 'vda', writes: await stampOf(image) }
    endQemu()
    history = { events: ['crashed'], startedAgain: false, ended: 'crashed' }
    const vm = off('crashed', [])
    const work = overlayCase(vm, { before: {}, owner: owner(), disk, held, commitBegan: () => undefined })
    expect(await commitOverlay({ ...work, sameBoot: false })).toMatchObject({ kind: 'keep', path: overlay })
    expect(mapOf(image)).not.toContain('0x10000')
    expect(await commitOverlay(work)).toBeUndefined()
    expect(mapOf(image)).toContain('0x10000')
  })
})

describe.skipIf(!hasQemu)('an overlay on which its owner has put a snapshot of his own', () => {
  let top: string
  const fallen = (): PaperVm => off('crashed', [{ target: 'vda', source: top }])

  beforeEach(() => {
    top = join(dir, 'web.s1')
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', overlay, '-F', 'qcow2', top])
    execFileSync('qemu-io', ['-f', 'qcow2', '-c', 'write -q -P 8 1M 64k', top])
    endQemu()
    history = { events: ['crashed'], startedAgain: false, ended: 'crashed' }
  })

  it.each(['file', 'block', 'network'] as const)('keeps no VM off that a fault has ended: a %s', async (type) => {
    const vm = fallen()
    const trace = new BackupTrace(planned({ disks: [{ ...vda(), type }] }))
    expect(await bringStateBack(contextOn(vm), planOf(trace), trace)).toBeUndefined()
    expect(vm.state).toBe('running')
  })

  it.each(['file', 'block', 'network'] as const)(
    'is emptied into the image, and stays, since what is on top of it needs it: a %s',
    async (type) => {
      const work = overlayCase(fallen(), { before: {}, owner: owner(), disk: { ...vda(), type }, sameBoot: false })
      const kept = await commitOverlay({ ...work, commitBegan: () => undefined })
      expect(kept).toMatchObject({ kind: 'keep', path: overlay, because: expect.stringContaining(top) as unknown })
      expect(kept?.mend.join('\n')).not.toContain('rm ')
      expect(mapOf(image)).toContain('0x10000')
      expect(existsSync(overlay)).toBe(true)
    }
  )

  it('is not written into an image that somebody has written to, nor told to be taken away from below it', async () => {
    const { ino, mtimeNs, size } = await stat(image, { bigint: true })
    const held = { target: 'vda', image: { ino: String(ino), mtimeNs: String(mtimeNs), sizeBytes: String(size) } }
    await utimes(image, 4e9, 4e9)
    const vm = fallen()
    const work = overlayCase(vm, { before: {}, owner: owner(), held, commitBegan: () => undefined })
    const kept = await commitOverlay(work)
    expect(kept).toMatchObject({ kind: 'keep', path: overlay })
    expect(kept?.mend.join('\n')).toContain('convert')
    expect(kept?.mend.join('\n')).not.toMatch(/^(rm|mv) /m)
    expect(mapOf(image)).not.toContain('0x10000')
    const trace = new BackupTrace([...planned(), step('copy', { held: [held] })])
    expect(await bringStateBack(contextOn(vm), planOf(trace), trace)).toMatchObject({ path: overlay })
    expect(vm.state).toBe('shut off')
  })

  it.each(['file', 'block', 'network'] as const)(
    'keeps no VM off, once we have emptied it into the image, which is not as it was by that: a %s',
    async (type) => {
      const disk = { ...vda(), type }
      const samples = await sampleImage(localShell(), disk)
      const held = { target: 'vda', ...(samples !== undefined && { samples }) }
      const vm = fallen()
      const work = overlayCase(vm, { before: {}, owner: owner(), disk, held, sameBoot: false })
      expect(await commitOverlay({ ...work, commitBegan: () => undefined })).toMatchObject({ path: overlay })
      expect(mapOf(image)).toContain('0x10000')
      const began = step('write.vda', { live: false })
      const trace = new BackupTrace([...planned({ disks: [disk] }), step('copy', { held: [held] }), began])
      expect(await bringStateBack(contextOn(vm), planOf(trace), trace)).toBeUndefined()
      expect(vm.state).toBe('running')
    }
  )

  it('is committed by hand into the image itself, and goes only where its VM was seen to be off it, whatever lies on it by then', async () => {
    const { ino, mtimeNs, size } = await stat(image, { bigint: true })
    const held = { target: 'vda', image: { ino: String(ino), mtimeNs: String(mtimeNs), sizeBytes: String(size) } }
    await utimes(image, 4e9, 4e9)
    const below = { source: overlay, node: '3', below: { source: image, node: '1' } }
    const vm = running([{ target: 'vda', source: top, node: '4', below }], [{ target: 'vda', source: top }])
    const work = { before: {}, owner: owner(), sameBoot: false, commitBegan: () => undefined, held }
    const [line] = (await commitOverlay(overlayCase(vm, work)))?.mend.slice(-1) ?? []
    expect(line).toContain(`--top '${overlay}' --base '${image}'`)
    expect(line).not.toContain('--shallow')
    expect(existsSync(overlay)).toBe(true)
    const typed = (listed: string): boolean => {
      const virsh = `virsh() { [ $1 = blockcommit ] || printf '%b' "$LISTED"; }`
      execFileSync('sh', ['-c', `${virsh}; ${line ?? 'false'}; true`], { env: { ...process.env, LISTED: listed } })
      return existsSync(overlay)
    }
    expect(typed('')).toBe(true)
    expect(typed(`Domain: 'web'\\n  block.count=2\\n  block.0.path=${top}\\n  block.1.path=${overlay}\\n`)).toBe(true)
    expect(typed(`Domain: 'web'\\n  block.count=1\\n  block.0.path=${image}\\n`)).toBe(false)
  })

  describe('which cannot be read just now', () => {
    const fast = (): string => join(dir, 'fast', 'web.s1')
    const named = (): PaperVm => off('crashed', [{ target: 'vda', source: fast() }])
    const asItWas = async (): Promise<OverlayCase['held']> => {
      const { ino, mtimeNs, size } = await stat(image, { bigint: true })
      return { target: 'vda', image: { ino: String(ino), mtimeNs: String(mtimeNs), sizeBytes: String(size) } }
    }

    it.each(['its folder is not there either', 'others are in its folder'])(
      'stays behind its commit, since that may rest on it: %s',
      async (folder) => {
        if (folder.startsWith('others')) await mkdir(join(fast(), '../of-others'), { recursive: true })
        const work = overlayCase(named(), { before: {}, owner: owner(), held: await asItWas() })
        const kept = [
          await commitOverlay({ ...work, commitBegan: () => undefined }),
          await commitOverlay(work) // doctor comes by later
        ]
        const because: unknown = expect.stringContaining(`${fast()}, which cannot be read,`)
        expect(kept).toMatchObject(kept.map(() => ({ path: overlay, because })))
        expect(mapOf(image)).toContain('0x10000')
        expect(existsSync(overlay)).toBe(true)
      }
    )

    it('is not told to be removed from below that, where it is not committed', async () => {
      const disk = { ...vda(), type: 'block' as const }
      const work = overlayCase(named(), { before: {}, owner: owner(), disk, sameBoot: false })
      const kept = await commitOverlay({ ...work, commitBegan: () => undefined })
      expect(kept).toMatchObject({ kind: 'keep', path: overlay })
      expect(kept?.mend.join('\n')).toContain('convert')
      expect(kept?.mend.join('\n')).not.toMatch(/^(rm|mv) /m)
    })

    it('has its VM started as soon as that can be, with what to type until then', async () => {
      const vm = named()
      const entries = [
        begunHere('an earlier boot'),
        ...planned({ definition: owner().definition, pointDir: join(dir, 'vms', UUID, JOB) }),
        step('copy', { held: [await asItWas()] })
      ]
      const trace = new BackupTrace(entries)
      await expect(bringStateBack(contextOn(vm), planOf(trace), trace)).rejects.toMatchObject({
        failure: {
          kind: 'left-behind',
          left: [{ path: fast(), mend: [expect.stringMatching(/^mount /), expect.stringContaining('deleted')] }]
        }
      })
      expect(vm.state).toBe('shut off')
      await mkdir(dirname(fast()))
      await rename(top, fast())
      expect((await undoBackup(contextOn(vm), entries)).kept).toMatchObject([{ path: overlay }])
      expect(vm.state).toBe('running')
    })

    it('goes all the same where the VM was to start with that before: it rests on no overlay that came later', async () => {
      const { definition, ...rest } = owner()
      const work = overlayCase(named(), { before: {}, held: await asItWas() })
      const before = { ...rest, definition: definition.replace(image, fast()) }
      expect(await commitOverlay({ ...work, owner: before })).toBeUndefined()
      expect(existsSync(overlay)).toBe(false)
      expect(mapOf(image)).toContain('0x10000')
    })
  })

  it('is told as lost where it is not there, though what its VM starts with rests on it', async () => {
    await rm(overlay)
    const kept = await commitOverlay(overlayCase(fallen(), { before: {}, owner: owner() }))
    expect(kept).toMatchObject({ kind: 'keep', path: overlay, because: expect.stringContaining('removed') as unknown })
  })
})

describe.skipIf(!hasQemu)('an overlay whose VM has gone over to the image below it', () => {
  /** As the guest writes once it has gone over, where the overlay has an older word. */
  const writeMark = (): void => {
    execFileSync('qemu-io', ['-f', 'qcow2', '-c', 'write -q -P 9 0 64k', image])
  }
  const hasMark = (): boolean =>
    !execFileSync('qemu-io', ['-r', '-f', 'qcow2', '-c', 'read -P 9 0 64k', image], { encoding: 'utf8' }).includes(
      'failed'
    )
  const nobodySawItsEnd: VmHistory = { events: [], startedAgain: false, ended: undefined }
  const wentOver = (): JournalEntry[] => [
    begunHere('an earlier boot'),
    ...planned({ definition: owner().definition, pointDir: join(dir, 'vms', UUID, JOB) }),
    step('write.vda', { live: true }),
    done('write.vda'),
    step('pivot.vda', { process: qemu, node: '1', wasDefined: true, log: { ino: '1', sizeBytes: 0 } }),
    done('pivot.vda')
  ]
  const named = (): PaperVm => off('unknown', [{ target: 'vda', source: overlay }])

  beforeEach(writeMark)

  it('is not gone back to, though the definition names it again: its VM runs on the image', async () => {
    const entries = wentOver()
    endQemu()
    history = nobodySawItsEnd
    const vm = named()
    const job = contextOn(vm)
    expect((await undoBackup(job, entries)).kept).toEqual([])
    expect(hasMark()).toBe(true)
    expect(vm.defined).toEqual([{ target: 'vda', source: image }])
    expect(vm.state).toBe('running')
    const asked = job.shell.asked.map((line) => line.split(' ')[0])
    expect(asked.indexOf('start')).toBeGreaterThan(asked.indexOf('define'))
    expect(existsSync(overlay)).toBe(false)
  })

  it('is left to a person where its VM has been started since, perhaps on it', async () => {
    const entries = wentOver()
    endQemu()
    history = { events: ['started'], startedAgain: true, ended: undefined }
    const vm = named()
    expect((await undoBackup(contextOn(vm), entries)).kept).toMatchObject([{ path: overlay }, { path: overlay }])
    expect(hasMark()).toBe(true)
    expect(vm.state).toBe('shut off')
    const live = [{ target: 'vda', source: overlay, node: '3', below: { source: image, node: '1' } }]
    const onIt = contextOn(running(live, [{ target: 'vda', source: overlay }]))
    expect((await undoBackup(onIt, entries)).kept).toMatchObject([{ path: overlay }])
    expect(onIt.shell.asked.join('\n')).not.toContain('blockcommit')
  })

  it('is not committed by the very process that told its QEMU to, where that dies just then', async () => {
    history = { events: ['crashed'], startedAgain: false, ended: 'crashed' }
    const live = [{ target: 'vda', source: overlay, node: '3', below: { source: image, node: '1' } }]
    const vm: PaperVm = {
      ...running(live, [{ target: 'vda', source: overlay }]),
      onPivot() {
        endQemu()
        Object.assign(vm, off('crashed', [{ target: 'vda', source: image }]))
      }
    }
    const plan = planOf(new BackupTrace(planned({ definition: owner().definition })))
    const before = qemu === undefined ? {} : { process: qemu }
    expect(await commitOverlay(caseOf(contextOn(vm), plan, vda(), justHeld(before, [])))).toBeUndefined()
    expect(hasMark()).toBe(true)
    expect(existsSync(overlay)).toBe(false)
  })

  it('is the end of its chain only by what it is, where libvirt has said so of an image that it did not know', async () => {
    const live = [{ target: 'vda', source: overlay, node: '3', below: { source: image, node: '1' } }]
    const vm: PaperVm = {
      ...running(live, [{ target: 'vda', source: overlay }]),
      onPivot() {
        vm.live = [{ target: 'vda', source: image, node: '1', isLast: true }]
        vm.defined = [{ target: 'vda', source: image, isLast: true }]
      }
    }
    expect(await commitOverlay(overlayCase(vm, { owner: owner() }))).toBeUndefined()
    expect(vm.defined).toEqual([{ target: 'vda', source: image }])
  })

  it('is said to be left only when libvirt’s new definition lasts', async () => {
    const live = [{ target: 'vda', source: overlay, node: '3', below: { source: image, node: '1' } }]
    const vm = running(live, [{ target: 'vda', source: overlay }])
    const seen: unknown[] = []
    const pivot: OverlayCase['pivot'] = async (_told, work) => {
      synced.length = 0
      await work()
      seen.push(vm.defined, [...synced])
    }
    expect(await commitOverlay(overlayCase(vm, { pivot }))).toBeUndefined()
    expect(seen).toEqual([[{ target: 'vda', source: image, node: '1' }], ['/etc/libvirt/qemu']])
  })

  it('is told to go over with what its definition names by then, not as the commit began', async () => {
    const live = [{ target: 'vda', source: overlay, node: '3', below: { source: image, node: '1' } }]
    const vm = running(live, [{ target: 'vda', source: overlay }])
    const write: OverlayCase['write'] = async (_how, work) => {
      await work()
      vm.defined = [{ target: 'vda', source: image }]
    }
    const noted: unknown[] = []
    const pivot: OverlayCase['pivot'] = async (told, work) => {
      noted.push(told)
      await work()
    }
    expect(await commitOverlay(overlayCase(vm, { write, pivot }))).toBeUndefined()
    expect(noted).toMatchObject([{ node: '1', wasDefined: false }])
  })

  it('stays, where another QEMU runs on the image that has the same number there', async () => {
    const live = [{ target: 'vda', source: overlay, node: '3', below: { source: image, node: '1' } }]
    const vm = running(live, [{ target: 'vda', source: overlay }])
    const write: OverlayCase['write'] = async () => {
      endQemu()
      qemu = await spawnQemu()
      vm.live = vm.defined = [{ target: 'vda', source: image, node: '1' }]
    }
    expect(await commitOverlay(overlayCase(vm, { write }))).toMatchObject({ kind: 'keep', path: overlay })
    expect(existsSync(overlay)).toBe(true)
  })

  it('keeps its VM from nothing, also where somebody reads it', async () => {
    const trace = new BackupTrace(wentOver())
    endQemu()
    history = nobodySawItsEnd
    const vm = off('unknown', [{ target: 'vda', source: image }])
    const reader = await open(overlay, 'r')
    onTestFinished(() => reader.close())
    expect(await bringStateBack(contextOn(vm), planOf(trace), trace)).toBeUndefined()
    expect(vm.state).toBe('running')
  })
})

describe.skipIf(!hasQemu)(
  'an overlay whose QEMU was told to go over to the image below it, which nobody saw it do',
  () => {
    const writeTo = (path: string, pattern: number, at: string): void => {
      execFileSync('qemu-io', ['-f', 'qcow2', '-c', `write -q -P ${pattern} ${at} 64k`, path], { stdio: 'ignore' })
    }
    const holds = (path: string, pattern: number, at: string): boolean =>
      !execFileSync('qemu-io', ['-r', '-f', 'qcow2', '-c', `read -P ${pattern} ${at} 64k`, path], {
        encoding: 'utf8'
      }).includes('failed')
    const told = (boot: string, type: CaptureDisk['type'] = 'file'): JournalEntry[] => [
      begunHere(boot),
      ...planned({
        definition: owner().definition,
        disks: [{ ...vda(), type }],
        pointDir: join(dir, 'vms', UUID, JOB)
      }),
      step('write.vda', { live: true }),
      done('write.vda'),
      step('pivot.vda', { process: qemu, node: '1', wasDefined: true, log: { ino: '1', sizeBytes: 0 } })
    ]
    const fallen = (): PaperVm => off('crashed', [{ target: 'vda', source: overlay }])

    beforeEach(() => {
      endQemu()
      history = { events: ['crashed'], startedAgain: false, ended: 'crashed' }
    })

    it.each(['file', 'block', 'network'] as const)(
      'is left behind for its image, where that shows all that it holds: nothing that was written there since is lost: a %s',
      async (type) => {
        writeTo(image, 7, '0')
        writeTo(image, 9, '1M')
        await utimes(overlay, 4e9, 4e9)
        const vm = fallen()
        expect((await undoBackup(contextOn(vm), told('an earlier boot', type))).kept).toEqual([])
        expect(vm.defined).toEqual([{ target: 'vda', source: image }])
        expect(vm.state).toBe('running')
        expect(existsSync(overlay)).toBe(false)
        expect(holds(image, 9, '1M')).toBe(true)
      }
    )

    it.each([
      ['the image was written to last', 'image', 'an earlier boot'],
      ['a power cut may have taken a time of change back', 'overlay', 'an earlier boot'],
      ['the image was written to last, in this boot', 'image', 'this boot']
    ])('is left to a person, and its VM off, where %s', async (_why, last, boot) => {
      writeTo(image, 9, '0')
      await utimes(last === 'image' ? image : overlay, 4e9, 4e9)
      const vm = fallen()
      const entries = told(boot === 'this boot' ? await bootId() : boot)
      const { kept } = await undoBackup(contextOn(vm), entries)
      expect(kept).toMatchObject([{ path: overlay }, { path: overlay }])
      expect(kept[0]?.mend.join('\n')).toMatch(/not gone over[^]*qemu-img commit[^]*if it had[^]*convert[^]*\nmv/)
      expect(vm.state).toBe('shut off')
      expect(holds(image, 9, '0')).toBe(true)
    })

    it('is committed, and its VM runs, where it was written to last in this boot of the host', async () => {
      writeTo(image, 9, '0')
      await utimes(overlay, 4e9, 4e9)
      const vm = fallen()
      expect((await undoBackup(contextOn(vm), told(await bootId()))).kept).toEqual([])
      expect(holds(image, 7, '0')).toBe(true)
      expect(vm.state).toBe('running')
    })

    it('is known not to have been left, once its QEMU was seen on it behind that: then its host is booted', async () => {
      qemu = await spawnQemu()
      history = { events: [], startedAgain: false, ended: undefined }
      writeTo(image, 9, '0')
      const path = join(dir, 'journal.jsonl')
      const begun = Journal.open(path)
      for (const entry of told(await bootId())) begun.append(entry)
      begun.close()
      const live = [{ target: 'vda', source: overlay, node: '3', below: { source: image, node: '1' } }]
      const vm = running(live, [{ target: 'vda', source: overlay }])
      const { shell, spec } = contextOn(vm)
      const pass = async (run: Shell['run']): Promise<void> => {
        const journal = Journal.open(path, { unlike: readJournal(path) })
        const job = jobContext(JOB, spec, { ...shell, run }, journal, new AbortController().signal)
        await expect(undoBackup(job, readJournal(path))).rejects.toThrow()
        journal.close()
      }
      const booted = (): JournalEntry[] =>
        readJournal(path).map((entry) => (entry.type === 'begin' ? { ...entry, bootId: 'an earlier boot' } : entry))
      const pivoted = (): unknown => new BackupTrace(booted()).pivoted('vda')
      const fullImage: Shell['run'] = (argv, options) =>
        argv[1] === 'blockcommit' ? Promise.resolve(NOTHING_SAID) : shell.run(argv, options)
      const failsToPivot: Shell['run'] = (argv, options) =>
        argv.includes('--pivot') ? Promise.reject(new Error('no luck')) : shell.run(argv, options)
      await pass(failsToPivot)
      expect(pivoted()).toMatchObject({ done: false })
      await pass(failsToPivot)
      expect(pivoted()).toMatchObject({ done: false }) // the job that is there may take it over still
      vm.ready = undefined
      await pass(fullImage)
      expect(pivoted()).toBeUndefined()
      await pass(failsToPivot)
      expect(pivoted()).toMatchObject({ done: false })
      vm.ready = undefined
      await pass(fullImage)
      expect(pivoted()).toBeUndefined()
      endQemu()
      history = { events: ['crashed'], startedAgain: false, ended: 'crashed' }
      const off = fallen()
      expect((await undoBackup(contextOn(off), booted())).kept).toEqual([])
      expect(off.state).toBe('running')
      expect(holds(image, 7, '0')).toBe(true)
    })

    it('is not committed by a VM that the boot of its host has started on it', async () => {
      writeTo(image, 9, '0')
      const live = [{ target: 'vda', source: overlay, node: '3', below: { source: image, node: '1' } }]
      const job = contextOn(running(live, [{ target: 'vda', source: overlay }]))
      const { kept } = await undoBackup(job, told('an earlier boot'))
      expect(kept).toMatchObject([{ path: overlay }])
      expect(kept[0]?.mend.join('\n')).toMatch(/virsh blockcommit 'web' vda --top .* --active --pivot/)
      expect(job.shell.asked.join('\n')).not.toContain('blockcommit')
    })
  }
)

const NOTHING_SAID = { exitCode: 0, signal: undefined, stdout: '', stderr: '' }

describe.skipIf(!hasQemu)('how the images below overlays stood', () => {
  const live = (): PaperVm['live'] => [
    { target: 'vda', source: overlay, node: '3', below: { source: image, node: '1' } }
  ]

  it('is noted before they are looked at in many places, which may take long, and not lost by that', async () => {
    const { shell, ...job } = contextOn(running(live(), []))
    const programs: string[] = []
    const run: Shell['run'] = (argv, options) => {
      programs.push(argv[0])
      return shell.run(argv, options)
    }
    const entries = planned()
    const plan = planOf(new BackupTrace(entries))
    const held = await lookAtOverlays({ ...job, shell: { ...shell, run } }, plan)
    expect(programs).not.toContain('qemu-io')
    entries.push(step('copy', { held }))
    expect(new BackupTrace(entries).held?.map(({ image }) => image?.ino)).toEqual([String((await stat(image)).ino)])
    const announces: JobContext['step'] = (name, data, work) => {
      entries.push(step(name, data))
      return work()
    }
    const sampled = await noteSamples({ ...job, shell, step: announces }, plan, held)
    const [disk] = new BackupTrace(entries).held ?? []
    expect(disk).toMatchObject(held[0] ?? {})
    expect(disk?.samples).toEqual(sampled[0]?.samples)
    expect(disk?.samples).toHaveLength(placesOf(vda().virtualSizeBytes).length)
  })

  it('is warned of where another host may write to one that cannot be read', async () => {
    const warned: string[] = []
    const disks = ['block', 'network', 'file'].map((type) => ({
      ...vda(),
      target: type,
      type: type as CaptureDisk['type'],
      image: join(dir, 'none')
    }))
    const job = { ...contextOn(off('', [])), warn: (text: string) => void warned.push(text) }
    const held = disks.map(({ target }) => ({ target }))
    await noteSamples(job, { ...planOf(new BackupTrace(planned())), disks }, held)
    expect(warned.map((text) => /Disk (\w+)/.exec(text)?.[1]).toSorted()).toEqual(['block', 'network'])
  })
})

describe.skipIf(!hasQemu)('what an overlay holds itself', () => {
  it('is told though the server of the image below it says nothing', async () => {
    const silent = createServer().listen(join(dir, 'nbd'))
    onTestFinished(() => void silent.close())
    await once(silent, 'listening')
    const path = join(dir, 'on-server')
    const below = ['-u', '-b', `nbd+unix:///?socket=${join(dir, 'nbd')}`, '-F', 'raw']
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', ...below, path, '16M'])
    expect(await ownRanges(localShell(), path)).toEqual([])
    expect(await ownRanges(localShell(), overlay)).toEqual([{ start: 0, length: 65_536 }])
  })
})

describe.skipIf(!hasQemu)('an overlay that a guest has written to all over', () => {
  /** As `qemu-img map` tells of it: more than the text of any other program may be. */
  const PIECES = 200_000
  const mapped = `seq 0 ${PIECES - 1} | awk '{ printf "%s{ \\"start\\": %.0f, \\"length\\": 65536, \\"depth\\": 0, \\"present\\": %s, \\"zero\\": false, \\"data\\": true, \\"compressed\\": false, \\"offset\\": 327680}", (NR > 1 ? ",\\n" : "["), $1 * 65536, ($1 % 2 ? "false" : "true") } END { print "]" }'`
  const scattered = (shell: Shell): Shell => ({
    ...shell,
    run: (argv, options) => (argv[1] === 'map' ? shell.run(['sh', '-c', mapped], options) : shell.run(argv, options))
  })

  it('is known by what it holds, however much there is to tell, and where clusters lie side by side as one', async () => {
    const ranges = await ownRanges(scattered(localShell()), overlay)
    expect(ranges).toHaveLength(PIECES / 2)
    expect(ranges.at(-1)).toEqual({ start: (PIECES - 2) * 65_536, length: 65_536 })
    const cutShort = ['', '[{ "start": 0, "length": 65536, "depth": 0, "present": false, "zero": true, "data": false},']
    for (const said of cutShort) {
      const { label } = localShell()
      const run: Shell['run'] = (_argv, options) => localShell().run(['printf', '%s', said], options)
      await expect(ownRanges({ label, run }, overlay)).rejects.toMatchObject({ failure: { kind: 'bad-output' } })
    }
    execFileSync('qemu-io', ['-f', 'qcow2', '-c', 'write 1M 64k', '-c', 'write 960k 64k', overlay])
    expect(await ownRanges(localShell(), overlay)).toEqual([
      { start: 0, length: 65_536 },
      { start: 960 << 10, length: 131_072 }
    ])
  })

  it('is compared with its image where it holds something, not all that lies between', async () => {
    const compared: unknown[] = []
    const at = (start: number, present: boolean): string => JSON.stringify({ start, length: 32 << 20, present })
    const said = `[${at(0, true)},\n${at(32 << 20, false)},\n${at(64 << 20, true)}]`
    const run: Shell['run'] = ([, command, ...args], options) => {
      if (command === 'map') return localShell().run(['printf', '%s', said], options)
      for (const arg of args) if (arg.startsWith('json:')) compared.push(JSON.parse(arg.slice('json:'.length)))
      return Promise.resolve({ exitCode: 0, signal: undefined, stdout: '', stderr: '' })
    }
    expect(await showsAllOf({ ...localShell(), run }, overlay, { path: image, format: 'qcow2' })).toBe(true)
    expect(compared).toMatchObject([0, 0, 64 << 20, 64 << 20].map((offset) => ({ offset, size: 32 << 20 })))
  })

  it('is written into its image, however scattered it is', async () => {
    endQemu()
    history = { events: ['shutdown'], startedAgain: false, ended: 'shutdown' }
    const vm = off('shutdown', [{ target: 'vda', source: overlay }])
    let asked = 0
    const shell = paperLibvirt(vm)
    const once: Shell = {
      ...shell,
      run: (argv, options) => (argv[1] === 'map' && asked++ === 0 ? scattered(shell) : shell).run(argv, options)
    }
    expect(await commitOverlay(overlayCase(vm, { shell: once, owner: owner(), before: {} }))).toBeUndefined()
    expect(asked).toBeGreaterThan(1)
    expect(mapOf(image)).toContain('0x10000')
  })
})

describe('the places where an image is looked at', () => {
  it('are a few hundred, within it, whatever its size', () => {
    for (const size of [0, 512, 65_536, 1 << 20, 16 << 20, 2 ** 45]) {
      const places = placesOf(size)
      expect(places.length).toBeLessThanOrEqual(260)
      for (const { start, length } of places) {
        expect(start % 512).toBe(0)
        expect(start).toBeGreaterThanOrEqual(0)
        expect(start + length).toBeLessThanOrEqual(size)
      }
    }
  })
})
