import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { DEFAULT_STORE, enginePath, runtimePath } from '../../src/shared/host-paths.ts'
import type { Manifest } from '../../src/shared/model/point.ts'
import { backupSpec, BareEngine } from './bare-engine.ts'
import type { Guest } from './guest.ts'
import type { LabHost } from './host.ts'
import { leftoversOf, takeBaseline, type Baseline } from './oracle.ts'
import { waitFor } from './run.ts'
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

const used = async (path: string): Promise<number> =>
  Number((await alpha.must(`df -B1 --output=used ${path} | tail -1`)).trim())

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

describe('a file system that somebody else fills', () => {
  const fillTo = (path: string, freeMiB: number): Promise<string> =>
    alpha.must(
      `free=$(df -B1M --output=avail ${path} | tail -1); head -c $(( (free - ${freeMiB}) * 1024 * 1024 )) /dev/zero >${path}/filler`
    )

  it('ends a backup of a VM that is shut off, before it is full, and what the backup wrote is gone', async () => {
    await alpha.mountSmall(SMALL, 400)
    const id = await engine.submit(backupSpec(one, { store: SMALL }), 'copy:1:wait')
    await fillTo(SMALL, 30)
    const report = await engine.ask('follow', { id, from: Number.MAX_SAFE_INTEGER })
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
      'stage:1:wait'
    )
    await fillTo(SMALL, 20)
    const report = await engine.ask('follow', { id, from: Number.MAX_SAFE_INTEGER })
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
    await alpha.mountSmall(SMALL, 1024)
    await alpha.must(`virsh -q setmaxmem ${one.uuid} 3G --config`)
    await one.start()
    const report = await engine.backup(one, { store: SMALL, method: 'live' })
    await one.destroy()
    expect(report).toMatchObject({ state: 'done-with-warnings', method: 'live' })
    expect(report.warnings).toEqual([expect.stringMatching(/^\/srv\/small may become too small: the RAM and/)])
    expect(await used(SMALL)).toBeLessThan(700 * MIB)
  })

  it('a large block device that holds little goes into a small store, and back into a small folder', async () => {
    await alpha.mountSmall(SMALL, 300)
    const image = '/var/lib/libvirt/images/large.raw'
    await alpha.must(`truncate -s 4G ${image}; mke2fs -q -F -t ext4 -E nodiscard ${image}`)
    const device = (await alpha.must(`losetup --show -f ${image}`)).trim()
    const xml = `<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='${device}'/><target dev='vdb' bus='virtio'/></disk>`
    await alpha.must(`cat >/tmp/d.xml; virsh -q attach-device ${two.uuid} /tmp/d.xml --config`, { stdin: xml })
    try {
      const report = await engine.backup(two, { store: SMALL })
      expect(report).toMatchObject({ state: 'done-with-warnings', method: 'offline' })
      const spec = { point: report.point ?? '', store: SMALL, mode: 'define' as const, diskDir: SMALL }
      const copy = { name: 'back', uuid: '7d0c1f9e-2222-4222-8333-944444444444' }
      const restored = await engine.restore(spec.point, two, { ...spec, copy })
      expect(restored).toMatchObject({ state: 'done-with-warnings', mode: 'define' })
      await alpha.must(`virsh -q undefine ${copy.uuid}`)
    } finally {
      await alpha.must(`virsh -q detach-disk ${two.uuid} vdb --config; losetup -d ${device}; rm ${image}`)
    }
  })
})

describe('a VM whose images lie where its points go', () => {
  it('runs on when the file system fills up in the middle, without its overlay', async () => {
    await alpha.mountSmall(SMALL, 600)
    const source = one.disks[0]?.path ?? ''
    await alpha.must(`cp ${source} ${SMALL}/one.qcow2`)
    const moved = (await one.xml('--inactive')).replace(source, `${SMALL}/one.qcow2`)
    await alpha.must('cat | virsh -q define /dev/stdin', { stdin: moved })
    await one.start()
    try {
      const id = await engine.submit(backupSpec(one, { store: SMALL, method: 'disk' }), 'copy.done:1:hang')
      await waitFor('the overlay', async () =>
        (await alpha.run(`ls ${SMALL}/one.qcow2.stillpoint-*`)).exitCode === 0 ? true : undefined
      )
      await alpha.must(
        `free=$(df -B1M --output=avail ${SMALL} | tail -1); head -c $((free - 1))M /dev/zero >${SMALL}/filler`
      )
      await engine.ask('cancel', { id })
      expect(await one.state()).toBe('running')
      expect((await alpha.must(`ls -A ${SMALL}`)).trim().split('\n').sort()).toEqual([
        '.stillpoint-store.json',
        'filler',
        'one.qcow2'
      ])
    } finally {
      await one.destroy()
      await alpha.must('cat | virsh -q define /dev/stdin', { stdin: moved.replace(`${SMALL}/one.qcow2`, source) })
    }
  })
})
