import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { DEFAULT_STORE } from '../../src/shared/host-paths.ts'
import type { Method } from '../../src/shared/model/point.ts'
import { backupSpec, BareEngine, failureFrom } from './bare-engine.ts'
import type { Guest } from './guest.ts'
import type { LabHost } from './host.ts'
import { heldAt, letGo } from './held.ts'
import { leftoversOf, takeBaseline, type Baseline } from './oracle.ts'
import { testLab } from './test-lab.ts'
import { isContiguous, isOneBoot, longestGapMs } from './ticks.ts'

const MIB = 1024 * 1024
let alpha: LabHost
let engine: BareEngine
let guest: Guest
let before: Baseline

beforeAll(async () => {
  alpha = testLab().host('alpha')
  engine = await BareEngine.on(alpha)
  guest = await alpha.defineGuest({
    name: 'two disks',
    ramMiB: 256,
    tickMs: 25,
    disks: 2,
    fillerMiB: 64,
    diskMiB: 160,
    agent: true
  })
  await guest.start()
  await guest.waitForTick(10)
  await guest.waitForAgent()
})

afterAll(async () => {
  await guest.destroy()
  await guest.undefine()
})

beforeEach(async () => {
  await engine.thinOut(guest)
  before = await takeBaseline(alpha)
})

afterEach(async () => {
  expect(await leftoversOf(alpha, before, { roomTaken: 1024 * MIB })).toEqual([])
})

describe('backing up a running VM', () => {
  it.each<[Method, boolean]>([
    ['live', true],
    ['disk', false],
    ['classic', true]
  ])('takes a whole %s point while the VM goes on', async (method, holdsMemory) => {
    const recorder = guest.recordTicks()
    const report = await engine.backup(guest, { method })
    await guest.waitForMoreTicks(5)
    const ticks = recorder.stop()
    expect(report).toMatchObject({ state: 'done', method, warnings: [] })
    expect(isContiguous(ticks) && isOneBoot(ticks)).toBe(true)
    const { points, broken } = await engine.ask('points', { stores: [DEFAULT_STORE], vm: guest.uuid })
    const point = points.find(({ id }) => id === report.point)
    expect(broken).toEqual([])
    expect(point).toMatchObject({ method, stateBefore: 'running', vm: { name: 'two disks' } })
    expect(point?.memory !== undefined).toBe(holdsMemory)
    expect(point?.disks.map(({ target }) => target)).toEqual(['vda', 'vdb'])
    const verified = await engine.ask('verify', { store: DEFAULT_STORE, point: report.point ?? '' })
    expect(verified).toMatchObject({ good: true, problems: [] })
  })

  it('reports as long a pause as the guest itself felt, from the events of QEMU', async () => {
    const recorder = guest.recordTicks()
    const report = await engine.backup(guest, { method: 'classic' })
    await guest.waitForMoreTicks(5)
    const felt = longestGapMs(recorder.stop(), 'host')
    expect(report.pauses).toHaveLength(1)
    expect(report.pauses[0]).toMatchObject({ phase: 'suspend+save+restore', source: 'qemu-events' })
    expect(felt).toBeGreaterThan(report.pauseMs * 0.5)
    expect(felt).toBeLessThan(report.pauseMs * 2 + 1500) // with what a busy machine adds
  })

  it('chooses live for it, and pauses it far shorter than the classic method does', async () => {
    const live = await engine.backup(guest)
    const classic = await engine.backup(guest, { method: 'classic' })
    expect(live).toMatchObject({ method: 'live', methodReason: expect.stringContaining('the VM is running') as string })
    expect(live.pauses.length).toBeGreaterThan(0)
    expect(classic.pauseMs / live.pauseMs).toBeGreaterThan(3)
  })

  it('leaves out the disks that are to be left out, and keeps them running', async () => {
    const report = await engine.backup(guest, { excludeDisks: ['vdb'] })
    const { points } = await engine.ask('points', { stores: [DEFAULT_STORE], vm: guest.uuid })
    const point = points.find(({ id }) => id === report.point)
    expect(point?.disks.map(({ target }) => target)).toEqual(['vda'])
    expect(point?.excludedDisks).toEqual(['vdb'])
  })

  it('freezes the file systems for a disk point where the agent answers', async () => {
    const report = await engine.backup(guest, { method: 'disk' })
    const { points } = await engine.ask('points', { stores: [DEFAULT_STORE], vm: guest.uuid })
    expect(points.find(({ id }) => id === report.point)?.agent).toBe('froze')
  })

  it('refuses a second backup of the same VM, saying who has it and since when', async () => {
    const first = await engine.submit(backupSpec(guest), 'copy:1:hang')
    const failure = await failureFrom(engine.submit(backupSpec(guest)))
    expect(failure).toMatchObject({ kind: 'vm-busy', vm: 'two disks', by: `job ${first}` })
    const cancelled = await engine.ask('cancel', { id: first })
    expect(cancelled.state).toBe('cancelled')
  })

  it('refuses a disk that the VM does not have', async () => {
    const report = await engine.backup(guest, { includeDisks: ['vdz'] })
    expect(report).toMatchObject({ state: 'failed-clean', failure: { kind: 'not-found', what: 'disk', name: 'vdz' } })
  })
})

describe('backing up a VM that does not run', () => {
  it('keeps a paused VM paused, by the classic method, however often', async () => {
    await guest.virsh('suspend', guest.uuid)
    before = await takeBaseline(alpha)
    // libvirt has loaded it from RAM the second time, and calls that pause a migration's.
    for (const _ of [1, 2]) {
      const { state, method, point = '' } = await engine.backup(guest)
      expect([state, method, await guest.state()]).toEqual(['done', 'classic', 'paused'])
      const manifest = await alpha.must(`cat ${DEFAULT_STORE}/${guest.uuid}/${point}/manifest.json`)
      expect(JSON.parse(manifest)).toMatchObject({ stateBefore: 'paused' })
    }
    expect(await engine.backup(guest, { method: 'disk' })).toMatchObject({ state: 'done', warnings: [] })
    const refused = await engine.backup(guest, { method: 'live' })
    expect(refused).toMatchObject({ state: 'failed-clean', failure: { kind: 'vm-state', state: 'paused' } })
    expect(await guest.state()).toBe('paused')
    await guest.virsh('resume', guest.uuid)
    before = await takeBaseline(alpha)
  })

  it('copies the disks of one that is shut off, and refuses to save RAM it has not', async () => {
    await guest.shutdown()
    before = await takeBaseline(alpha)
    expect(await engine.backup(guest)).toMatchObject({ state: 'done', method: 'offline', pauseMs: 0 })
    expect(await engine.backup(guest, { method: 'live' })).toMatchObject({
      state: 'failed-clean',
      failure: { kind: 'vm-state' }
    })
    await guest.start()
    await guest.waitForMoreTicks()
    await guest.waitForAgent()
    before = await takeBaseline(alpha)
  })

  it('does not know one that is not there', async () => {
    const failure = (await engine.run({ ...backupSpec(guest), vm: '00000000-0000-4000-8000-000000000000' })).failure
    expect(failure).toMatchObject({ kind: 'not-found', what: 'vm' })
  })
})

describe('a file system that is full', () => {
  it('is noticed before anything is touched', async () => {
    await alpha.mountSmall('/srv/small', 40)
    try {
      const report = await engine.backup(guest, { store: '/srv/small' })
      expect(report).toMatchObject({ state: 'failed-clean', failure: { kind: 'no-room', path: '/srv/small' } })
    } finally {
      await alpha.unmount('/srv/small')
    }
  })

  it('ends the job and not the VM when it fills up in the middle', async () => {
    await alpha.mountSmall('/srv/small', 900)
    try {
      const id = await engine.submit(backupSpec(guest, { store: '/srv/small' }), 'snapshot:1:hold')
      await heldAt(alpha, 'snapshot', id)
      await alpha.run('head -c 2G /dev/zero > /srv/small/filler')
      await letGo(alpha, 'snapshot', id)
      const report = await engine.endOf(id)
      expect(report.state).toBe('failed-clean')
      expect(report.failure?.kind).toBe('no-room')
      expect((await alpha.must('ls -A /srv/small')).trim()).not.toContain(id)
      await guest.waitForMoreTicks()
    } finally {
      await alpha.unmount('/srv/small')
    }
  })
})
