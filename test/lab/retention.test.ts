import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ASIDE_DIR, DEFAULT_STORE, enginePath, JOBS_DIR, runtimePath, RUN_DIR } from '../../src/shared/host-paths.ts'
import type { Manifest } from '../../src/shared/model/point.ts'
import type { KeepRules } from '../../src/shared/model/policy.ts'
import { restoreSpec } from './bare-engine.ts'
import { copyPoint, daysAgo } from './point-copies.ts'
import { PrunedGuest, type PruneOptions } from './pruned-guest.ts'
import { testLab } from './test-lab.ts'

const OTHER_VM = '7d0c1f9e-1111-4222-8333-944444444444'
const HOUR_MS = 3_600_000
let pruned: PrunedGuest
let template: Manifest
let liveTemplate: Manifest

beforeAll(async () => {
  pruned = await PrunedGuest.on(testLab().host('alpha'))
  template = await pruned.takeTemplate('offline')
  await pruned.guest.start()
  await pruned.guest.waitForTick(2)
  liveTemplate = await pruned.takeTemplate('live')
  await pruned.guest.destroy()
})

afterAll(() => pruned.remove())
beforeEach(() => pruned.empty())

describe('pruning after a good new point', () => {
  it('throws away what no rule keeps, and lets RAM go from older points, which stay good and boot', async () => {
    await pruned.nights(5, liveTemplate)
    const answer = await pruned.prune({ last: 3, memory: 1 })
    const [first = '', second = '', third = '', fourth = '', fifth = ''] = pruned.ids
    expect(answer?.pruned).toMatchObject({
      trashed: [fifth, fourth],
      removed: [],
      memoryDropped: [second, third],
      refused: []
    })
    expect(answer?.pruned.freedBytes).toBeGreaterThan(20 * 1024 * 1024)
    expect(answer?.plan.vms[0]?.points.map(({ keep, memory }) => [keep, memory])).toEqual([
      [true, 'kept'],
      [true, 'dropped'],
      [true, 'dropped'],
      [false, 'dropped'],
      [false, 'dropped']
    ])
    expect(answer?.steps.slice(0, 2)).toEqual([`begun trash ${fifth}`, `done trash ${fifth}`])
    expect(await pruned.listed()).toEqual([first, second, third])
    expect(await pruned.trashed()).toEqual([fourth, fifth])
    for (const point of [first, second, third])
      expect(await pruned.engine.ask('verify', { store: DEFAULT_STORE, point })).toMatchObject({
        good: true,
        problems: [],
        notes: []
      })
    const spec = restoreSpec(pruned.host, second, pruned.guest, { replace: true })
    expect(await pruned.engine.ask('preflight', { spec })).toContainEqual(
      expect.objectContaining({ state: 'warning', text: 'The point holds no RAM, so the VM is booted' })
    )
    const report = await pruned.engine.run(spec)
    expect(report).toMatchObject({ mode: 'boot', modeReason: 'The point holds no RAM, so the VM is booted' })
    expect(await pruned.host.readFile(`${DEFAULT_STORE}/${pruned.guest.uuid}/${second}/RESTORE.md`)).toContain(
      'It boots as after'
    )
    await pruned.host.must(`virsh -q destroy ${pruned.guest.uuid}; rm -rf ${ASIDE_DIR}/*`)
  })

  it('removes from the trash what has lain there for its grace, and the doctor does it too, but not before', async () => {
    await pruned.nights(4, template)
    await pruned.prune({ last: 3 })
    expect((await pruned.prune({ last: 2 }, { clock: new Date(Date.now() + 23 * HOUR_MS) }))?.pruned).toMatchObject({
      trashed: [pruned.ids[2]],
      removed: []
    })
    const ask = (repair: boolean): object => ({ stores: [DEFAULT_STORE], repair })
    const doctor = async (repair: boolean, clock = new Date()): Promise<unknown> => {
      const argv = ['env', `STILLPOINT_CLOCK=${clock.toISOString()}`, runtimePath('lab'), enginePath('lab'), 'doctor']
      return (
        JSON.parse((await pruned.host.must(argv, { stdin: `${JSON.stringify(ask(repair))}\n` })).trim()) as {
          result: unknown
        }
      ).result
    }
    const waiting = expect.stringMatching(/^it goes after .* UTC, with a run that takes a good new point$/) as unknown
    const trash = { kind: 'trash', remedy: waiting, repaired: false }
    expect(await doctor(true)).toMatchObject([trash, trash])
    const later = new Date(Date.now() + 25 * HOUR_MS)
    expect(await doctor(true, later)).toMatchObject([{ remedy: 'remove it: its grace is over', repaired: true }, trash])
    expect(await pruned.trashed()).toEqual([pruned.ids[2]])
    const end = await pruned.prune({ last: 2 }, { clock: new Date(Date.now() + 48 * HOUR_MS) })
    expect(end?.pruned).toMatchObject({ trashed: [], removed: [pruned.ids[2]], refused: [] })
    expect(end?.plan.trash).toMatchObject({ points: 1 })
    expect((await pruned.host.run(['ls', `${DEFAULT_STORE}/.trash`])).exitCode).not.toBe(0)
  })

  it('leaves points taken by hand alone, and pinned ones', async () => {
    const { policy: _, ...byHand } = template
    const old = await copyPoint(pruned.host, byHand, DEFAULT_STORE, daysAgo(50))
    await pruned.nights(4, template)
    await pruned.engine.ask('mark', { store: DEFAULT_STORE, point: pruned.ids[3] ?? '', pinned: true })
    expect((await pruned.prune({ last: 2 }))?.pruned.trashed).toEqual([pruned.ids[2]])
    expect(await pruned.listed()).toEqual([pruned.ids[0], pruned.ids[1], pruned.ids[3], old])
  })
})

describe('nothing goes', () => {
  beforeEach(() => pruned.nights(4, template))

  const refusedWith = async (text: RegExp, options: PruneOptions = {}, keep: Partial<KeepRules> = { last: 2 }) => {
    const answer = await pruned.prune(keep, options)
    expect(answer?.pruned).toMatchObject({ trashed: [], removed: [], memoryDropped: [], freedBytes: 0 })
    expect(answer?.pruned.refused).toEqual([expect.stringMatching(text)])
    expect(await pruned.listed(options.store)).toEqual(pruned.ids)
    expect(await pruned.trashed(options.store)).toEqual([])
    return answer
  }

  it.each([
    ['1970-01-01T00:01:00Z', /before this Stillpoint was built/],
    ['2040-01-01T00:00:00Z', /days after all that was before/]
  ])('by a clock of %s', async (at, why) => {
    const answer = await refusedWith(why, { clock: new Date(at) })
    expect(answer?.plan.refused).toMatch(why)
  })

  it('while the newest good point is not that of the run', () =>
    refusedWith(/^the newest good point of pruned is not the one that this run took/, {
      fresh: [{ vm: pruned.guest.uuid, point: pruned.ids[1] ?? '' }]
    }))

  it('while no VM has got a good new point', async () => {
    expect((await pruned.prune({ last: 2 }, { fresh: [] }))?.pruned).toMatchObject({ trashed: [], refused: [] })
    expect(await pruned.listed()).toEqual(pruned.ids)
  })

  it('while the VM is being restored, or anybody else works on it', async () => {
    const job = `${JOBS_DIR}/20261124T000000Z-abcdef`
    const spec = restoreSpec(pruned.host, pruned.ids[0] ?? '', pruned.guest, {
      mode: 'boot',
      copy: { name: 'twin', uuid: OTHER_VM }
    })
    await pruned.host.writeFile(`${job}/spec.json`, JSON.stringify(spec))
    const answer = await refusedWith(/^pruned is being restored by job 20261124T000000Z-abcdef$/)
    expect(answer?.plan.vms[0]?.refused).toMatch(/being restored/)
    await pruned.host.must(['rm', '-r', job])
    const lock = `${RUN_DIR}/${pruned.guest.uuid}.lock`
    const held = pruned.host.run(
      `exec 9>>${lock}; flock 9; touch /tmp/held; while [ -e /tmp/held ]; do sleep 0.05; done; rm ${lock}`
    )
    await pruned.host.must('until [ -e /tmp/held ]; do sleep 0.05; done')
    await refusedWith(/^pruned: .*busy/i)
    await pruned.host.must('rm /tmp/held')
    await held
  })

  it('of a point that is being sent elsewhere', async () => {
    const oldest = pruned.ids[3] ?? ''
    const question = JSON.stringify({ store: DEFAULT_STORE, point: oldest, have: {} })
    const slow = pruned.host.run(
      `echo '${question}' | ${runtimePath('lab')} ${enginePath('lab')} export | (head -c 1 >/dev/null; touch /tmp/sending; while [ -e /tmp/sending ]; do sleep 0.05; done; cat >/dev/null)`
    )
    await pruned.host.must('until [ -e /tmp/sending ]; do sleep 0.05; done')
    await refusedWith(new RegExp(`^point ${oldest} is being read$`), {}, { last: 3 })
    await pruned.host.must('rm /tmp/sending')
    await slow
    expect((await pruned.prune({ last: 3 }))?.pruned.trashed).toEqual([oldest])
  })
})
