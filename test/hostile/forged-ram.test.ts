import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { requirePoint, restore } from '../../src/main/core/live/errands.ts'
import { askStore, findPoint } from '../../src/main/core/points/list-points.ts'
import { memoryOf } from '../../src/main/core/points/point-places.ts'
import { startRestore } from '../../src/main/core/points/points.ts'
import { History } from '../../src/main/core/settings/history.ts'
import type { CopyRecord } from '../../src/main/core/settings/history-lines.ts'
import { DEFAULT_STORE } from '../../src/shared/host-paths.ts'
import type { Manifest } from '../../src/shared/model/point.ts'
import { AskedHosts, manifest } from '../unit/live/asked-hosts.ts'
import { FILES, makePoint, manifestOf, POINT, temporaryStore, VM } from '../unit/store-points.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('RAM of a point that its own host has not')

const host = { name: 'good', machineId: '' }
const RAM = { file: 'memory.save', ramBytes: 1 }
/** As a host lists it, that has RAM beside its disks. */
const withRam = (bytes: number): Manifest =>
  manifest({
    host,
    memory: RAM,
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
/** As if they had said so when they were added. */
function identify({ core }: AskedHosts, machines: Readonly<Record<string, string>>): void {
  core.settings.update((before) => ({
    ...before,
    hosts: before.hosts.map((each) => {
      const machineId = machines[each.name]
      return machineId === undefined ? each : { ...each, machineId }
    })
  }))
}
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

describe('RAM that another host has sent to this computer, or to the own host of its point', () => {
  const dirs = { usb: '/mnt/usb', shelf: '/mnt/shelf' } as const
  const copied = (from: string, to: string): CopyRecord => ({
    point: POINT,
    vm: 'web <1>',
    uuid: VM,
    takenAt: FORGED.takenAt,
    from,
    to,
    at: '2026-11-23T00:00:00.000Z',
    sizeBytes: 1,
    ms: 1
  })
  /** With a directory of this computer that has it, and what is written down of how it came there. */
  const withDirectory = async (
    order: readonly string[],
    stores: Readonly<Record<string, Manifest>>,
    copies: (dir: string) => readonly CopyRecord[]
  ): Promise<{ readonly hosts: AskedHosts; readonly dir: string }> => {
    const dir = await temporaryStore()
    const { manifest: kept } = await makePoint(
      dir,
      { ...FILES, 'memory.save': new Uint8Array(9) },
      { host, memory: RAM }
    )
    expect(kept).toEqual(FORGED)
    const hosts = hostsIn(order, stores)
    hosts.core.settings.update((before) => ({ ...before, places: [{ kind: 'local', dir }] }))
    for (const copy of copies(dir)) await hosts.core.history.addCopy(copy)
    return { hosts, dir }
  }
  const cases: readonly (readonly [string, (dir: string) => readonly CopyRecord[]])[] = [
    ['at once', (dir) => [copied('evil', dir)]],
    ['by another directory', (dir) => [copied('evil:/srv/points', dirs.usb), copied(dirs.usb, dir)]],
    ['in the place of a copy of its own', (dir) => [copied('good', dir), copied('evil', dir)]],
    [
      'by two that have it from one another',
      (dir) => [
        copied('evil', dirs.usb),
        copied(dirs.usb, dirs.shelf),
        copied(dirs.shelf, dirs.usb),
        copied(dirs.shelf, dir)
      ]
    ],
    ['by its own host', (dir) => [copied('evil', 'good'), copied('good', dir)]]
  ]
  const each = cases.flatMap(([how, copies]) => orders.map((order) => [how, copies, order] as const))

  it.each(each)('is not what is restored from there, unless that is named: %s', async (_how, copies, order) => {
    await tally.tried(async () => {
      const { hosts, dir } = await withDirectory(order, { evil: FORGED, beta: withoutRam }, copies)
      const live = await hosts.live()
      for (const found of [await requirePoint(live, POINT), await findPoint(hosts.core, POINT)]) {
        expect(found.manifest).toEqual(withoutRam)
        expect(found.otherwise?.places).toHaveLength(2)
      }
      expect(live.points.all.value?.points).toMatchObject([{ hasMemory: false }])
      expect((await requirePoint(live, `${dir}/${POINT}`)).manifest).toEqual(FORGED)
      expect((await findPoint(hosts.core, `${dir}/${POINT}`)).manifest).toEqual(FORGED)
    })
  })

  it.each(each)('makes nobody delete a copy for it: %s', async (_how, copies, order) => {
    await tally.tried(async () => {
      const { hosts, dir } = await withDirectory(order, { beta: withoutRam }, copies)
      const point = await findPoint(hosts.core, `${dir}/${POINT}`)
      const asked = { point, to: 'beta', mode: 'resume', replace: false, diskDir: undefined } as const
      const refusal = await startRestore(hosts.core, asked, { onProgress: () => undefined }).then(String, String)
      expect(refusal).toContain('beta has point')
      expect(refusal).not.toContain('delete')
    })
  })

  it.each(orders)('is not that of its own host for having come there: asked first is %s', async (...order) => {
    await tally.tried(async () => {
      for (const where of ['good', 'good:/srv/points']) {
        const hosts = hostsIn(order, { good: FORGED, beta: withoutRam })
        await hosts.core.history.addCopy(copied('evil', where))
        const expected = where === 'good' ? withoutRam : FORGED
        expect((await requirePoint(await hosts.live(), POINT)).manifest).toEqual(expected)
        expect((await findPoint(hosts.core, POINT)).manifest).toEqual(expected)
      }
    })
  })

  it.each<readonly [string, (dir: string) => readonly CopyRecord[]]>([
    ['its own host', (dir) => [copied('good', dir)]],
    ['its own host, another store of it', (dir) => [copied('good:/srv/points', dir)]],
    ['its own host, which was sent it back', (dir) => [copied('good', dir), copied(dir, 'good')]],
    ['its own host, in the place of a copy of another', (dir) => [copied('evil', dir), copied('good', dir)]],
    ['another, and is what its own had listed', (dir) => [{ ...copied('evil', dir), hasOwnRam: true }]],
    ['nobody that is known here', () => []]
  ])('is that of the point where it came from %s', async (_who, copies) => {
    const { hosts } = await withDirectory(['beta', 'evil'], { beta: withoutRam }, copies)
    expect((await requirePoint(await hosts.live(), POINT)).manifest).toEqual(FORGED)
    expect((await findPoint(hosts.core, POINT)).manifest).toEqual(FORGED)
  })

  it.each(orders)('is known for that of a host that does not answer now: asked first is %s', async (...order) => {
    await tally.tried(async () => {
      const hosts = hostsIn(order, { good: FORGED, beta: withoutRam })
      await askStore(hosts.core, { kind: 'host', host: 'good', dir: DEFAULT_STORE })
      await hosts.core.history.addCopy(copied('evil', 'good'))
      const { connections } = hosts.core as unknown as { connections: { engine: (host: string) => Promise<unknown> } }
      const ask = connections.engine
      connections.engine = (host) => (host === 'good' ? Promise.reject(new Error('no route')) : ask(host))
      expect((await findPoint(hosts.core, POINT)).manifest).toEqual(withoutRam)
      expect((await requirePoint(await hosts.live(), POINT)).manifest).toEqual(withoutRam)
    })
  })

  it('is known for that where it came after an earlier copy that is only learnt now', async () => {
    await tally.tried(async () => {
      const late = { at: '2026-11-24T00:00:00.000Z' }
      const { hosts } = await withDirectory(['beta'], { beta: withoutRam }, (dir) => [
        { ...copied('evil', dir), ...late },
        copied('good', dir)
      ])
      expect((await findPoint(hosts.core, POINT)).manifest).toEqual(withoutRam)
    })
  })

  it('is known for that as soon as it has come', async () => {
    const { hosts, dir } = await withDirectory(['beta'], { beta: withoutRam }, () => [])
    const live = await hosts.live()
    expect((await requirePoint(live, POINT)).manifest).toEqual(FORGED)
    await hosts.core.history.addCopy(copied('evil', dir))
    await live.points.refresh(undefined)
    expect((await requirePoint(live, POINT)).manifest).toEqual(withoutRam)
  })

  it('is known for that where another Stillpoint has sent it, whichever host is asked next', async () => {
    const { hosts, dir } = await withDirectory(['beta'], { beta: withoutRam }, () => [])
    const live = await hosts.live()
    await new History(join(hosts.core.folder, 'history.jsonl')).addCopy(copied('evil', dir))
    await live.points.refresh('beta')
    expect((await requirePoint(live, POINT)).manifest).toEqual(withoutRam)
  })

  const [machine, other] = ['a'.repeat(32), 'b'.repeat(32)]
  /** As another Stillpoint has taken it, which calls `good` otherwise. */
  const elsewhere = { name: 'kvm-1', machineId: machine }

  describe('that is called otherwise here', () => {
    const [kept, pruned] = [TRUE, withoutRam].map((each) => ({ ...each, host: elsewhere }))
    /** With a copy on this computer that came from there. */
    const named = async (from: string, takenOn = elsewhere): Promise<AskedHosts> => {
      const dir = await temporaryStore()
      await makePoint(dir, { ...FILES, 'memory.save': new Uint8Array(17) }, { host: takenOn, memory: RAM })
      const hosts = new AskedHosts({ good: [], 'kvm-1': [], evil: [], beta: [{ ...withoutRam, host: takenOn }] })
      identify(hosts, { good: machine, 'kvm-1': other })
      hosts.core.settings.update((before) => ({ ...before, places: [{ kind: 'local', dir }] }))
      await hosts.core.history.addCopy(copied(from, dir))
      return hosts
    }

    it('is gone on from where it came to this computer from its own host', async () => {
      const hosts = await named('good')
      expect((await requirePoint(await hosts.live(), POINT)).manifest).toEqual(kept)
      expect((await findPoint(hosts.core, POINT)).manifest).toEqual(kept)
    })

    it('is gone on from where it came here before its host was taken out and added under another name', async () => {
      const hosts = await named('kvm-1')
      hosts.core.settings.update((before) => ({
        ...before,
        hosts: before.hosts.filter(({ name }) => name !== 'kvm-1')
      }))
      expect((await findPoint(hosts.core, POINT)).manifest).toEqual(kept)
    })

    it('is told so from the moment when its host bears that name here', async () => {
      const hosts = await named('good')
      const live = await hosts.live()
      expect((await requirePoint(live, POINT)).manifest).toEqual(kept)
      identify(hosts, { good: other, 'kvm-1': other })
      await live.points.follow()
      expect((await requirePoint(live, POINT)).manifest).toEqual(pruned)
    })

    it.each(['evil', 'kvm-1'])('is not where it came from another, whatever that is called: %s', async (from) => {
      await tally.tried(async () => {
        const hosts = await named(from)
        expect((await requirePoint(await hosts.live(), POINT)).manifest).toEqual(pruned)
        const { manifest, otherwise } = await findPoint(hosts.core, POINT)
        expect([manifest, otherwise?.manifest]).toEqual([pruned, kept])
      })
    })

    it('is not where it came from a host that only says to be that machine', async () => {
      await tally.tried(async () => {
        for (const ids of [{ good: machine, evil: machine }, { evil: machine }]) {
          const hosts = await named('evil', { name: 'good', machineId: machine })
          identify(hosts, ids)
          const { manifest, otherwise } = await findPoint(hosts.core, POINT)
          expect([manifest.memory, otherwise?.manifest.memory]).toEqual([undefined, RAM])
        }
      })
    })
  })
})
