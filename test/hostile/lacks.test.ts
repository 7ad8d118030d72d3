import { rmSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { LivePoints } from '../../src/main/core/live/live-points.ts'
import type { Place } from '../../src/main/core/settings/settings-schema.ts'
import { overallOf, safetyOf } from '../../src/shared/safety.ts'
import { DEFAULT_CHOICES } from '../../src/shared/views/settings-view.ts'
import type { Manifest } from '../../src/shared/model/point.ts'
import { hostView, NOW, PaperLaptop, pointAt, vmView } from '../unit/live/paper-laptop.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('what another host lacks')
const laptops: PaperLaptop[] = []
afterEach(() => laptops.splice(0).forEach(({ folder }) => rmSync(folder, { recursive: true })))

const onBad = (dir: string): Place => ({ kind: 'host', host: 'bad', dir })
const good = hostView('good', { vms: [vmView()] })

/** A Stillpoint with a host that has the VM and these points of it, and one that means ill. */
function laptopWith(points: readonly Manifest[]): PaperLaptop {
  const laptop = new PaperLaptop(['bad', 'good'])
  laptops.push(laptop)
  laptop.lists('good', points)
  laptop.lists('bad', [])
  return laptop
}

async function looked(laptop: PaperLaptop): Promise<LivePoints> {
  const points = new LivePoints(laptop.core)
  await Promise.all(['bad', 'good'].map((host) => points.refresh(host)))
  await laptop.history.ready()
  return points
}

/** How the VM is, of which something is wrong, and the whole of it. */
function seenIn({ all }: LivePoints, hosts = [good, hostView('bad')]) {
  const vms = safetyOf({ hosts, points: all.value, jobs: [], choices: DEFAULT_CHOICES }, NOW)
  const [{ safety, silentSince } = expect.fail('no VM')] = vms
  return { safety, isSilent: silentSince !== undefined, overall: overallOf(hosts, vms) }
}

const NONE = { safety: 'none', isSilent: false, overall: 'danger' }
const OLD = { safety: 'old', isSilent: true, overall: 'attention' }
const WRONG = [
  ['has no point', [], NONE],
  ['has an old one', [pointAt(100)], OLD]
] as const

describe.each(WRONG)('a VM that %s is not hidden', (_, itsPoints, wrong) => {
  it('by a host that names a store which nobody has looked at', async () => {
    await tally.tried(async () => {
      const laptop = laptopWith(itsPoints)
      const points = await looked(laptop)
      expect(seenIn(points)).toEqual(wrong)
      laptop.learns(onBad('/srv/new'))
      await points.refresh('good')
      expect(points.all.value?.known).toBe(false)
      expect(seenIn(points)).toEqual(wrong)
    })
  })

  it('by a host that names stores, and then says nothing when it is asked', async () => {
    await tally.tried(async () => {
      const laptop = laptopWith(itsPoints)
      const points = await looked(laptop)
      laptop.hangs('bad')
      for (const n of [1, 2, 3]) {
        laptop.learns(onBad(`/srv/${n}`))
        void points.follow()
        await points.refresh('good')
        expect(seenIn(points)).toEqual(wrong)
      }
    })
  })

  it('by a host that says nothing from the beginning', async () => {
    await tally.tried(async () => {
      const laptop = laptopWith(itsPoints)
      laptop.hangs('bad')
      const points = new LivePoints(laptop.core)
      void points.refresh('bad')
      await points.refresh('good')
      await laptop.history.ready()
      await setImmediate()
      expect(seenIn(points)).toEqual(wrong)
    })
  })

  it('by a host that says nothing after a sleep', async () => {
    await tally.tried(async () => {
      const laptop = laptopWith(itsPoints)
      const points = await looked(laptop)
      laptop.hangs('bad')
      points.wake()
      expect(seenIn(points)).toMatchObject({ safety: 'unknown' })
      void points.refresh('bad')
      await points.refresh('good')
      expect(seenIn(points)).toEqual(wrong)
    })
  })

  it('while its own host has not been seen, by a host that says nothing', async () => {
    await tally.tried(async () => {
      const laptop = laptopWith([pointAt(100)])
      await looked(laptop)
      laptop.goes('good')
      laptop.hangs('bad')
      const points = new LivePoints(laptop.core)
      void points.refresh('bad')
      await points.refresh('good')
      await laptop.history.ready()
      await setImmediate()
      const away = hostView('good', { state: 'down', asOf: undefined })
      expect(seenIn(points, [away, hostView('bad')])).toMatchObject({ safety: 'old', isSilent: true })
    })
  })
})

describe('a host that lists points as those of another', () => {
  const disowned = ({ all }: LivePoints): boolean[] =>
    (all.value?.points ?? []).map(({ warnings }) => warnings.join().includes('which never told of it'))
  const ofGood = pointAt(5, { host: { name: 'good', machineId: '' } })

  it('cannot take back that they are not, by naming a store or saying nothing', async () => {
    await tally.tried(async () => {
      const laptop = laptopWith([])
      laptop.lists('bad', [ofGood])
      const points = await looked(laptop)
      expect(disowned(points)).toEqual([true])
      laptop.learns(onBad('/srv/new'))
      laptop.hangs('bad')
      void points.follow()
      points.wake()
      void points.refresh('bad')
      await points.refresh('good')
      expect(disowned(points)).toEqual([true])
    })
  })
})

describe('a store that a policy of a host has just named', () => {
  it('is looked at without waiting for its first run, once', async () => {
    await tally.tried(async () => {
      const laptop = laptopWith([pointAt(100)])
      const points = await looked(laptop)
      laptop.learns({ kind: 'host', host: 'good', dir: '/srv/new' })
      laptop.lists('good', [pointAt(1)], '/srv/new')
      await points.follow()
      expect(points.all.value?.known).toBe(true)
      expect(seenIn(points)).toMatchObject({ safety: 'good' })
      laptop.lists('good', [], '/srv/new')
      await points.follow()
      expect(seenIn(points)).toMatchObject({ safety: 'good' })
    })
  })

  it('is not asked of a host with which there was no contact yet', async () => {
    await tally.tried(async () => {
      const laptop = laptopWith([])
      const points = new LivePoints(laptop.core)
      laptop.hangs('good')
      laptop.learns({ kind: 'host', host: 'good', dir: '/srv/new' })
      await points.follow()
      expect(points.all.value?.known).toBe(false)
    })
  })
})
