import { describe, expect, it } from 'vitest'
import { copy, mark, remove, requirePoint, restore, verify } from '../../src/main/core/live/errands.ts'
import type { LiveCore } from '../../src/main/core/live/live-core.ts'
import { findPoint } from '../../src/main/core/points/list-points.ts'
import { preflight } from '../../src/main/core/points/points.ts'
import { orderFor } from '../../src/main/core/points/restore-order.ts'
import { chosenOf, draftFor, questionOf } from '../../src/renderer/features/restore/restore-view.ts'
import { StillpointError, type Failure } from '../../src/shared/failure.ts'
import { describeFailure } from '../../src/shared/failure-words.ts'
import type { Manifest } from '../../src/shared/model/point.ts'
import { pointCalled, pointName, PointName } from '../../src/shared/point-name.ts'
import type { HostView } from '../../src/shared/views/host-view.ts'
import type { PointView } from '../../src/shared/views/point-view.ts'
import { AskedHosts, endOf, manifest } from '../unit/live/asked-hosts.ts'
import { FILES, manifestOf, OTHER_VM, POINT, VM } from '../unit/store-points.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('points of one id on two hosts')

const OF_GOOD = `good/${POINT}`
const OF_EVIL = `evil/${POINT}`

/** What a host may say that good's point is. */
const FORGED: Readonly<Record<string, Partial<Manifest>>> = {
  'a name with a blank more': { vm: { uuid: VM, name: 'web <1> ' } },
  'another VM': { vm: { uuid: OTHER_VM, name: 'victim' } },
  'other bytes of its disk': { files: manifestOf({ ...FILES, 'disks/vda.qcow2': new Uint8Array(9) }).files },
  'another time': { takenAt: '2036-11-23T20:17:44.123Z' },
  'taken on the very host': { host: { name: 'good', machineId: '' } },
  'one warning more': { warnings: ['x'] }
}
const forged = Object.keys(FORGED)
/** Which of the two comes first in lists is the hosts' choice of names: here `evil` does, and there `zvil`. */
const hostsWith = (what: string): AskedHosts =>
  new AskedHosts({ beta: [], evil: [manifest(FORGED[what])], good: [manifest()] })

const up = ['beta', 'evil', 'good'].map((name): HostView => ({
  name,
  address: name,
  addedAt: '2026-01-01T00:00:00.000Z',
  state: 'up',
  vms: []
}))
const pointsOf = ({ points }: LiveCore): readonly PointView[] => points.all.value?.points ?? []

const failureOf = async (doing: Promise<unknown>): Promise<Failure | undefined> =>
  doing.then(
    () => undefined,
    (error: unknown) => (error instanceof StillpointError ? error.failure : undefined)
  )

const ambiguous = { kind: 'ambiguous', what: 'point' }
const TO = (to: string, point: string) => ({ point, to, mode: 'boot', replace: true }) as const

describe('of two points of one id', () => {
  it.each(forged)('the one that is named is pinned, noted, verified and deleted, in its place: %s', async (what) => {
    await tally.tried(async () => {
      const hosts = hostsWith(what)
      const live = await hosts.live()
      await mark(live, OF_GOOD, { pinned: true })
      expect(hosts.did()).toEqual(['good mark'])
      await endOf(live, (await verify(live, OF_GOOD, 'good')).id)
      await remove(live, OF_GOOD, 'good')
      expect(hosts.did()).toEqual(['good mark', 'good verify', 'good delete'])
      await remove(live, OF_EVIL, 'evil')
      expect(hosts.did().at(-1)).toBe('evil delete')
    })
  })

  it.each(forged)('the place that is named is what counts where a window says the id alone: %s', async (what) => {
    await tally.tried(async () => {
      const hosts = hostsWith(what)
      const live = await hosts.live()
      await remove(live, POINT, 'good')
      await endOf(live, (await verify(live, POINT, 'good')).id)
      expect(hosts.did()).toEqual(['good delete', 'good verify'])
      expect(await failureOf(remove(live, POINT, 'beta'))).toMatchObject({ kind: 'not-found', where: 'beta' })
    })
  })

  it.each(forged)('none is taken for the other where no place is said, and nothing is done: %s', async (what) => {
    await tally.tried(async () => {
      const hosts = hostsWith(what)
      const live = await hosts.live()
      const doing = [
        mark(live, POINT, { pinned: true }),
        restore(live, TO('good', POINT)),
        copy(live, POINT, 'beta'),
        findPoint(hosts.core, POINT),
        findPoint(hosts.core, POINT.slice(0, 12))
      ]
      const failures = await Promise.all(doing.map(failureOf))
      for (const failure of failures) {
        expect(failure).toMatchObject(ambiguous)
        const { explanation, nextStep } = describeFailure(failure ?? { kind: 'cancelled', what: '' })
        for (const name of [OF_GOOD, OF_EVIL]) expect(explanation).toContain(name)
        expect(nextStep).toContain('stillpoint host remove')
      }
      expect(hosts.did()).toEqual([])
    })
  })

  it.each(forged)('the one that is named is restored where it lies, and looked at before: %s', async (what) => {
    await tally.tried(async () => {
      const hosts = hostsWith(what)
      const live = await hosts.live()
      const point = await requirePoint(live, OF_GOOD)
      await preflight(hosts.core, orderFor(point, TO('good', OF_GOOD)))
      await restore(live, TO('good', OF_GOOD))
      expect(hosts.did()).toContain('good preflight')
      expect(hosts.did()).toContain('good submit')
      expect(hosts.did().filter((did) => did.startsWith('evil'))).toEqual([])
    })
  })

  it.each(forged)('the one that is named is what a third host gets, from its own place: %s', async (what) => {
    await tally.tried(async () => {
      const hosts = hostsWith(what)
      const live = await hosts.live()
      await endOf(live, (await copy(live, OF_GOOD, 'beta')).id)
      await endOf(live, (await restore(live, TO('beta', OF_GOOD))).id)
      expect(hosts.did()).toContain('beta import-state')
      expect(hosts.did().filter((did) => did.startsWith('evil'))).toEqual([])
    })
  })

  it.each(forged)('none comes to lie beside the other, and none is restored in its stead: %s', async (what) => {
    await tally.tried(async () => {
      const hosts = hostsWith(what)
      const live = await hosts.live()
      const job = await endOf(live, (await restore(live, TO('evil', OF_GOOD))).id)
      expect(job).toMatchObject({ state: 'failed-clean', failure: { kind: 'point-unsafe' } })
      expect(await endOf(live, (await copy(live, OF_GOOD, 'evil')).id)).toMatchObject({ state: 'failed-clean' })
      const found = await findPoint(hosts.core, OF_GOOD)
      expect(await failureOf(preflight(hosts.core, orderFor(found, TO('evil', OF_GOOD))))).toMatchObject({
        kind: 'point-unsafe',
        detail: expect.stringContaining('stillpoint host remove evil') as string
      })
      expect(hosts.did()).toEqual([])
    })
  })

  it.each(forged)('each is found in the terminal as PLACE/ID, or by --in: %s', async (what) => {
    await tally.tried(async () => {
      const { core } = hostsWith(what)
      const good = { kind: 'host', host: 'good', dir: '/var/lib/stillpoint/points' } as const
      for (const found of [await findPoint(core, OF_GOOD.slice(0, 20)), await findPoint(core, POINT, good)])
        expect(found.manifest).toEqual(manifest())
      expect((await findPoint(core, OF_EVIL)).manifest).toEqual(manifest(FORGED[what]))
      expect(await failureOf(findPoint(core, `beta/${POINT}`))).toMatchObject({ kind: 'not-found', where: 'beta' })
      expect(await failureOf(findPoint(core, `nowhere/${POINT}`))).toMatchObject({ kind: 'not-found', what: 'host' })
    })
  })

  it.each(forged)('a window has a name for each, with the place of the other: %s', async (what) => {
    await tally.tried(async () => {
      const live = await hostsWith(what).live()
      const points = live.points.all.value?.points ?? []
      expect(points.map(pointName).sort()).toEqual([OF_EVIL, OF_GOOD])
      expect(points.map((point) => pointCalled(points, pointName(point)) === point)).toEqual([true, true])
      expect(pointCalled(points, POINT, 'good')?.places.map(({ label }) => label)).toEqual(['good'])
      expect(points.map(({ rivals }) => rivals).sort()).toEqual([['evil'], ['good']])
      expect(points.every(({ warnings }) => warnings.join().includes('stillpoint host remove'))).toBe(true)
    })
  })
})

describe('a point that was chosen while there was no other of its id', () => {
  it.each(forged)('is not asked for as the other that a host lists since, but chosen anew: %s', async (what) => {
    await tally.tried(async () => {
      const stores: Record<string, Manifest[]> = { beta: [], evil: [], good: [manifest()] }
      const live = await new AskedHosts(stores).live()
      const chosen = pointsOf(live).map(pointName)
      expect(chosen).toEqual([POINT])
      stores['evil']?.push(manifest(FORGED[what]))
      await live.points.refresh('evil')
      const points = pointsOf(live)
      expect(points).toHaveLength(2)
      const draft = { ...draftFor(chosen[0]), to: 'beta' }
      expect(questionOf(chosenOf(draft, up, points))).toBeUndefined()
      expect(pointCalled(points, POINT)).toBeUndefined()
      expect(pointCalled(points, POINT, 'beta')).toBeUndefined()
      expect(pointCalled(points, POINT, 'good')?.places.map(({ label }) => label)).toEqual(['good'])
      expect(questionOf(chosenOf({ ...draft, point: OF_GOOD }, up, points))?.point).toBe(OF_GOOD)
    })
  })

  it.each(forged)('keeps the name that its own host gives it, whoever else has a copy of it: %s', async (what) => {
    await tally.tried(async () => {
      const ours = manifest({ host: { name: 'good', machineId: '' } })
      const stores: Record<string, Manifest[]> = { beta: [ours], evil: [], good: [ours], zvil: [] }
      const live = await new AskedHosts(stores).live()
      stores['zvil']?.push(manifest({ ...FORGED[what], warnings: ['forged'] }))
      await live.points.refresh('zvil')
      const name = pointsOf(live)
        .map(pointName)
        .find((each) => !each.startsWith('zvil'))
      expect(name).toBe(OF_GOOD)
      stores['beta']?.splice(0, 1, manifest({ ...FORGED[what], warnings: ['another'] }))
      await live.points.refresh('beta')
      expect(pointCalled(pointsOf(live), name ?? '')?.places.map(({ label }) => label)).toEqual(['good'])
      expect((await requirePoint(live, name ?? '')).manifest).toEqual(ours)
    })
  })
})

describe('names of points', () => {
  const NAMES = [
    '',
    '/',
    'x',
    POINT.toUpperCase(),
    `${POINT}/`,
    `${POINT}\n`,
    `good/${POINT}x`,
    `a/${'x'.repeat(5000)}/${POINT}`
  ]
  it.each(NAMES)('are refused if they name none: %j', async (name) => {
    await tally.tried(() => expect(PointName.safeParse(name).success).toBe(false))
  })
  it.each([POINT, OF_GOOD, `//${POINT}`, `/mnt/usb/${POINT}`, `good:/srv/a\nb/${POINT}`])('are read: %j', (name) => {
    expect(PointName.safeParse(name).success).toBe(true)
  })
})
