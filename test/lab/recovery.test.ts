import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { STEPS } from '../../src/engine/capture/steps.ts'
import { DEFAULT_STORE, JOBS_DIR } from '../../src/shared/host-paths.ts'
import type { Method } from '../../src/shared/model/point.ts'
import { backupSpec, BareEngine } from './bare-engine.ts'
import type { Guest } from './guest.ts'
import { heldAt, letGo } from './held.ts'
import type { LabHost } from './host.ts'
import { leftoversOf, takeBaseline, type Baseline } from './oracle.ts'
import { waitFor } from './run.ts'
import { testLab } from './test-lab.ts'

const MIB = 1024 * 1024
let alpha: LabHost
let engine: BareEngine
let guest: Guest
let before: Baseline
let tried = 0
let passed = 0

beforeAll(async () => {
  alpha = testLab().host('alpha')
  engine = await BareEngine.on(alpha)
  guest = await alpha.defineGuest({ name: 'unlucky', ramMiB: 192, disks: 2, fillerMiB: 16 })
  await guest.start()
  await guest.waitForTick(10)
})

afterAll(async () => {
  console.log(`faults survived: ${passed} / ${tried}`)
  await guest.destroy()
  await guest.undefine()
})

beforeEach(async () => {
  await engine.thinOut(guest)
  tried += 1
  before = await takeBaseline(alpha)
})

afterEach(async ({ task }) => {
  expect(await leftoversOf(alpha, before, { roomTaken: 512 * MIB })).toEqual([])
  await guest.waitForMoreTicks(3)
  if (task.result?.state !== 'fail') passed += 1
})

/** Each step twice: right after it was announced, and after it was done but before the journal says so. */
const boundaries = (method: Method): string[] => STEPS[method].flatMap((step) => [step, `${step}.done`])
const STEPS_OF_DISK = ['snapshot', 'snapshot.done', 'copy.done', 'fold-back.done']

describe.each<[Method, string[]]>([
  ['live', boundaries('live')],
  ['classic', boundaries('classic')],
  ['disk', STEPS_OF_DISK]
])('when the engine is killed during a %s backup', (method, points) => {
  it.each(points)('the VM runs and nothing is left over, at %s', async (point) => {
    const report = await engine.backup(guest, { method }, `${point}:1:kill`)
    expect(report.vm.name).toBe('unlucky')
    if (['commit.done', 'state', 'state.done'].includes(point)) expect(report.state).toBe('done-with-warnings')
    else expect(report).toMatchObject({ state: 'failed-clean', failure: { kind: 'interrupted' } })
  })
})

const journalOf = (id: string): Promise<string> => alpha.must(['cat', `${JOBS_DIR}/${id}/journal.jsonl`])

/** A live backup that stands at this point until it is cancelled, or ends otherwise. */
async function heldIn(point: string): Promise<string> {
  const id = await engine.submit(backupSpec(guest), `${point}:1:hold`)
  await heldAt(alpha, point, id)
  return id
}

describe('other ends of a backup', () => {
  it.each(['snapshot', 'copy', 'fold-back', 'commit'])('a failure at %s leaves nothing behind', async (point) => {
    const report = await engine.backup(guest, {}, `${point}:1:throw`)
    expect(report).toMatchObject({ state: 'failed-clean', failure: { kind: 'bug' } })
  })

  it.each(['snapshot', 'copy'])('a stop of the unit at %s is no cancel, and says so', async (point) => {
    const report = await engine.backup(guest, {}, `${point}:1:term`)
    expect(report).toMatchObject({ state: 'failed-clean', failure: { kind: 'interrupted' } })
  })

  it('a cancel during the copy is confirmed by the host', async () => {
    const id = await heldIn('copy')
    expect((await engine.ask('cancel', { id })).state).toBe('cancelled')
  })

  // engine.md finding 48
  it('a cancel while RAM is still hashed finds the disks on their images long before', async () => {
    const id = await heldIn('copy')
    await alpha.must(`truncate -s 1T ${DEFAULT_STORE}/${guest.uuid}/${id}/memory.save`)
    await letGo(alpha, 'copy', id)
    await waitFor('the overlays to go', async () => ((await guest.xml()).includes('.stillpoint-') ? undefined : true))
    expect(await journalOf(id)).not.toContain('"step":"collect"')
    expect((await engine.ask('cancel', { id })).state).toBe('cancelled')
    expect(await journalOf(id)).not.toContain('"step":"recover"')
  })

  // engine.md finding 27
  it('a cancel while RAM is hashed and a disk is copied leaves it to the engine to put all right', async () => {
    const slow = '/usr/local/sbin/qemu-img'
    await alpha.writeFile(
      slow,
      '#!/bin/sh\n[ "$1" != map ] || { trap \'\' TERM; sleep 600; }\nexec /usr/bin/qemu-img "$@"\n'
    )
    const id = await heldIn('copy')
    await alpha.must(`chmod +x ${slow}; truncate -s 1T ${DEFAULT_STORE}/${guest.uuid}/${id}/memory.save`)
    try {
      await letGo(alpha, 'copy', id)
      await waitFor('the map of a disk to be asked for', async () =>
        (await alpha.run(['pgrep', '-f', `${slow} map`])).exitCode === 0 ? true : undefined
      )
      expect((await engine.ask('cancel', { id })).state).toBe('cancelled')
    } finally {
      await alpha.must(['rm', slow])
    }
    expect(await journalOf(id)).not.toContain('"step":"recover"')
  })

  it('recovering again and again changes nothing', async () => {
    const report = await engine.backup(guest, {}, 'fold-back:1:kill')
    for (let time = 0; time < 3; time++) expect(await engine.ask('recover', { id: report.id })).toEqual([report])
  })

  it('a QEMU that dies during the copy is started again with all that its guest wrote', async () => {
    const id = await heldIn('copy.done')
    await guest.waitForMoreTicks(5)
    const boots = guest.boots().length
    await alpha.must(`kill -9 $(cat /run/libvirt/qemu/unlucky.pid)`)
    // A tick is printed when it is on every disk, flushed: mounted with sync, and QEMU's own caches are written back.
    const written = guest.lastTick()?.counter ?? NaN
    await engine.ask('cancel', { id })
    await guest.waitForMoreTicks(10)
    const [again, ...more] = guest.boots().slice(boots)
    expect([again?.disks.length, more]).toEqual([2, []])
    for (const { lastTick } of again?.disks ?? []) expect(lastTick).toBeGreaterThanOrEqual(written)
  })

  it('a QEMU that dies right behind its pivot is started again with all that its guest wrote to its image', async () => {
    const id = await heldIn('pivot.vda.done')
    await guest.waitForMoreTicks(5)
    const boots = guest.boots().length
    await alpha.must(`kill -9 $(cat /run/libvirt/qemu/unlucky.pid)`)
    const written = guest.lastTick()?.counter ?? NaN
    await waitFor('libvirt to see it', async () => ((await guest.state()) === 'shut off' ? true : undefined))
    await letGo(alpha, 'pivot.vda.done', id)
    const report = await engine.endOf(id)
    expect(report).toMatchObject({ state: 'done-with-warnings', point: id })
    await guest.waitForMoreTicks(5)
    const disks = guest.boots()[boots]?.disks ?? []
    expect(disks).toHaveLength(2)
    for (const { lastTick } of disks) expect(lastTick).toBeGreaterThanOrEqual(written)
  })

  it('a QEMU that dies before the disks are copied runs again while they are, and the point is whole', async () => {
    const id = await heldIn('copy')
    await alpha.must(`kill -9 $(cat /run/libvirt/qemu/unlucky.pid)`)
    await waitFor('libvirt to see it', async () => ((await guest.state()) === 'shut off' ? true : undefined))
    await letGo(alpha, 'copy', id)
    const report = await engine.endOf(id)
    expect(report).toMatchObject({ state: 'done-with-warnings', point: id })
    expect(await journalOf(id)).toMatch(/was started again[^]*"step":"fold-back"/)
    await guest.waitForMoreTicks(5)
  })

  it('a crash of the whole host during the copy is put right by the unit at boot', async () => {
    const id = await heldIn('copy.done')
    await guest.waitForMoreTicks(5)
    await alpha.reset()
    const report = await engine.ask('follow', { id, from: 0 })
    expect(report).toMatchObject({ state: 'failed-clean', failure: { kind: 'interrupted' } })
    // It did not wait for its overlays to be committed.
    const [started, commits] = ['was started again', '"step":"undo.commit.vda"']
    expect(await journalOf(id)).toMatch(new RegExp(`${started}[^]*${commits}`))
    await guest.waitForMoreTicks(5)
  })

  it('a restart of libvirtd in the middle does no harm', async () => {
    const id = await heldIn('copy')
    await alpha.must('systemctl restart libvirtd')
    expect((await engine.ask('cancel', { id })).state).toBe('cancelled')
  })

  it('what a killed job left is recovered before the next job of that VM', async () => {
    const { points } = await engine.ask('points', { stores: [DEFAULT_STORE], vm: guest.uuid })
    await engine.backup(guest, {}, 'copy:1:kill')
    const next = await engine.backup(guest)
    expect(next.state).toBe('done')
    const after = await engine.ask('points', { stores: [DEFAULT_STORE], vm: guest.uuid })
    expect(after.points).toHaveLength(points.length + 1)
  })
  // engine.md finding 50
  it('a snapshot that libvirt gets to only behind the end of its job is committed before the next', async () => {
    const { id } = await engine.backup(guest, {}, 'snapshot:1:kill')
    const late = guest.disks.flatMap(({ target, path }) => ['--diskspec', `${target},file=${path}.stillpoint-${id}`])
    await guest.virsh('snapshot-create-as', guest.uuid, `stillpoint-${id}`, '--no-metadata', '--disk-only', ...late)
    await guest.waitForMoreTicks(3)
    const next = await engine.backup(guest)
    expect(next).toMatchObject({ state: 'done-with-warnings', method: 'live' })
    expect(next.warnings.join()).toContain(`stillpoint-${id}`)
  })
})
