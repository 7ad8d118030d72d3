import { existsSync, type mkdtempSync } from 'node:fs'
import type * as FsPromises from 'node:fs/promises'
import { appendFile, mkdir, mkdtemp, realpath, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { strayFile } from '../../src/engine/doctor/stray-file.ts'
import { identityOf, isSameFile, type FileIdentity } from '../../src/engine/evidence/file-identity.ts'
import { bootId } from '../../src/engine/host-facts.ts'
import type { JobContext } from '../../src/engine/jobs/job-context.ts'
import type { Undone } from '../../src/engine/jobs/job-end.ts'
import { undoRestore } from '../../src/engine/recover/undo-restore.ts'
import { RestoreTrace, type DisplacedVm } from '../../src/engine/restore/restore-plan.ts'
import type * as HostPaths from '../../src/shared/host-paths.ts'
import type { JournalEntry } from '../../src/shared/model/job.ts'
import { paperLibvirt, type PaperLibvirt, type PaperVm } from './paper-libvirt.ts'
import { POINT, VM, emptyImage, makePoint, temporaryStore } from './store-points.ts'

const [state, logs] = vi.hoisted(() => [{ dir: '' }, { dir: '' }])
// libvirt's logs are where it writes them: their folder is another one here.
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof FsPromises>()
  const here = (path: unknown): unknown =>
    typeof path === 'string' ? path.replace(/^\/var\/log\/libvirt\/qemu(?=\/)/, logs.dir) : path
  const moved =
    (call: unknown) =>
    (path: unknown, ...more: unknown[]) =>
      (call as (...all: unknown[]) => unknown)(here(path), ...more)
  return { ...real, stat: moved(real.stat), open: moved(real.open) }
})
vi.mock('../../src/shared/host-paths.ts', async (original) => {
  const { mkdtempSync: make } = await vi.importActual<{ mkdtempSync: typeof mkdtempSync }>('node:fs')
  const { tmpdir: temporary } = await vi.importActual<{ tmpdir: typeof tmpdir }>('node:os')
  state.dir = make(`${temporary()}/stillpoint-state-`)
  logs.dir = make(`${temporary()}/stillpoint-logs-`)
  return {
    ...(await original<typeof HostPaths>()),
    JOBS_DIR: `${state.dir}/jobs`,
    ASIDE_DIR: `${state.dir}/aside`,
    RUN_DIR: `${state.dir}/run`
  }
})
afterAll(async () => {
  for (const { dir } of [state, logs]) await rm(dir, { recursive: true, force: true })
})

const JOB = '20261128T050000Z-00beef'
const AT = '2026-11-28T05:00:00.000Z'
const domain = (source: string): string =>
  `<domain type='kvm'><name>web</name><uuid>${VM}</uuid><memory>1024</memory><os><type machine='q35'>hvm</type></os><devices><disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${source}'/><target dev='vda' bus='virtio'/></disk></devices></domain>`

const [STARTED, ENDED] = ['starting up', 'shutting down, reason=']
const line = (event: string): string => `2026-11-28 05:02:47.115+0000: ${event}\n`

/** How far libvirt's log of the VM is that says this, and goes on with those events. */
async function logThatSays(early: string, events: readonly string[]): Promise<{ ino: string; sizeBytes: number }> {
  const log = join(logs.dir, 'web.log')
  await writeFile(log, early)
  const { ino } = await stat(log)
  await appendFile(log, events.map(line).join(''))
  return { ino: String(ino), sizeBytes: early.length }
}

const there = async (path: string): Promise<FileIdentity> => (await identityOf(path)) ?? expect.fail(`no ${path}`)
const inodeOf = async (path: string): Promise<number> => (await stat(path)).ino

type Until = 'displace' | 'place' | 'define' | 'start'

interface Ended {
  readonly boot: 'another-boot' | 'this-boot'
  /** What libvirt says of its state now. */
  readonly reason: string
  /** Where it was noted how far its log was. */
  readonly noted: 'start' | 'begin' | 'no log yet' | 'nowhere'
}

interface Journaled {
  readonly begin: JournalEntry
  /** Of the step `start`. */
  readonly start: Record<string, unknown>
  /** Gets what the undo warns of. */
  readonly warned: string[]
}

interface Cut {
  readonly place: string
  readonly staged: string
  readonly kept: string
  readonly store: string
  readonly old: { readonly inode: number; readonly bytes: number }
  readonly placed: { readonly inode: number }
  readonly displaced: DisplacedVm
  readonly libvirt: PaperLibvirt
  /** Undoes the restore, as often as that is asked. `until`: the last step that it announced. */
  undo(until?: Until, journaled?: Journaled): Promise<Undone>
  /** What the undo has noted, in the order in which it did. */
  readonly noted: readonly JournalEntry[]
  entries(until: Until): JournalEntry[]
}

/** A restore with `--replace` whose engine died: the old image is renamed aside, the one of the point is at its place. */
async function cutShort(
  present?: (place: string) => PaperVm,
  change: {
    readonly plan?: (place: string) => object
    readonly stop?: 'announced' | 'not announced'
    /** What the stop was announced with. */
    readonly atStop?: object
    readonly undefine?: 'announced' | 'not announced'
    /** What that was announced with. */
    readonly atUndefine?: object
    /** What an undo announced that it defines it again with, which was cut short in its turn. */
    readonly atAnew?: object
    readonly isTransient?: true
    /** It was off when the restore looked at it. */
    readonly isOff?: true
  } = {}
): Promise<Cut> {
  const images = await realpath(await mkdtemp(join(tmpdir(), 'stillpoint-images-')))
  onTestFinished(() => rm(images, { recursive: true, force: true }))
  await mkdir(join(state.dir, 'jobs', JOB), { recursive: true })
  const store = await temporaryStore()
  const { dir: pointDir } = await makePoint(store)
  const place = join(images, 'a.qcow2')
  const [staged, kept] = [`${place}.stillpoint-${JOB}`, `${place}.kept-${JOB}`]
  await writeFile(place, emptyImage())
  await writeFile(kept, emptyImage(new Uint8Array(4096)))
  const libvirt = paperLibvirt(present === undefined ? {} : { [VM]: present(place) })
  const displaced: DisplacedVm = {
    uuid: VM,
    name: 'web',
    wasActive: change.isOff !== true,
    wasPaused: false,
    persistent: change.isTransient !== true,
    autostart: false,
    definition: domain(place),
    forThatRun: [],
    renames: [{ from: place, to: kept, file: await there(kept), format: 'qcow2', target: 'vda' }]
  }
  const disk = { target: 'vda', file: 'disks/vda.qcow2', format: 'qcow2', virtualSizeBytes: 1, path: place, staged }
  const plan = {
    vm: VM,
    vmName: 'web',
    mode: 'boot',
    pointDir,
    disks: [disk],
    displaced: [displaced],
    orphans: [],
    networks: { define: [], start: [] },
    definition: domain(place),
    runsAfterwards: 'running',
    autostart: false,
    hasAgent: false,
    takenAt: AT,
    ...change.plan?.(place)
  }
  const placements = [{ name: 'vda', staged, path: place, file: await there(place), format: 'qcow2' }]
  const steps = [
    ['prepare', { plan }],
    ['stage', {}],
    ...(change.stop === 'announced' ? ([[`stop.${VM}`, change.atStop ?? {}]] as const) : []),
    ...(change.undefine === 'announced' ? ([[`undefine.${VM}`, change.atUndefine ?? {}]] as const) : []),
    [
      'displace',
      {
        ...{ displaced: [displaced], orphans: [] },
        ...(change.stop && { announcesStops: true }),
        ...(change.undefine && { announcesUndefines: true })
      }
    ],
    ['place', { placements }],
    ['define', {}],
    ['start', {}]
  ] as const
  const entries = (until: Until): JournalEntry[] => {
    const last = steps.findIndex(([step]) => step === until)
    const done = steps.slice(0, last + 1).flatMap(([step, data], n) => [
      entry({ type: 'step', step, data }),
      // The one that it died in was not done.
      ...(n < last ? [entry({ type: 'step-done', step, ms: 1 })] : [])
    ])
    if (change.atAnew === undefined) return done
    return [...done, entry({ type: 'step', step: `undo.anew.${VM}`, data: change.atAnew })]
  }
  const undone: JournalEntry[] = []
  const job = jobThatNotes(libvirt, store, undone)
  return {
    ...{ place, staged, kept, store, displaced, libvirt, noted: undone },
    old: { inode: await inodeOf(kept), bytes: (await stat(kept)).size },
    placed: { inode: await inodeOf(place) },
    entries,
    undo(until = 'place', journaled) {
      if (journaled === undefined) return undoRestore(job, [...entries(until), ...undone])
      const steps = entries(until).map((each) =>
        each.type === 'step' && each.step === 'start' ? { ...each, data: journaled.start } : each
      )
      const warn = (text: string): void => void journaled.warned.push(text)
      return undoRestore({ ...job, warn }, [journaled.begin, ...steps])
    }
  }
}

const entry = (event: object): JournalEntry => ({ n: 0, at: AT, ...event }) as JournalEntry

function jobThatNotes({ shell }: PaperLibvirt, store: string, undone: JournalEntry[]): JobContext {
  const job = {
    id: JOB,
    spec: {
      kind: 'restore',
      vm: VM,
      vmName: 'web',
      hostName: 'alpha',
      point: POINT,
      store,
      mode: 'boot',
      replace: true
    },
    shell,
    async step<T>(step: string, data: Record<string, unknown>, work: () => Promise<T>): Promise<T> {
      undone.push(entry({ type: 'step', step, data }))
      const result = await work()
      undone.push(entry({ type: 'step-done', step, ms: 1 }))
      return result
    },
    fact: (fact: object) => void undone.push(entry({ type: 'fact', fact })),
    warn: () => undefined,
    note: () => undefined
  }
  return job as unknown as JobContext
}

/** The image of the point is where others than its disk's place are, and its VM is what it was. */
async function expectOldVmBack({ place, kept, old, libvirt }: Cut): Promise<void> {
  expect([await inodeOf(place), existsSync(kept)]).toEqual([old.inode, false])
  expect((await stat(place)).size).toBe(old.bytes)
  expect(libvirt.vms.get(VM)).toMatchObject({ next: domain(place), live: domain(place) })
}

describe('the undo of a restore that was cut short behind the placing', () => {
  it.each(['place', 'define'] as const)(
    'removes what the point holds, and brings the old VM back (at %s)',
    async (until) => {
      const cut = await cutShort(until === 'define' ? (place) => ({ next: domain(place) }) : undefined)
      expect(await cut.undo(until)).toEqual({ end: 'undone', kept: [] })
      await expectOldVmBack(cut)
      expect(existsSync(cut.staged)).toBe(false)
    }
  )

  it.each(['away', 'deleted'])(
    'brings the old VM back while the point is %s, and keeps what was made of it beside',
    async (how) => {
      const cut = await cutShort()
      if (how === 'away') await rename(cut.store, `${cut.store}.away`)
      else await rm(join(cut.store, VM), { recursive: true })
      for (const pass of ['first', 'second']) {
        const { end, kept } = await cut.undo()
        expect([pass, end, kept]).toMatchObject([pass, 'undone', [{ path: cut.staged }]])
        expect(kept[0]?.because).toContain('not there any more')
        await expectOldVmBack(cut)
        expect(await inodeOf(cut.staged)).toBe(cut.placed.inode)
      }
      if (how === 'deleted') return
      await rename(`${cut.store}.away`, cut.store)
      expect(await cut.undo()).toEqual({ end: 'undone', kept: [] })
      expect(existsSync(cut.staged)).toBe(false)
    }
  )

  it('leaves to the doctor what was made of a point only while that point is there', async () => {
    const cut = await cutShort()
    const spec = {
      kind: 'restore',
      vm: VM,
      vmName: 'web',
      hostName: 'alpha',
      point: POINT,
      store: cut.store,
      mode: 'boot',
      replace: true
    }
    const begin = entry({ type: 'begin', id: JOB, spec, bootId: 'b', engine: 'e' })
    const journal = [begin, ...cut.entries('place')].map((each) => `${JSON.stringify(each)}\n`)
    await writeFile(join(state.dir, 'jobs', JOB, 'journal.jsonl'), journal.join(''))
    const content = (): Promise<unknown> => strayFile(cut.libvirt.shell, cut.staged).content()
    expect(await content()).toMatchObject({ kind: 'remove' })
    await rm(join(cut.store, VM), { recursive: true })
    expect(await content()).toMatchObject({ kind: 'keep', path: cut.staged })
  })

  it('leaves a placed image where it is that another VM has by now', async () => {
    const cut = await cutShort()
    const other = '7d0c1f9e-1111-4222-8333-944444444444'
    cut.libvirt.vms.set(other, { next: domain(cut.place).replace(VM, other).replace('web', 'other') })
    await rename(cut.store, `${cut.store}.away`)
    await expect(cut.undo()).rejects.toThrow(/left-behind/)
    expect([await inodeOf(cut.place), existsSync(cut.kept)]).toEqual([cut.placed.inode, true])
  })

  it('leaves one where it is that was written to, though no VM has it: it may be the only copy of that', async () => {
    const cut = await cutShort()
    await utimes(cut.place, 1, 1)
    await expect(cut.undo('start')).rejects.toThrow(/left-behind/)
    expect([await inodeOf(cut.place), existsSync(cut.kept)]).toEqual([cut.placed.inode, true])
  })
})

describe('a restore that died while its VM was started', () => {
  it('is finished where its VM has written to its disk, though it is off again', async () => {
    const cut = await cutShort((place) => ({ next: domain(place) }))
    await utimes(cut.place, 1, 1)
    expect(await cut.undo('start')).toEqual({ end: 'was-finished', kept: [] })
    expect(await inodeOf(cut.place)).toBe(cut.placed.inode)
  })

  it('is finished where the owner of its VM has put an overlay on its disk since', async () => {
    const cut = await cutShort((place) => ({ next: domain(`${place}.snap`), live: domain(`${place}.snap`) }))
    const overlay = Buffer.from(emptyImage())
    overlay.writeBigUInt64BE(1024n, 8)
    overlay.writeUInt32BE(overlay.write(cut.place, 1024), 16)
    await writeFile(`${cut.place}.snap`, overlay)
    expect(await cut.undo('start')).toEqual({ end: 'was-finished', kept: [] })
    expect(cut.libvirt.vms.get(VM)?.live).toBe(domain(`${cut.place}.snap`))
  })

  it('waits for that start, however long it takes, and for nothing that others do to the VM for hours', async () => {
    const [START, BACKUP] = [1, 9]
    let now = 0
    vi.spyOn(performance, 'now').mockImplementation(() => (now += 60_000))
    onTestFinished(() => void vi.restoreAllMocks())
    const at = (operation: number) => (place: string) => ({
      next: domain(place),
      live: domain(place),
      busy: { operation, looks: 3 }
    })
    const started = await cutShort(at(START))
    await utimes(started.place, 1, 1)
    expect(await started.undo('start')).toEqual({ end: 'was-finished', kept: [] })
    expect(started.libvirt.vms.get(VM)?.busy?.looks).toBe(-1)
    await expect((await cutShort(at(BACKUP))).undo('start')).rejects.toMatchObject({
      failure: { kind: 'foreign-work', detail: expect.stringContaining('backup') as string }
    })
  })

  it('has reached nothing where there is no VM of ours, whatever became of the file at its place', async () => {
    const cut = await cutShort()
    await utimes(cut.place, 1, 1)
    const undone = await cut.undo('start').catch((error: unknown) => error)
    expect(undone).not.toMatchObject({ end: 'was-finished' })
  })

  it('has reached nothing where the VM of its UUID is another: that one is left alone', async () => {
    const cut = await cutShort(() => ({ next: domain('/elsewhere.qcow2'), live: domain('/elsewhere.qcow2') }))
    await utimes(cut.place, 1, 1)
    await expect(cut.undo('start')).rejects.toThrow(/left-behind/)
    expect(cut.libvirt.vms.get(VM)).toMatchObject({ live: domain('/elsewhere.qcow2') })
  })
})

describe('a restored VM that is off when its killed restore is finished', () => {
  /** The engine died in `start`, perhaps with its host, and libvirt's log of the VM says this since. */
  async function endedWith(events: readonly string[], change: Partial<Ended> = {}): Promise<unknown> {
    const { boot = 'another-boot', reason = 'unknown', noted = 'start' } = change
    const cut = await cutShort((place) => ({ next: domain(place), reason }))
    await utimes(cut.place, 1, 1)
    const early = noted === 'no log yet' ? '' : [line(STARTED), line(`${ENDED}destroyed`)].join('')
    const position = await logThatSays(early, events)
    const begin = entry({
      type: 'begin',
      id: JOB,
      bootId: boot === 'this-boot' ? await bootId() : boot,
      ...(noted === 'begin' && { vms: [{ uuid: VM, name: 'web', before: { log: position } }] })
    })
    const data = noted === 'start' ? { log: position } : noted === 'no log yet' ? { log: 'none' } : {}
    const warned: string[] = []
    expect(await cut.undo('start', { begin, start: data, warned })).toEqual({ end: 'was-finished', kept: [] })
    expect(warned).toEqual([expect.stringContaining('interrupted'), expect.stringContaining('off')])
    return { runs: cut.libvirt.vms.get(VM)?.live !== undefined, said: warned[1] }
  }

  it.each(['shutdown', 'destroyed', 'saved', 'migrated'])(
    'stays off where libvirt noted: %s, also after a boot',
    async (end) => {
      for (const noted of ['start', 'begin', 'no log yet'] as const)
        expect(await endedWith([STARTED, `${ENDED}${end}`], { noted })).toEqual({
          runs: false,
          said: `The VM is off (${end}), and was left so`
        })
    }
  )

  it.each<[string, string[], Partial<Ended>]>([
    ['went down with its host', [STARTED], {}],
    ['crashed', [STARTED, `${ENDED}crashed`], { boot: 'this-boot', reason: 'crashed' }],
    ['crashed before its host went down', [STARTED, `${ENDED}crashed`], {}],
    ['was started again by its owner, and went down with its host', [STARTED, `${ENDED}shutdown`, STARTED], {}],
    ['did so when nobody noted how far its log was', [STARTED], { noted: 'nowhere' }]
  ])('is started again where it %s', async (_, events, change) =>
    expect(await endedWith(events, change)).toMatchObject({ runs: true })
  )

  it('stays off where nothing says that it was a fault', async () =>
    expect(await endedWith([STARTED], { boot: 'this-boot' })).toMatchObject({ runs: false }))
})

describe('a VM that ran when it was about to make way, and is off', () => {
  it.each([
    ['its owner did', 'not announced', false],
    ['the restore did', 'announced', true],
    ['an engine did that does not say so', undefined, true]
  ] as const)('runs again only where the restore stopped it: %s', async (_, stop, runs) => {
    const cut = await cutShort((place) => ({ next: domain(place), reason: 'destroyed' }), { ...(stop && { stop }) })
    await rename(cut.kept, cut.place)
    expect(await cut.undo('displace')).toEqual({ end: 'undone', kept: [] })
    expect(cut.libvirt.vms.get(VM)?.live !== undefined).toBe(runs)
  })

  it('is not made anew where it was transient, and nothing tells why: its definition, which nobody else has, is kept', async () => {
    const cut = await cutShort(undefined, { stop: 'not announced', isTransient: true })
    await rename(cut.kept, cut.place)
    const path = join(state.dir, 'aside', JOB, VM, 'definition.xml')
    for (const pass of [1, 2])
      expect([pass, await cut.undo('displace')]).toMatchObject([pass, { end: 'undone', kept: [{ path }] }])
    expect(cut.libvirt.vms.get(VM)).toBeUndefined()
    expect(await readFile(path, 'utf8')).toBe(domain(cut.place))
  })

  type Change = NonNullable<Parameters<typeof cutShort>[1]>
  interface Found {
    /** Since the restore began, or stopped it. */
    readonly log?: readonly string[]
    readonly boot?: 'another-boot' | 'this-boot'
    /** Undefined: libvirt does not know it. */
    readonly reason?: string
    /** A restore that came no further than to its stop. */
    readonly until?: Until
    /** Whether it ran when the restore began. */
    readonly ran?: boolean
    /** How many of those lines there were when its definition was taken away, and libvirt's reason then. */
    readonly taken?: readonly [number, string]
    /** And when an undo had put it back. */
    readonly putBack?: number
    /** Its files are back at their places, and nothing says who has defined it. */
    readonly isBack?: true
    /** And when the restored one was started. */
    readonly started?: number
  }

  /** It ran when the restore looked at it, before anything of it was renamed. Now it is off, and the restore is undone. */
  async function foundOff(
    { log = [], boot = 'this-boot', reason, until, ran = false, taken, putBack, isBack, started }: Found,
    change: Change
  ): Promise<Cut & { warned: string[] }> {
    const since = await logThatSays(line(STARTED), log)
    const behind = (lines: number) => ({
      log: { ...since, sizeBytes: since.sizeBytes + log.slice(0, lines).map(line).join('').length }
    })
    const atUndefine = taken && { reason: taken[1], ...behind(taken[0]) }
    const present = reason === undefined ? undefined : (place: string) => ({ next: domain(place), reason })
    const cut = await cutShort(present, {
      ...change,
      atStop: { log: since },
      ...(atUndefine && { atUndefine }),
      ...(putBack !== undefined && { atAnew: behind(putBack) })
    })
    if (until === undefined || putBack !== undefined || isBack) await rename(cut.kept, cut.place)
    const began = boot === 'this-boot' ? await bootId() : boot
    const process = ran && { process: { pid: 1, startTicks: '1' } }
    const vms = [{ uuid: VM, name: 'web', before: { log: since, ...process } }]
    const warned: string[] = []
    const begin = entry({ type: 'begin', id: JOB, bootId: began, vms })
    expect(
      await cut.undo(until ?? 'displace', { begin, start: started === undefined ? {} : behind(started), warned })
    ).toEqual({ end: 'undone', kept: [] })
    return { ...cut, warned }
  }

  const end = (reason: string): string => `${ENDED}${reason}`
  const runs = ({ libvirt }: Cut): boolean => libvirt.vms.get(VM)?.live !== undefined

  it.each<[string, Found, Change]>([
    [
      'its QEMU crashed, and libvirt has forgotten it: it was transient',
      { log: [end('crashed')] },
      { isTransient: true }
    ],
    ['its host lost its power, and libvirt has forgotten it', { boot: 'another-boot' }, { isTransient: true }],
    ['its QEMU crashed', { log: [end('crashed')], reason: 'crashed' }, {}],
    ['its host lost its power', { boot: 'another-boot', reason: 'unknown' }, {}],
    [
      'its QEMU crashed before the restore looked',
      { log: [end('crashed')], reason: 'crashed', ran: true },
      { isOff: true }
    ]
  ])('runs again where a fault ended it before the restore could: %s', async (_, found, change) => {
    const cut = await foundOff(found, { stop: 'not announced', undefine: 'not announced', ...change })
    expect([runs(cut), cut.warned]).toEqual([true, [expect.stringContaining('was found off')]])
  })

  it.each<[string, Found, Change]>([
    ['libvirtd was restarted since', { log: [end('destroyed')], reason: 'unknown' }, {}],
    ['its host was booted since', { log: [end('destroyed')], reason: 'unknown', boot: 'another-boot' }, {}],
    ['he had given it a definition', { log: [end('destroyed')], reason: 'unknown' }, { isTransient: true }],
    ['it was transient', { log: [end('destroyed')] }, { isTransient: true }],
    ['he had gone back to a snapshot', { log: [end('from snapshot')], reason: 'from snapshot' }, {}],
    ['he has undefined it', { log: [end('destroyed')] }, {}]
  ])('stays as its owner has it, who stopped it before the restore could: %s', async (_, found, change) => {
    const cut = await foundOff(found, { stop: 'not announced', undefine: 'not announced', ...change })
    expect([runs(cut), cut.libvirt.vms.has(VM)]).toEqual([false, found.reason !== undefined])
    expect(cut.warned).toEqual([expect.stringContaining('by somebody')])
  })

  it('stays off where it was off when the restore began, and when that looked', async () => {
    const cut = await foundOff({ log: [], reason: 'crashed' }, { isOff: true })
    expect([runs(cut), cut.warned]).toEqual([false, []])
  })

  it('stays off where its owner stopped it before the restore looked, of an engine too that does not say what it stopped', async () => {
    const cut = await foundOff({ log: [end('destroyed')], reason: 'unknown', ran: true }, { isOff: true })
    expect([runs(cut), cut.warned]).toEqual([false, [expect.stringContaining('by somebody')]])
  })

  it.each([
    ['destroyed it', end('destroyed'), 'unknown'],
    ['went back to a snapshot', end('from snapshot'), 'from snapshot']
  ])('stays off where its owner has started it since the restore stopped it, and %s', async (_, last, reason) => {
    const log = [end('destroyed'), STARTED, last]
    expect(runs(await foundOff({ log, reason }, { stop: 'announced', undefine: 'not announced' }))).toBe(false)
  })

  const isTaken = { stop: 'not announced', undefine: 'announced', isOff: true } as const
  const before = { reason: 'unknown', until: 'start', ran: true } as const
  const [pulled, failed] = [end('destroyed'), end('failed')]

  it.each<[string, Found]>([
    ['failed', { ...before, log: [pulled, STARTED, failed], taken: [1, 'destroyed'] }],
    ['lost its power', { ...before, log: [pulled, STARTED], taken: [1, 'destroyed'], boot: 'another-boot' }],
    ['lost its power, and no log tells', { ...before, taken: [0, 'shutdown'], boot: 'another-boot' }]
  ])('stays off where its owner stopped it before the restore looked, and the restored one %s', async (_, found) => {
    const cut = await foundOff(found, isTaken)
    expect([runs(cut), cut.warned]).toEqual([false, [expect.stringContaining('was stopped by somebody')]])
  })

  it('runs again where a fault ended it before the restore looked, whatever became of the restored one', async () => {
    const cut = await foundOff({ ...before, log: [end('crashed'), STARTED, pulled], taken: [1, 'crashed'] }, isTaken)
    expect([runs(cut), cut.warned]).toEqual([true, [expect.stringContaining('was found off')]])
  })

  // An undo had put it back, and was cut short behind that.
  it.each<[string, boolean, Found, Change]>([
    ['its owner shut it down', false, { log: [pulled, STARTED, end('shutdown')], reason: 'shutdown' }, {}],
    ['its owner destroyed it', false, { log: [pulled, STARTED, pulled], reason: 'unknown' }, {}],
    ['it migrated', false, { log: [pulled, STARTED, end('migrated')], reason: 'migrated' }, {}],
    ['it crashed', true, { log: [pulled, STARTED, end('crashed')], reason: 'crashed' }, {}],
    ['its host lost its power', true, { log: [pulled, STARTED], boot: 'another-boot' }, {}],
    ['nothing', true, { log: [pulled] }, {}],
    [
      'its owner shut it down, and a fault had ended it before',
      false,
      { log: [end('crashed'), STARTED, pulled] },
      isTaken
    ]
  ])('runs as is wanted of it since it was put back: %s', async (_, isToRun, found, change) => {
    const taken = [1, change === isTaken ? 'crashed' : 'destroyed'] as const
    const cut = await foundOff(
      { reason: 'unknown', ...found, ran: true, until: 'start', taken, putBack: 1 },
      { stop: 'announced', undefine: 'announced', ...change }
    )
    expect(runs(cut)).toBe(isToRun)
    if (!isToRun) expect(cut.warned).toEqual([expect.stringContaining('has run since it was put back')])
  })

  it('runs again for the reason that it was stopped for, where it could not be started at first', async () => {
    const found = { log: [pulled, STARTED, failed], reason: 'failed', taken: [1, 'destroyed'], putBack: 1 } as const
    const cut = await foundOff({ ...found, until: 'start' }, { stop: 'announced', undefine: 'announced' })
    expect([runs(cut), cut.warned]).toEqual([true, [expect.stringContaining('was stopped for this restore')]])
  })

  it('runs again where it is defined anew, whatever was told since that was begun before', async () => {
    const found = { log: [pulled, STARTED, end('shutdown')], taken: [1, 'destroyed'], putBack: 1 } as const
    expect(runs(await foundOff({ ...found, until: 'start' }, { stop: 'announced', undefine: 'announced' }))).toBe(true)
  })

  it.each<[string, Change]>([
    ['the restore had stopped it', { stop: 'announced', undefine: 'announced' }],
    ['a fault had ended it before', isTaken]
  ])('stays off where its owner has defined it, run it and shut it down himself: %s', async (_, change) => {
    const taken = [1, change === isTaken ? 'crashed' : 'destroyed'] as const
    const found = { log: [end(taken[1]), STARTED, failed], reason: 'shutdown', ran: true, isBack: true, taken } as const
    expect(runs(await foundOff({ ...found, until: 'start' }, change))).toBe(false)
  })

  it('runs again where its definition was to be taken and was not, it was started, and its host lost its power', async () => {
    const found = { log: [pulled, STARTED], reason: 'unknown', taken: [1, 'destroyed'], boot: 'another-boot' } as const
    expect(runs(await foundOff(found, { stop: 'announced', undefine: 'announced' }))).toBe(true)
  })

  it.each<[string, boolean, Found]>([
    ['crashed', true, { log: [end('crashed')] }],
    [
      'crashed, and the restored one was begun to be started',
      true,
      { log: [end('crashed'), STARTED, pulled], until: 'start', started: 1 }
    ],
    ['was stopped, and the restored one failed', false, { log: [pulled, STARTED, failed], until: 'start', started: 1 }],
    ['was stopped, or the restored one was', false, { log: [end('crashed'), STARTED, pulled], until: 'start' }]
  ])(
    'is seen as far as an engine noted that did not say how it was when it was taken: it %s',
    async (_, isToRun, found) => {
      const cut = await foundOff({ reason: 'unknown', until: 'define', ran: true, ...found }, isTaken)
      expect(runs(cut)).toBe(isToRun)
    }
  )

  it('stays off where its owner has run it since the restore stopped it, and the restored one failed', async () => {
    const found = { log: [pulled, STARTED, end('shutdown'), STARTED, failed], taken: [3, 'shutdown'] } as const
    const cut = await foundOff({ ...found, until: 'start' }, { stop: 'announced', undefine: 'announced' })
    expect(runs(cut)).toBe(false)
  })

  it('runs again, whatever the log says of the restored VM, which has its name', async () => {
    const found = { log: [end('destroyed'), STARTED, end('destroyed')], until: 'start' } as const
    expect(runs(await foundOff(found, { stop: 'announced', undefine: 'announced' }))).toBe(true)
  })
})

describe('the definition of a VM that was about to make way', () => {
  const autostarts = ({ libvirt }: Cut): string[] => libvirt.shell.lines.filter((each) => each.includes('autostart'))

  it.each([
    ['not where nobody took it away', 'not announced', 0],
    ['where the restore did', 'announced', 1],
    ['where an engine may have that does not say so', undefined, 1]
  ] as const)('is given back to it, with its autostart: %s', async (_, undefine, times) => {
    const there = await cutShort((place) => ({ next: domain(place), live: domain(place) }), {
      stop: 'announced',
      ...(undefine && { undefine })
    })
    await rename(there.kept, there.place)
    await there.undo('displace')
    expect(autostarts(there)).toHaveLength(undefine === undefined ? 1 : 0)
    const gone = await cutShort(undefined, { stop: 'announced', ...(undefine && { undefine }) })
    await rename(gone.kept, gone.place)
    await gone.undo('displace')
    expect([gone.libvirt.vms.size, autostarts(gone).length]).toEqual([times, times])
  })

  it('lasts again where it was started in the moment in which that was taken away', async () => {
    const cut = await cutShort((place) => ({ next: domain(place), live: domain(place), transient: true }), {
      stop: 'announced',
      undefine: 'announced'
    })
    await rename(cut.kept, cut.place)
    expect(await cut.undo('displace')).toEqual({ end: 'undone', kept: [] })
    expect(cut.libvirt.vms.get(VM)).toMatchObject({ live: domain(cut.place), transient: false })
  })
})

describe('what libvirt knew of the snapshots of a VM that made way', () => {
  async function withRecords(
    change: Parameters<typeof cutShort>[1],
    present?: (place: string) => PaperVm
  ): Promise<string[]> {
    const cut = await cutShort(present, change)
    const folder = join(state.dir, 'aside', JOB, VM)
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'one.xml'), '<domainsnapshot><name>one</name></domainsnapshot>')
    const records = { snapshots: [{ name: 'one', file: 'one.xml' }], checkpoints: [] }
    await writeFile(join(folder, 'records.json'), JSON.stringify(records))
    await rename(cut.kept, cut.place)
    expect(await cut.undo('displace')).toEqual({ end: 'undone', kept: [] })
    return cut.libvirt.shell.lines.filter((each) => /virsh (create|snapshot-create) /.test(each))
  }

  it('is told to it once a transient one runs again: before, libvirt does not know that', async () =>
    expect(await withRecords({ stop: 'announced', isTransient: true })).toEqual([
      expect.stringContaining('virsh create'),
      expect.stringContaining('--redefine')
    ]))

  it('is not told to it where its definition was not taken away: its owner has let go of one since', async () => {
    const runs = (place: string): PaperVm => ({ next: domain(place), live: domain(place) })
    expect(await withRecords({ stop: 'not announced', undefine: 'not announced' }, runs)).toEqual([])
    expect(await withRecords({ stop: 'announced', undefine: 'announced' }, runs)).toHaveLength(1)
  })
})

describe('two VMs that made way, whose UUIDs begin alike', () => {
  const [one, two] = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002']
  const vm = (uuid: string): object => ({
    ...{ uuid, name: uuid, wasActive: true, autostart: false, definition: '<domain/>', renames: [] }
  })
  const trace = async (displaced: readonly string[], ...steps: string[]): Promise<RestoreTrace> => {
    const [plan] = (await cutShort(undefined, { plan: () => ({ displaced: displaced.map(vm) }) })).entries('displace')
    const stopping = { displaced: displaced.map(vm), orphans: [], announcesStops: true }
    return new RestoreTrace([
      ...(plan === undefined ? [] : [plan]),
      entry({ type: 'step', step: 'displace', data: stopping }),
      ...steps.flatMap((step) => [entry({ type: 'step', step, data: {} }), entry({ type: 'step-done', step, ms: 1 })])
    ])
  }

  it('are put back each by itself', async () => {
    const now = await trace([one, two], `stop.${one}`, `undo.start.${one}`)
    const of = (uuid: string): boolean[] => [now.mayHaveStopped({ uuid }), now.hasPutBack('start', { uuid })]
    expect([of(one), of(two)]).toEqual([
      [true, true],
      [false, false]
    ])
  })

  it('are taken for put back by an earlier engine, which named only how they begin, only where that means one', async () => {
    const steps = ['stop.00000000', 'undo.start.00000000']
    expect((await trace([one], ...steps)).hasPutBack('start', { uuid: one })).toBe(true)
    const both = await trace([one, two], ...steps)
    expect([both.hasPutBack('start', { uuid: one }), both.mayHaveStopped({ uuid: two })]).toEqual([false, true])
  })
})

describe('a VM that was resumed and is found off by a fault', () => {
  const withVdb = (place: string): string =>
    domain(place).replace(
      '</devices>',
      `<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/srv/b.qcow2'/><target dev='vdb' bus='virtio'/></disk></devices>`
    )
  const vdb = { target: 'vdb', file: 'disks/vdb.qcow2', format: 'qcow2', virtualSizeBytes: 1, path: '/srv/b.qcow2' }
  const resumed = (place: string): object => ({
    mode: 'resume',
    disks: [
      {
        target: 'vda',
        file: 'disks/vda.qcow2',
        format: 'qcow2',
        virtualSizeBytes: 1,
        path: place,
        staged: `${place}.s`
      },
      { ...vdb, staged: '/srv/b.qcow2.s' }
    ],
    bootDefinition: withVdb(place),
    memory: '/s/memory.save',
    memoryXml: withVdb(place)
  })

  async function finished(): Promise<Cut> {
    const cut = await cutShort((place) => ({ next: domain(place), reason: 'crashed' }), { plan: resumed })
    await utimes(cut.place, 1, 1)
    const begin = entry({ type: 'begin', id: JOB, bootId: 'another-boot' })
    await cut.undo('start', { begin, start: {}, warned: [] })
    return cut
  }

  it('boots with all of the disks of its point', async () => {
    const { libvirt, place } = await finished()
    expect(libvirt.vms.get(VM)?.live).toContain(`<source file="/srv/b.qcow2"`)
    expect(libvirt.vms.get(VM)?.live).toContain(place)
  })

  it('is said to have booted before it is started, and nothing is said of a clock that is late', async () => {
    const { noted } = await finished()
    const facts = noted.flatMap((each) => (each.type === 'fact' ? [each.fact] : []))
    expect(facts.filter((fact) => fact.keptAside === undefined)).toEqual([
      { mode: 'resume' },
      { mode: 'boot', modeReason: expect.stringContaining('found off') as string }
    ])
  })
})

describe('a VM that made way and of which a file is gone', () => {
  it('is defined again where nobody says that the file was renamed: libvirt removes some as a VM stops', async () => {
    const cut = await cutShort()
    await rm(cut.place)
    await rm(cut.kept)
    expect(await cut.undo('displace')).toEqual({ end: 'undone', kept: [] })
    expect(cut.libvirt.vms.get(VM)).toMatchObject({ live: domain(cut.place) })
  })

  it('waits for its owner where the file was renamed, and is not where it was renamed to', async () => {
    const cut = await cutShort()
    await rm(cut.kept)
    await expect(cut.undo()).rejects.toThrow(/left-behind.*is not there/)
    expect(cut.libvirt.vms.size).toBe(0)
  })
})

describe('which file it is', () => {
  const seen = { dev: '1', ino: '7', bornNs: '100', modifiedNs: '5' }

  it.each<[string, Partial<FileIdentity>, boolean]>([
    ['the same one, however often it was written to', { modifiedNs: '9' }, true],
    ['the same one, whose file system has another device number since a boot', { dev: '2' }, true],
    ['a new one that has its number now', { bornNs: '101' }, false],
    ['one of that number on another file system', { dev: '2', bornNs: '101' }, false],
    ['another one', { ino: '8' }, false]
  ])('%s', (_, now, same) => expect(isSameFile({ ...seen, ...now }, seen)).toBe(same))

  it.each<[string, Partial<FileIdentity>, boolean]>([
    ['the same number', {}, true],
    ['the same number, with another device number since a boot', { dev: '2' }, true],
    ['another number', { ino: '8' }, false]
  ])('where the file system does not tell when it was made: %s', (_, now, same) => {
    const untold = { ...seen, bornNs: '0' }
    expect(isSameFile({ ...untold, ...now }, untold)).toBe(same)
    expect(isSameFile({ ...seen, dev: '1' }, untold)).toBe(true)
    expect(isSameFile({ ...seen, dev: '2' }, untold)).toBe(false)
  })
})
