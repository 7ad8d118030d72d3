import { describe, expect, it } from 'vitest'
import { requirePoint, restore } from '../../src/main/core/live/errands.ts'
import { findPoint } from '../../src/main/core/points/list-points.ts'
import { memoryOf } from '../../src/main/core/points/point-places.ts'
import { startRestore } from '../../src/main/core/points/points.ts'
import type { Manifest } from '../../src/shared/model/point.ts'
import { AskedHosts, manifest } from '../unit/live/asked-hosts.ts'
import { FILES, manifestOf, POINT } from '../unit/store-points.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('RAM of a point that its own host has not')

const host = { name: 'good', machineId: '' }
/** As a host lists it, that has RAM beside its disks. */
const withRam = (bytes: number): Manifest =>
  manifest({
    host,
    memory: { file: 'memory.save', ramBytes: 1 },
    files: manifestOf({ ...FILES, 'memory.save': new Uint8Array(bytes) }).files
  })
const { 'memory.save': _, ...disks } = FILES
/** What the rules have left of it. */
const withoutRam = manifest({ host, files: manifestOf(disks).files })
const FORGED = withRam(9)
const TRUE = withRam(17)

/** Whose store is looked at first is the hosts' choice of names, or of who answers first. */
const orders: readonly (readonly string[])[] = [
  ['evil', 'beta', 'good', 'third'],
  ['good', 'third', 'beta', 'evil'],
  ['third', 'beta', 'evil', 'good']
]
const hostsIn = (order: readonly string[], stores: Readonly<Record<string, Manifest>>): AskedHosts =>
  new AskedHosts(Object.fromEntries(order.map((name) => [name, [stores[name] ?? []].flat()])))
const places = (of: { readonly places: readonly object[] }): string[] =>
  of.places.flatMap((place) => ('host' in place ? String(place.host) : []))

describe('RAM that a host says to have of a point whose own host has none', () => {
  it.each(orders)('is not what is restored, unless that host is named: asked first is %s', async (...order) => {
    await tally.tried(async () => {
      const hosts = hostsIn(order, { evil: FORGED, good: withoutRam })
      const live = await hosts.live()
      const [point, ...more] = live.points.all.value?.points ?? []
      expect(more).toEqual([])
      expect(point).toMatchObject({ hasMemory: false })
      expect(point?.places.map(({ label, hasMemory }) => [label, hasMemory]).sort()).toEqual([
        ['evil', true],
        ['good', false]
      ])
      expect((await requirePoint(live, POINT)).manifest).toEqual(withoutRam)
      expect((await findPoint(hosts.core, POINT)).manifest).toEqual(withoutRam)
    })
  })

  it.each(orders)('is to be had under the name of that host: asked first is %s', async (...order) => {
    await tally.tried(async () => {
      const hosts = hostsIn(order, { evil: FORGED, good: withoutRam })
      const live = await hosts.live()
      expect((await requirePoint(live, `evil/${POINT}`)).manifest).toEqual(FORGED)
      expect((await requirePoint(live, `good/${POINT}`)).manifest).toEqual(withoutRam)
      expect((await findPoint(hosts.core, `evil/${POINT}`)).manifest).toEqual(FORGED)
      expect((await findPoint(hosts.core, `good/${POINT}`)).manifest).toEqual(withoutRam)
    })
  })

  it.each(orders)('is not that of a copy elsewhere, where its own host has other RAM: %s', async (...order) => {
    await tally.tried(async () => {
      const hosts = hostsIn(order, { evil: FORGED, good: TRUE, beta: withoutRam })
      const live = await hosts.live()
      const points = live.points.all.value?.points ?? []
      expect(
        points
          .map(places)
          .map((each) => each.sort())
          .sort()
      ).toEqual([['beta', 'good'], ['evil']])
      expect(memoryOf((await requirePoint(live, `good/${POINT}`)).manifest)).toBe(memoryOf(TRUE))
      expect((await requirePoint(live, `beta/${POINT}`)).manifest).toEqual(withoutRam)
    })
  })

  it.each(orders)('comes behind a copy without, where its own host has gone: asked first is %s', async (...order) => {
    await tally.tried(async () => {
      const hosts = hostsIn(order, { evil: FORGED, beta: withoutRam })
      const live = await hosts.live()
      expect((await requirePoint(live, POINT)).manifest).toEqual(withoutRam)
      expect((await requirePoint(live, `evil/${POINT}`)).manifest).toEqual(FORGED)
    })
  })

  it.each(orders)('is known to be there, so that none comes in its stead: asked first is %s', async (...order) => {
    await tally.tried(async () => {
      const hosts = hostsIn(order, { evil: withoutRam, beta: TRUE })
      const point = await requirePoint(await hosts.live(), POINT)
      expect(point).toMatchObject({ manifest: withoutRam, otherwise: { manifest: TRUE, places: [{ host: 'beta' }] } })
    })
  })

  it.each(orders)('makes nobody delete the true copy, in window and terminal: asked first is %s', async (...order) => {
    await tally.tried(async () => {
      const hosts = hostsIn(order, { evil: FORGED, good: withoutRam })
      const live = await hosts.live()
      const asked = { to: 'good', mode: 'resume', replace: true } as const
      const found = await findPoint(hosts.core, `evil/${POINT}`)
      const tried = [
        restore(live, { ...asked, point: `evil/${POINT}` }),
        ...([undefined, 'resume'] as const).map((mode) =>
          startRestore(
            hosts.core,
            { ...asked, mode, point: found, diskDir: undefined },
            { onProgress: () => undefined }
          )
        )
      ]
      for (const each of tried) {
        const refusal = await each.then(String, String)
        expect(refusal).toContain('good has point')
        expect(refusal).not.toContain('delete')
      }
      expect(hosts.did()).not.toContain('good submit')
    })
  })
})
