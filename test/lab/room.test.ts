import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { DEFAULT_STORE, enginePath, RUNS_DIR, runtimePath } from '../../src/shared/host-paths.ts'
import type { Manifest } from '../../src/shared/model/point.ts'
import type { Policy, RunReport } from '../../src/shared/model/policy.ts'
import { backupSpec, BareEngine } from './bare-engine.ts'
import type { Guest } from './guest.ts'
import { heldAt, letGo } from './held.ts'
import type { LabHost } from './host.ts'
import { leftoversOf, takeBaseline, type Baseline } from './oracle.ts'
import { policyFor, runByHand } from './policies.ts'
import { must } from './run.ts'
import { testLab } from './test-lab.ts'

const MIB = 1024 ** 2
const SMALL = '/srv/small'
const FORGET = 'rm -f /var/lib/stillpoint/stores.json /var/lib/stillpoint/store-mounts.json'
let alpha: LabHost
let engine: BareEngine
let one: Guest
let two: Guest
let before: Baseline

/** Two guests that are shut off, with 96 MiB that are not zero. */
beforeAll(async () => {
  alpha = testLab().host('alpha')
  engine = await BareEngine.on(alpha)
  one = await alpha.defineGuest({ name: 'one', ramMiB: 96, diskMiB: 128, fillerMiB: 96 })
  two = await alpha.defineGuest({ name: 'two', ramMiB: 96, diskMiB: 128, fillerMiB: 96 })
})

afterAll(async () => {
  for (const guest of [one, two]) await guest.undefine()
})

beforeEach(async () => {
  await alpha.must(FORGET)
  before = await takeBaseline(alpha)
})

afterEach(async () => {
  await alpha.run(`umount ${SMALL}`)
  await alpha.must(`rm -rf ${SMALL}; ${FORGET}`)
  expect(await leftoversOf(alpha, before, { roomTaken: 512 * MIB })).toEqual([])
})

// engine.md finding 17
describe('jobs of one host', () => {
  it('do not take the same free bytes twice', async () => {
    await alpha.mountSmall(SMALL, 200)
    const first = await engine.submit(backupSpec(one, { store: SMALL }), 'copy:1:hang')
    const second = await engine.backup(two, { store: SMALL })
    expect(second).toMatchObject({ state: 'failed-clean', failure: { kind: 'no-room', path: SMALL } })
    expect(second.failure).toMatchObject({ claimedBytes: expect.any(Number) as number })
    await engine.ask('cancel', { id: first })
    expect(await engine.backup(two, { store: SMALL })).toMatchObject({ state: 'done' })
  })

  it('leave no claim behind when the engine is killed', async () => {
    await alpha.mountSmall(SMALL, 200)
    const killed = await engine.backup(one, { store: SMALL }, 'copy:1:kill')
    expect(killed).toMatchObject({ state: 'failed-clean' })
    expect(await engine.backup(two, { store: SMALL })).toMatchObject({ state: 'done' })
  })
})

/** Until so many MiB are left. */
const fillTo = (path: string, freeMiB: number): Promise<string> =>
  alpha.must(
    `free=$(df -B1M --output=avail ${path} | tail -1); head -c $(( (free - ${freeMiB}) * 1024 * 1024 )) /dev/zero >${path}/filler`
  )

describe('a file system that somebody else fills', () => {
  it('ends a backup of a VM that is shut off, before it is full, and what the backup wrote is gone', async () => {
    await alpha.mountSmall(SMALL, 400)
    const id = await engine.submit(backupSpec(one, { store: SMALL }), 'copy:1:hold')
    await heldAt(alpha, 'copy', id)
    await fillTo(SMALL, 20)
    await letGo(alpha, 'copy', id)
    const report = await engine.endOf(id)
    expect(report).toMatchObject({ state: 'failed-clean', failure: { kind: 'no-room', path: SMALL } })
    expect((await alpha.must(`cat ${SMALL}/filler | wc -c; find ${SMALL} -name '*.qcow2'`)).trim()).toMatch(/^\d+$/)
  })

  it('ends a restore that writes there, and its disks are gone', async () => {
    const { point = '' } = await engine.backup(one)
    await alpha.mountSmall(SMALL, 400)
    const id = await engine.submit(
      {
        kind: 'restore',
        vm: one.uuid,
        vmName: one.name,
        hostName: 'alpha',
        point,
        store: DEFAULT_STORE,
        mode: 'define',
        replace: false,
        diskDir: SMALL,
        copy: { name: 'copied', uuid: '7d0c1f9e-1111-4222-8333-944444444444' }
      },
      'stage:1:hold'
    )
    await heldAt(alpha, 'stage', id)
    await fillTo(SMALL, 20)
    await letGo(alpha, 'stage', id)
    const report = await engine.endOf(id)
    expect(report).toMatchObject({ state: 'failed-clean', failure: { kind: 'no-room', path: SMALL } })
    expect((await alpha.must(`ls ${SMALL}`)).trim()).toBe('filler')
  })

  it('ends an import, and a point of exactly the free bytes does not even begin', async () => {
    const { point = '' } = await engine.backup(one)
    await alpha.mountSmall(SMALL, 140)
    const question = (store: string, more: object): string => JSON.stringify({ store, point, ...more })
    const send = `echo '${question(DEFAULT_STORE, { have: {} })}' | ${runtimePath('lab')} ${enginePath('lab')} export`
    const take = `${runtimePath('lab')} ${enginePath('lab')} import`
    const importing = async (): Promise<unknown> =>
      JSON.parse((await alpha.run(`(echo '${question(SMALL, {})}'; ${send}) | ${take} | tail -1`)).stdout)
    const manifest = await alpha.readFile(`${DEFAULT_STORE}/${one.uuid}/${point}/manifest.json`)
    const { files } = JSON.parse(manifest) as Manifest
    const sizeMiB = Math.ceil(files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) / MIB)
    await fillTo(SMALL, sizeMiB + 2)
    expect(await importing()).toMatchObject({ failure: { kind: 'no-room', path: SMALL } })
    await alpha.must(`rm ${SMALL}/filler`)
    expect(await importing()).toMatchObject({ result: { id: point } })
  })
})

// engine.md finding 34, field case 21
describe('what a job needs is reckoned from what is there', () => {
  it('a VM of much RAM that it does not use goes into a small store, with a warning', async () => {
    const idle = await alpha.defineGuest({ name: 'idle', ramMiB: 3072, diskMiB: 16 })
    await alpha.mountSmall(SMALL, 1024)
    try {
      await idle.start()
      const report = await engine.backup(idle, { store: SMALL, method: 'live' })
      expect(report).toMatchObject({ state: 'done-with-warnings', method: 'live' })
      expect(report.warnings).toEqual([expect.stringMatching(/^\/srv\/small may become too small: the RAM and/)])
    } finally {
      await idle.destroy()
      await idle.undefine()
    }
  })

  it('a large block device that holds little goes into a small store, and back into a small folder', async () => {
    await alpha.mountSmall(SMALL, 400)
    const large = await largeDevice()
    const xml = `<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='${large.device}'/><target dev='vdb' bus='virtio'/></disk>`
    const wide = await alpha.defineGuest({ name: 'wide', ramMiB: 96, diskMiB: 16, devicesXml: xml })
    try {
      const report = await engine.backup(wide, { store: SMALL })
      expect(report).toMatchObject({ state: 'done-with-warnings', method: 'offline' })
      const copy = { name: 'back', uuid: '7d0c1f9e-2222-4222-8333-944444444444' }
      const options = { store: SMALL, mode: 'define' as const, diskDir: SMALL, copy }
      const restored = await engine.restore(report.point ?? '', wide, options)
      expect(restored).toMatchObject({ state: 'done-with-warnings', mode: 'define' })
      await alpha.must(`virsh -q undefine ${copy.uuid}`)
    } finally {
      await wide.undefine()
      await large.remove()
    }
  })
})

/** 1 GiB on this machine, with a file system on it that is empty, as a node in the host's own /dev. */
async function largeDevice(): Promise<{ device: string; remove: () => Promise<void> }> {
  const [image, device] = ['/srv/large.raw', '/dev/large']
  await alpha.must(`truncate -s 1G ${image}; mke2fs -q -F -t ext4 -E nodiscard,lazy_itable_init=1 ${image}`)
  const loop = (await must(['losetup', '-f', '--show', join(`/proc/${alpha.machinePid}/root`, image)])).trim()
  const numbers = (await must(['stat', '-c', '%Hr %Lr', loop])).trim().split(' ')
  await alpha.must(['mknod', device, 'b', ...numbers])
  const remove = async (): Promise<void> => {
    await must(['losetup', '-d', loop])
    await alpha.must(`rm -f ${device} ${image}`)
  }
  return { device, remove }
}

describe('a VM whose images lie where its points go', () => {
  it('runs on when the file system fills up in the middle, and the backup gives its room back', async () => {
    await alpha.mountSmall(SMALL, 600)
    const near = await alpha.defineGuest({ name: 'near', ramMiB: 96, diskMiB: 128, fillerMiB: 96 })
    const source = near.disks[0]?.path ?? ''
    const image = `${SMALL}/near.qcow2`
    await alpha.must(`mv ${source} ${image}`)
    const moved = (await near.xml('--inactive')).replace(source, image)
    await alpha.must('cat | virsh -q define /dev/stdin', { stdin: moved })
    try {
      await near.start()
      const id = await engine.submit(backupSpec(near, { store: SMALL, method: 'disk' }), 'copy:1:hold')
      await heldAt(alpha, 'copy', id)
      await fillTo(SMALL, 30)
      await letGo(alpha, 'copy', id)
      const report = await engine.endOf(id)
      expect(report).toMatchObject({ state: 'failed-clean', failure: { kind: 'no-room', path: SMALL } })
      expect(await near.state()).toBe('running')
      expect((await alpha.must(`find ${SMALL} -type f`)).trim().split('\n').sort()).toEqual([
        `${SMALL}/.stillpoint-store.json`,
        `${SMALL}/filler`,
        image
      ])
    } finally {
      await near.destroy()
      await near.undefine()
    }
  })
})

const NIGHTLY = { id: 'abcdef012345', name: 'nightly' }

// field case 20
describe('a full store', () => {
  const policy = (keep: Partial<Policy['keep']>): Policy =>
    policyFor([one], { ...NIGHTLY, store: SMALL, method: 'offline', keep: { floor: 1, graceHours: 24, ...keep } })
  const night = async (): Promise<RunReport> => runByHand(engine, NIGHTLY)

  beforeEach(async () => {
    await alpha.mountSmall(SMALL, 360)
    return async () => {
      await engine.ask('policy-remove', { id: NIGHTLY.id })
    }
  })

  it('heals itself: what no rule keeps goes before the new point, once newer ones are proven good', async () => {
    await engine.ask('policy-put', { policy: policy({}) })
    for (const _ of [1, 2, 3]) expect(await night()).toMatchObject({ vms: [{ outcome: 'done' }] })
    const points = (await engine.ask('points', { stores: [SMALL] })).points.map(({ id }) => id)
    expect(await night()).toMatchObject({ vms: [{ outcome: 'failed', failure: { kind: 'no-room', deletable: [] } }] })
    await engine.ask('policy-put', { policy: policy({ last: 2, floor: 2 }) })
    // Whoever backs up by hand is told, and decides.
    expect(await engine.backup(one, { store: SMALL })).toMatchObject({
      failure: { kind: 'no-room', deletable: [{ point: points[0], vm: 'one' }] }
    })
    const healed = await night()
    expect(healed).toMatchObject({ vms: [{ outcome: 'done' }], pruned: { removed: [points[0]] } })
    const { points: left, marks } = await engine.ask('points', { stores: [SMALL] })
    expect(left.map(({ id }) => id)).toEqual([points[2], healed.vms[0]?.point])
    expect(marks[points[2] ?? '']?.verified?.good).toBe(true)
    const journal = await alpha.readFile(`${RUNS_DIR}/${healed.id}/journal.jsonl`)
    expect(journal).toContain(`"action":"remove","store":"${SMALL}","vm":"${one.uuid}","point":"${points[0] ?? ''}"`)
  })

  it('keeps what has no newer point that is proven good, and names what could go', async () => {
    await engine.ask('policy-put', { policy: policy({}) })
    for (const _ of [1, 2, 3]) await night()
    const points = (await engine.ask('points', { stores: [SMALL] })).points.map(({ id }) => id)
    // Hashes of the two newest are no longer what they were.
    for (const id of points.slice(1))
      await alpha.must(
        `printf x | dd of=${SMALL}/${one.uuid}/${id}/disks/vda.qcow2 bs=1 seek=9000000 conv=notrunc status=none`
      )
    await engine.ask('policy-put', { policy: policy({ last: 2, floor: 2 }) })
    expect(await night()).toMatchObject({ vms: [{ outcome: 'failed', failure: { kind: 'no-room' } }] })
    expect(await alpha.must(`ls -d ${SMALL}/${one.uuid}/${points[0] ?? ''}`)).toContain(points[0])
  })
})
