import { execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CaptureDisk, CapturePlan } from '../../src/engine/capture/capture-plan.ts'
import { commitOverlay, type OverlayCase } from '../../src/engine/capture/commit-overlay.ts'
import { isGone } from '../../src/engine/evidence/presence.ts'
import { vmProcess, type VmProcess } from '../../src/engine/evidence/vm-process.ts'
import type { JobContext } from '../../src/engine/jobs/job-context.ts'
import { bringStateBack } from '../../src/engine/recover/bring-state-back.ts'
import { BackupTrace } from '../../src/engine/recover/trace.ts'
import { undoBackup } from '../../src/engine/recover/undo-backup.ts'
import type { Uuid } from '../../src/shared/model/ids.ts'
import type { JournalEntry } from '../../src/shared/model/job.ts'
import { eventually } from '../patience.ts'
import { paperLibvirt, type PaperVm } from './paper-libvirt.ts'

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

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'stillpoint-evidence-'))
  image = join(dir, 'web.qcow2')
  overlay = `${image}.stillpoint-${JOB}`
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 600000)', '--', '-uuid', UUID])
  endQemu = () => child.kill('SIGKILL')
  qemu = await eventually(async () => {
    const found = await vmProcess(UUID)
    if (found === undefined) throw new Error('not yet')
    return found
  })
  const run = (program: string, ...args: string[]): void => {
    execFileSync(program, args, { stdio: 'ignore' })
  }
  run('qemu-img', 'create', '-q', '-f', 'qcow2', image, '16M')
  run('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', image, '-F', 'qcow2', overlay)
  run('qemu-io', '-f', 'qcow2', '-c', 'write -P 7 0 64k', overlay)
})

afterEach(async () => {
  endQemu()
  await rm(dir, { recursive: true, force: true })
})

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

function overlayCase(vm: PaperVm, more: Partial<OverlayCase> = {}): OverlayCase {
  return {
    shell: paperLibvirt(vm),
    owner: { vm: UUID, vmName: 'web', definition: '<domain/>' },
    disk: vda(),
    before: qemu === undefined ? {} : { process: qemu },
    sameBoot: true,
    held: undefined,
    commitBegan: true,
    pivoted: undefined,
    pivot: (_noted, work) => work(),
    ...more
  }
}

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
    expect(await commitOverlay(overlayCase(vm, { before: {}, pivoted }))).toBeUndefined()
    expect(existsSync(overlay)).toBe(false)
  })
})

describe.skipIf(!hasQemu)('an overlay whose VM is off, and starts with the image below it', () => {
  const told = (wasDefined: boolean): OverlayCase['pivoted'] => ({
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

describe('a file that is not there', () => {
  it('is gone where others are still in its folder, and not where that may not be mounted', async () => {
    expect(await isGone(join(dir, 'other'))).toBe(true)
    expect(await isGone(image)).toBe(false)
    await mkdir(join(dir, 'mount'))
    await expect(isGone(join(dir, 'mount/a'))).rejects.toMatchObject({ failure: { kind: 'io' } })
    await expect(isGone(join(dir, 'none/a'))).rejects.toMatchObject({ failure: { kind: 'io' } })
    await writeFile(join(dir, 'mount/lost+found'), '')
    expect(await isGone(join(dir, 'mount/a'))).toBe(true)
  })
})

const at = { n: 1, at: '2026-11-22T20:17:44.000Z' }
const step = (name: string, data = {}): JournalEntry => ({ ...at, type: 'step', step: name, data })
const done = (name: string): JournalEntry => ({ ...at, type: 'step-done', step: name, ms: 1 })

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

describe('what libvirt does for others', () => {
  const SNAPSHOT = 6

  it('is not aborted by a later pass of an undo, whose own work is over', async () => {
    const vm = { ...running([{ target: 'vda', source: image, node: '1' }], []), operation: SNAPSHOT }
    const job = contextOn(vm)
    const past = [step('snapshot'), step('undo.job'), done('undo.job')]
    const end = undoBackup(job, [...planned({ disks: [] }), ...past])
    await eventually(() => {
      expect(job.shell.asked.filter((line) => line.startsWith('domjobinfo')).length).toBeGreaterThan(1)
    })
    delete (vm as Partial<PaperVm>).operation
    await end.catch(() => undefined)
    expect(job.shell.asked.join('\n')).not.toContain('domjobabort')
  })
})
