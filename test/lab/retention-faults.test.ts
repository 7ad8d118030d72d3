import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { DEFAULT_STORE, RUN_DIR } from '../../src/shared/host-paths.ts'
import type { Manifest } from '../../src/shared/model/point.ts'
import { addFakeRam } from './point-copies.ts'
import { PrunedGuest } from './pruned-guest.ts'
import { testLab } from './test-lab.ts'

const SMALL = '/srv/small'
let pruned: PrunedGuest
let template: Manifest

beforeAll(async () => {
  pruned = await PrunedGuest.on(testLab().host('alpha'))
  template = await pruned.takeTemplate('offline')
})

afterAll(() => pruned.remove())

describe('on a store of its own', () => {
  beforeEach(async () => {
    await pruned.host.mountSmall(SMALL, 64)
    await pruned.nights(4, template, SMALL)
    for (const id of pruned.ids) await addFakeRam(pruned.host, SMALL, pruned.guest.uuid, id)
    await pruned.prune({}, { store: SMALL })
    return () => pruned.host.unmount(SMALL)
  })

  it('that is full, nothing is lost, and all goes on once there is room', async () => {
    await pruned.host.run(`dd if=/dev/zero of=${SMALL}/filler bs=4096 status=none`)
    const full = await pruned.prune({ last: 2, memory: 1 }, { store: SMALL })
    expect(full?.pruned).toMatchObject({ trashed: [], removed: [], memoryDropped: [], freedBytes: 0 })
    expect(full?.pruned.refused).toEqual([expect.stringMatching(/^pruned: .*(ENOSPC|full|room)/i)])
    expect(await pruned.listed(SMALL)).toEqual(pruned.ids)
    const memoryOnly = await pruned.prune({ last: 4, memory: 1 }, { store: SMALL })
    expect(memoryOnly?.pruned).toMatchObject({ memoryDropped: [] })
    for (const point of pruned.ids)
      expect(await pruned.engine.ask('verify', { store: SMALL, point })).toMatchObject({ good: true })
    await pruned.host.must(['rm', `${SMALL}/filler`])
    const after = await pruned.prune({ last: 2, memory: 1 }, { store: SMALL })
    expect(after?.pruned).toMatchObject({
      trashed: [pruned.ids[3], pruned.ids[2]],
      memoryDropped: [pruned.ids[1]],
      refused: []
    })
    expect(await pruned.listed(SMALL)).toEqual(pruned.ids.slice(0, 2))
  })

  it('that is read-only, nothing is lost', async () => {
    await pruned.host.must(['mount', '-o', 'remount,ro', SMALL])
    const answer = await pruned.prune({ last: 2, memory: 1 }, { store: SMALL })
    expect(answer?.pruned).toMatchObject({ trashed: [], memoryDropped: [] })
    expect(answer?.pruned.refused).toHaveLength(1)
    expect(await pruned.listed(SMALL)).toEqual(pruned.ids)
  })

  it('that was swapped for an empty one, nothing is touched', async () => {
    await pruned.host.mountSmall(SMALL, 8, { knowsStores: true })
    const answer = await pruned.prune({ last: 2 }, { store: SMALL, know: false })
    expect(answer?.plan.refused).toMatch(/^\/srv\/small is not the store that it was/)
    expect(answer?.pruned).toMatchObject({ trashed: [], refused: [answer?.plan.refused] })
    expect((await pruned.host.must(['ls', '-A', SMALL])).trim()).toBe('')
    await pruned.host.unmount(SMALL)
    expect(await pruned.listed(SMALL)).toEqual(pruned.ids)
  })
})

const BEFORE = '/srv/templates/before'
const RULES = { last: 3, memory: 1, graceHours: 0 }
const DROPS = ['drop.guide', 'drop.manifest', 'drop.guide-again', 'drop.manifest-again', 'drop.removed']
const STEPS = [
  ...['trash', 'trash.noted', 'trash.moved', 'trash.done'],
  ...['remove', 'remove.begun', 'remove.emptied', 'remove.done'],
  ...['drop-memory', ...DROPS, 'drop-memory.done']
]

describe('when the engine is killed while it prunes', () => {
  let passed = 0

  /** One point in the trash; then one has to go there, that one has to go for good, and two have to lose their RAM. */
  beforeAll(async () => {
    await pruned.nights(5, template)
    for (const id of pruned.ids.slice(0, 3)) await addFakeRam(pruned.host, DEFAULT_STORE, pruned.guest.uuid, id)
    await pruned.prune({ last: 4 })
    await pruned.host.must(['cp', '-a', DEFAULT_STORE, BEFORE])
  })

  afterAll(() => console.log(`kills while pruning: ${passed} / ${STEPS.length}`))

  it.each(STEPS)('no good point is lost, and the next one ends it, at %s', async (step) => {
    const { ids, host, engine } = pruned
    await host.must(`rm -rf ${DEFAULT_STORE} && cp -a ${BEFORE} ${DEFAULT_STORE}`)
    expect(await pruned.prune(RULES, { fault: `prune.${step}:1:kill` })).toBeUndefined()
    expect((await pruned.listed()).slice(0, 3)).toEqual(ids.slice(0, 3))
    if (DROPS.includes(step))
      expect(await engine.ask('verify', { store: DEFAULT_STORE, point: ids[1] ?? '' })).toMatchObject({ good: true })
    expect((await pruned.prune(RULES))?.pruned.refused).toEqual([])
    // What went to the trash by this last one has its grace, of 0 hours, before it.
    await pruned.prune(RULES)
    expect(await pruned.listed()).toEqual(ids.slice(0, 3))
    expect(await pruned.trashed()).toEqual([])
    const files = await host.must(`cd ${DEFAULT_STORE}/${pruned.guest.uuid} && ls -d */* | grep -E 'memory|next|new'`)
    expect(files.trim()).toBe(`${ids[0]}/memory.save`)
    expect((await host.run(['ls', '-A', RUN_DIR])).stdout.trim()).toBe('')
    passed += 1
  })
})
