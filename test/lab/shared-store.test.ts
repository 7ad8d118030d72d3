import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { enginePath, runtimePath } from '../../src/shared/host-paths.ts'
import type { Policy } from '../../src/shared/model/policy.ts'
import { backupSpec, BareEngine, failureFrom } from './bare-engine.ts'
import type { Guest } from './guest.ts'
import { heldAt, letGo } from './held.ts'
import type { LabHost } from './host.ts'
import { Nas } from './nas.ts'
import { policyFor, runByHand } from './policies.ts'
import { testLab } from './test-lab.ts'

const STORE = '/srv/store'
const IMAGES = '/var/lib/libvirt/images'
const FORGET = 'rm -f /var/lib/stillpoint/stores.json /var/lib/stillpoint/store-mounts.json'
let alpha: LabHost
let beta: LabHost
let onAlpha: BareEngine
let onBeta: BareEngine
let web: Guest
let db: Guest
let nas: Nas

beforeAll(async () => {
  const lab = testLab()
  alpha = lab.host('alpha')
  beta = lab.host('beta')
  onAlpha = await BareEngine.on(alpha)
  onBeta = await BareEngine.on(beta)
  web = await alpha.defineGuest({ name: 'web', ramMiB: 96, diskMiB: 16 })
  db = await beta.defineGuest({ name: 'db', ramMiB: 96, diskMiB: 16 })
})

afterAll(async () => {
  await web.undefine()
  await db.undefine()
})

beforeEach(async () => {
  nas = await Nas.on([alpha, beta], STORE, 256)
})

afterEach(async () => {
  await nas.remove()
  for (const host of [alpha, beta]) await host.must(FORGET)
})

const doctor = (engine: BareEngine, repair: boolean) => engine.ask('doctor', { stores: [STORE], repair })
const listed = async (engine: BareEngine): Promise<string[]> =>
  (await engine.ask('points', { stores: [STORE] })).points.map(({ id }) => id).sort()
const half = (what: RegExp) =>
  expect.objectContaining({
    kind: 'half point',
    what: expect.stringMatching(what) as string,
    repaired: false
  }) as object

// engine.md finding 4, field case 9
describe('a store that two hosts share', () => {
  it('the doctor of one leaves alone what the other is writing, and says who', async () => {
    await onAlpha.backup(web, { store: STORE })
    const id = await onBeta.submit(backupSpec(db, { store: STORE }), 'copy:1:hold')
    await heldAt(beta, 'copy', id)
    for (const repair of [false, true])
      expect(await doctor(onAlpha, repair)).toEqual([half(new RegExp(`/${id} is being written by beta since 2`))])
    await letGo(beta, 'copy', id)
    const report = await onBeta.endOf(id)
    expect(report).toMatchObject({ state: 'done', point: id })
    expect(await onBeta.ask('verify', { store: STORE, point: id })).toMatchObject({ good: true, notes: [] })
    expect(await doctor(onAlpha, true)).toEqual([])
    expect(await listed(onAlpha)).toEqual(await listed(onBeta))
  })

  it('what a host left there is its own to remove, and nobody’s that nobody knows of', async () => {
    await onAlpha.backup(web, { store: STORE })
    const killed = await onBeta.submit(backupSpec(db, { store: STORE }), 'copy:1:hold')
    await heldAt(beta, 'copy', killed)
    // As if beta had lost its power, its disk and its memory of the job, but not its name.
    await beta.must(`cp -a ${STORE}/${db.uuid}/${killed} /tmp/left`)
    await letGo(beta, 'copy', killed)
    await onBeta.endOf(killed)
    const left = '20261122T201744Z-7f3a21'
    await beta.must(`mv /tmp/left ${STORE}/${db.uuid}/${left}; mkdir -p ${STORE}/${db.uuid}/20261122T201745Z-7f3a21`)
    expect(await doctor(onAlpha, true)).toEqual([
      half(/7f3a21 is being written by beta since .*, or was left by it/),
      half(/was never completed, and nothing says which host began it/)
    ])
    expect(await doctor(onBeta, true)).toEqual([
      expect.objectContaining({ what: expect.stringContaining(left) as string, repaired: true }),
      half(/nothing says which host began it/)
    ])
    const points = (await beta.must(`ls ${STORE}/${db.uuid}`)).trim().split('\n')
    expect(new Set(points)).toEqual(new Set([killed, '20261122T201745Z-7f3a21']))
  })

  it('policies of both at the same minute, with trash and graces of no hours: nobody’s good points go', async () => {
    const policy = (guest: Guest, id: string): Policy =>
      policyFor([guest], {
        id,
        store: STORE,
        hostName: guest.host.name,
        method: 'offline',
        keep: { last: 1, floor: 1, graceHours: 0 }
      })
    const policies = [policy(web, 'aaaaaaaaaaaa'), policy(db, 'bbbbbbbbbbbb')] as const
    await onAlpha.ask('policy-put', { policy: policies[0] })
    await onBeta.ask('policy-put', { policy: policies[1] })
    const both = () => Promise.all([runByHand(onAlpha, policies[0]), runByHand(onBeta, policies[1])])
    await both()
    await both()
    const runs = await both()
    for (const run of runs) expect(run).toMatchObject({ vms: [{ outcome: 'done' }], pruned: { refused: [] } })
    expect(await listed(onBeta)).toEqual(runs.map(({ vms }) => vms[0]?.point).sort())
    // One and the same point, by both hosts at once: gone once, and the other is told so.
    const point = runs[0].vms[0]?.point ?? ''
    const deleted = await Promise.allSettled(
      [onAlpha, onBeta].map((each) => each.ask('delete', { store: STORE, point }))
    )
    expect(deleted.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    await onAlpha.ask('policy-remove', { id: policies[0].id })
    await onBeta.ask('policy-remove', { id: policies[1].id })
  })

  it('a host that is removed with all that is ours leaves the points of both, and the other goes on', async () => {
    await onAlpha.backup(web, { store: STORE })
    await onBeta.backup(db, { store: STORE })
    const before = await listed(onBeta)
    await onAlpha.ask('remove-all', {})
    onAlpha = await BareEngine.on(alpha)
    expect(await onBeta.backup(db, { store: STORE })).toMatchObject({ state: 'done' })
    expect(await listed(onBeta)).toEqual(expect.arrayContaining(before))
  })

  it('the doctor of one leaves alone the overlay of the other in a folder of images that both have', async () => {
    const images = `${STORE}/images`
    await alpha.must(['mkdir', images])
    const running = await alpha.defineGuest({ name: 'running', ramMiB: 96, diskMiB: 16, imageFolder: images })
    await beta.must(`mount --bind ${images} ${IMAGES}`)
    try {
      await running.start()
      const id = await onAlpha.submit(backupSpec(running, { method: 'disk' }), 'copy.done:1:hold')
      await heldAt(alpha, 'copy.done', id)
      const overlay = `${running.disks[0]?.path.split('/').at(-1) ?? ''}.stillpoint-${id}`
      expect(await doctor(onBeta, true)).toContainEqual(
        expect.objectContaining({
          what: `${IMAGES}/${overlay} belongs to no VM and no job`,
          remedy: expect.stringContaining('no job of this host made it') as string,
          repaired: false
        })
      )
      expect(await alpha.must(['ls', images])).toContain(overlay)
      await letGo(alpha, 'copy.done', id)
      expect(await onAlpha.endOf(id)).toMatchObject({ state: 'done' })
      expect(await alpha.must(['ls', images])).not.toContain('stillpoint')
    } finally {
      await beta.must(['umount', IMAGES])
      await running.destroy()
      await running.undefine()
    }
  })

  // engine.md finding 47
  it('two imports of one point at a time do not disturb one another: the second is told who has it', async () => {
    const { point = '' } = await onAlpha.backup(web)
    const program = `${runtimePath('lab')} ${enginePath('lab')}`
    const question = (store: string, more = {}): string => `echo '${JSON.stringify({ store, point, ...more })}'`
    const send = `${question('/var/lib/stillpoint/points', { have: {} })} | ${program} export >/tmp/stream`
    await alpha.must(send)
    const take = `(${question(STORE)}; head -c 200000 /tmp/stream; touch /tmp/half; until [ -e /tmp/go ]; do sleep 0.05; done; tail -c +200001 /tmp/stream) | ${program} import | tail -1`
    const first = alpha.run(take)
    await alpha.must('until [ -e /tmp/half ]; do sleep 0.05; done; sleep 1')
    const second: unknown = JSON.parse(
      (await alpha.run(`(${question(STORE)}; cat /tmp/stream) | ${program} import | tail -1`)).stdout
    )
    expect(second).toMatchObject({ failure: { kind: 'point-arriving', point, by: 'an import on alpha' } })
    await alpha.must('touch /tmp/go')
    expect(JSON.parse((await first).stdout)).toMatchObject({ result: { id: point } })
    expect(await onBeta.ask('verify', { store: STORE, point })).toMatchObject({ good: true, notes: [] })
    await alpha.must('rm /tmp/stream /tmp/half /tmp/go')
  })
})

// engine.md finding 35, field case 29
describe('a store that was on a disk of its own', () => {
  const used = async (): Promise<string> => (await alpha.run(`find ${STORE} -mindepth 1`)).stdout

  it('is not made anew where the disk is not mounted, by hand too', async () => {
    expect(await onAlpha.backup(web, { store: STORE })).toMatchObject({ state: 'done' })
    await alpha.must(`cp ${STORE}/.stillpoint-store.json /tmp/identity; umount ${STORE}`)
    const refused = await onAlpha.backup(web, { store: STORE })
    expect(refused).toMatchObject({ state: 'failed-clean', failure: { kind: 'store-changed', store: STORE } })
    expect(await used()).toBe('')
    // Even a folder that passes for it is none: what was a file system of its own is one.
    await alpha.must(`mv /tmp/identity ${STORE}/.stillpoint-store.json`)
    const disguised = await onAlpha.backup(web, { store: STORE })
    expect(disguised.failure).toMatchObject({
      detail: expect.stringMatching(/was a file system of its own \(ext4\)/) as string
    })
    expect(await used()).toBe(`${STORE}/.stillpoint-store.json\n`)
    await alpha.must(`rm ${STORE}/.stillpoint-store.json`)
    const accepted = await onAlpha.backup(web, { store: STORE, acceptStore: true })
    expect(accepted).toMatchObject({ state: 'done' })
    await alpha.must(`find ${STORE} -mindepth 1 -delete`)
    await nas.mount(alpha)
  })

  it('that is unmounted between the look at it and the first file of a point holds none', async () => {
    const id = await onAlpha.submit(backupSpec(web, { store: STORE }), 'begin-point:1:hold')
    await heldAt(alpha, 'begin-point', id)
    await alpha.must(`umount ${STORE}`)
    await letGo(alpha, 'begin-point', id)
    const report = await onAlpha.endOf(id)
    expect(report).toMatchObject({ state: 'failed-clean', failure: { kind: 'store-changed', store: STORE } })
    expect(await used()).toBe('')
    await nas.mount(alpha)
  })

  it('that is unmounted in the middle ends the backup, and nothing goes to where it was mounted', async () => {
    const id = await onAlpha.submit(backupSpec(web, { store: STORE }), 'copy:1:hold')
    await heldAt(alpha, 'copy', id)
    expect((await alpha.run(`umount ${STORE}`)).stderr).toMatch(/busy/)
    await alpha.must(`umount -l ${STORE}`)
    await letGo(alpha, 'copy', id)
    const report = await onAlpha.endOf(id)
    expect(report).toMatchObject({ state: 'failed-clean', failure: { kind: 'store-changed', store: STORE } })
    expect(await used()).toBe('')
    await nas.mount(alpha)
    expect(await doctor(onAlpha, true)).toEqual([
      expect.objectContaining({ kind: 'half point', what: expect.stringContaining(id) as string, repaired: true })
    ])
  })

  it('a point that is copied there goes to no other place either', async () => {
    const { point = '' } = await onAlpha.backup(web)
    await onAlpha.backup(web, { store: STORE })
    await alpha.must(`umount ${STORE}`)
    const failure = await failureFrom(onAlpha.ask('import', { store: STORE, point }))
    expect(failure).toMatchObject({ kind: 'store-changed', store: STORE })
    expect(await used()).toBe('')
    await nas.mount(alpha)
  })
})
