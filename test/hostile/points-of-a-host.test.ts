import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { rmSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { heldOf, MOST_OF_HOST } from '../../src/main/core/live/held-points.ts'
import { JoinedPoints } from '../../src/main/core/live/joined-points.ts'
import { LivePoints } from '../../src/main/core/live/live-points.ts'
import type { Place } from '../../src/main/core/settings/settings-schema.ts'
import { DEFAULT_STORE } from '../../src/shared/host-paths.ts'
import type { Manifest } from '../../src/shared/model/point.ts'
import { PaperLaptop, pointAt } from '../unit/live/paper-laptop.ts'
import { manifestOf, OTHER_VM, VM } from '../unit/store-points.ts'
import { cpuMsOf, growthOf, longestPieceMs } from './cpu-time.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('points of one host')
const laptops: PaperLaptop[] = []
afterEach(() => laptops.splice(0).forEach(({ folder }) => rmSync(folder, { recursive: true })))

const onBad = (dir: string): Place => ({ kind: 'host', host: 'bad', dir })
const idOf = (n: number): string => `20261122T201744Z-${n.toString(16).padStart(6, '0')}`
const at = (n: number): string => new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString()
/** As small as one can be. */
const small = (n: number, more: Partial<Manifest> = {}): Manifest =>
  manifestOf({}, { id: idOf(n), takenAt: at(n), vm: { uuid: OTHER_VM, name: 'x' }, ...more })
const many = (count: number, more: Partial<Manifest> = {}, from = 0): Manifest[] =>
  Array.from({ length: count }, (_, n) => small(from + n, more))

/** Whatever a host makes of the room that it has. */
const FLOODS: Readonly<Record<string, (store: number) => Manifest[]>> = {
  'the smallest there are': (store) => many(30_000, {}, store * 30_000),
  'long texts': (store) => many(1500, { warnings: Array.from({ length: 5 }, () => 'w'.repeat(4000)) }, store * 1500),
  'texts that are long when told': (store) => many(1500, { warnings: ['\u0001'.repeat(4000)] }, store * 1500),
  'names that are not Latin': (store) => many(3000, { vm: { uuid: OTHER_VM, name: '山'.repeat(1365) } }, store * 3000),
  'the same ids in each store': (store) => many(20_000, { pauseMs: store }),
  'one id all over': () => Array.from({ length: 20_000 }, (_, n) => small(1, { takenAt: at(n) })),
  'the newest of one VM only': (store) => [
    ...many(30_000, {}, store * 30_000 + 1),
    small(0, { id: `20200101T000000Z-00000${store}`, takenAt: at(0), vm: { uuid: VM, name: 'only' } })
  ]
}

function floodOf(what: string, stores: number): { readonly laptop: PaperLaptop; readonly points: LivePoints } {
  const dirs = [DEFAULT_STORE, ...Array.from({ length: stores - 1 }, (_, n) => `/srv/${n}`)]
  const laptop = new PaperLaptop(['bad', 'good'], dirs.slice(1).map(onBad))
  laptops.push(laptop)
  dirs.forEach((dir, n) => laptop.lists('bad', FLOODS[what]?.(n) ?? [], dir))
  laptop.lists('good', [pointAt(5), pointAt(30)])
  return { laptop, points: new LivePoints(laptop.core) }
}

async function flooded(what: string, stores = 4): Promise<LivePoints> {
  const { laptop, points } = floodOf(what, stores)
  await points.refresh('good')
  await points.refresh('bad')
  // What the stores have on paper is not what is held of them.
  points.places().forEach((place) => laptop.lists('bad', [], place.dir))
  return points
}

const collected = (): number => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  gc()
  return process.memoryUsage().heapUsed
}

describe('a host that has points without end in its stores', () => {
  it.each(Object.keys(FLOODS))(
    'fills its own room only, says what is left out, and hides no other: %s',
    async (what) => {
      await tally.tried(async () => {
        const view = (await flooded(what)).all.value
        const told = (view?.points ?? []).filter(({ places }) => places.some(({ host }) => host === 'bad'))
        expect(told.length).toBeGreaterThan(0)
        expect(Buffer.byteLength(JSON.stringify(told))).toBeLessThan(1.2 * MOST_OF_HOST)
        expect(view?.points.filter(({ places }) => places.some(({ host }) => host === 'good'))).toHaveLength(2)
        const said = view?.broken.filter(({ where }) => where.startsWith('bad')).map(({ reason }) => reason)
        expect(said?.join()).toMatch(/\d+ older ones? (is|are) not shown here/)
        expect(view?.broken.filter(({ where }) => where === 'good')).toEqual([])
      })
    }
  )

  it('shows the newest of each VM before the many of another', async () => {
    await tally.tried(async () => {
      const points = (await flooded('the newest of one VM only')).all.value?.points ?? []
      expect(points.filter(({ vm }) => vm.name === 'only')).toHaveLength(4)
    })
  })

  it('has hardly more memory with four stores than with one', async () => {
    await tally.tried(async () => {
      const before = collected()
      const one = await flooded('the smallest there are', 1)
      const ofOne = collected() - before
      const four = await flooded('the smallest there are', 4)
      const ofFour = collected() - before - ofOne
      expect([one, four].every(({ all }) => (all.value?.points.length ?? 0) > 1000)).toBe(true)
      expect(ofOne).toBeLessThan(6 * MOST_OF_HOST)
      expect(ofFour).toBeLessThan(1.5 * ofOne)
    })
  })

  it('costs what is new in a store, not what all of them have, and twice as much for twice as many', async () => {
    await tally.tried(async () => {
      const held = await Promise.all(
        ['/a', '/b', '/c', '/d'].map((dir, n) =>
          heldOf(onBad(dir), { points: many(4000, {}, n * 4000), broken: [], marks: {} })
        )
      )
      const joined = new JoinedPoints()
      const all = cpuMsOf(() => held.forEach(({ place, points }) => joined.put(place.dir, points)))
      const [first] = held
      const again = await heldOf(onBad('/a'), { points: many(4001), broken: [], marks: {} })
      expect(again.points).toHaveLength((first?.points.length ?? 0) + 1)
      const kept = joined.of(idOf(5))
      expect(cpuMsOf(() => joined.put('/a', again.points))).toBeLessThan(all)
      expect(joined.of(idOf(5))).toBe(kept)
      expect(joined.of(idOf(4000)).map(({ places }) => places.map(({ dir }) => dir))).toEqual([['/b', '/a']])
      expect(joined.all()).toHaveLength(16_000)
      const growth = growthOf((count) => {
        const fresh = new JoinedPoints()
        const some = held.map(({ place, points }) => ({ place, points: points.slice(0, count) }))
        return () => some.forEach(({ place, points }) => fresh.put(place.dir, points))
      }, 2000)
      expect(growth).toBeLessThan(3.5)
    })
  })

  it('holds nobody up while it is heard and told', async () => {
    await tally.tried(async () => {
      const tries = Array.from({ length: 5 }, () => floodOf('the smallest there are', 1).points)
      const piece = await longestPieceMs(() => {
        const points = tries.pop() ?? expect.fail('no more tries')
        points.all.listen(() => undefined)
        return () => points.refresh('bad')
      })
      expect(piece).toBeLessThan(50)
    })
  })
})
