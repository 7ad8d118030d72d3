import { afterEach, describe, expect, it } from 'vitest'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { untoldWords } from '../../../src/shared/safety-words.ts'
import type { Place } from '../../../src/main/core/settings/settings-schema.ts'
import { makePoint, FILES, VM } from '../store-points.ts'
import { hostView, hoursAgo, idAt, jobAt, PaperLaptop, pointAt, vmView } from './paper-laptop.ts'

const laptops: PaperLaptop[] = []
afterEach(() => laptops.splice(0).forEach(({ folder }) => rmSync(folder, { recursive: true })))

function laptop(hosts: readonly string[], places: readonly Place[] = []): PaperLaptop {
  const made = new PaperLaptop(hosts, places)
  laptops.push(made)
  return made
}

const alpha = hostView('alpha', { vms: [vmView()] })
const beta = hostView('beta')
const both = [alpha, beta]
const SHARED = '/srv/shared'
const sharedOn = (host: string): Place => ({ kind: 'host', host, dir: SHARED })
const copied = { vm: 'web <1>', uuid: VM, sizeBytes: 1, ms: 1, at: hoursAgo(1) }

describe('points of a VM, which its host has told of', () => {
  it('count where they are: on the host, and copies of them elsewhere, for a laptop that is new', async () => {
    const on = laptop(['alpha', 'beta'])
    on.lists('alpha', [pointAt(30), pointAt(5)])
    on.lists('beta', [pointAt(30), pointAt(5)])
    const { vms, points } = await on.sees(both)
    expect(vms).toMatchObject([{ host: 'alpha', safety: 'good', pointCount: 2, untold: [] }])
    expect(points?.points.flatMap(({ warnings }) => warnings)).toEqual([])
  })

  it('count in a store that it shares with the host that the VM came from', async () => {
    const on = laptop(['alpha', 'beta'], [sharedOn('alpha'), sharedOn('beta')])
    on.lists('alpha', [])
    on.lists('beta', [])
    for (const host of ['alpha', 'beta'])
      on.lists(host, [pointAt(5, { host: { name: 'beta', machineId: '' } })], SHARED)
    expect((await on.sees(both)).vms).toMatchObject([{ host: 'alpha', safety: 'good', pointCount: 1 }])
  })

  it('count when its own store is lost: the history knows what it has told of', async () => {
    const on = laptop(['alpha', 'beta'])
    await on.history.addJobs([jobAt(5, 'alpha'), jobAt(30, 'alpha')])
    on.lists('alpha', [])
    on.lists('beta', [pointAt(30), pointAt(5)])
    const { vms, points } = await on.sees(both)
    expect(vms).toMatchObject([{ safety: 'good', pointCount: 2, untold: [] }])
    expect(points?.points.flatMap(({ warnings }) => warnings)).toEqual([])
  })

  it('count when they were copied from it by this Stillpoint, or from a directory of this computer', async () => {
    for (const from of ['alpha', `alpha:${SHARED}`, '/mnt/usb']) {
      const on = laptop(['alpha', 'beta'])
      await on.history.addCopy({ ...copied, point: idAt(5), from, to: 'beta' })
      on.lists('alpha', [])
      on.lists('beta', [pointAt(5)])
      expect((await on.sees(both)).vms).toMatchObject([{ safety: 'good', untold: [] }])
    }
  })

  it('count where they were copied from it, by whatever clock it took them', async () => {
    const ahead = { takenAt: hoursAgo(-7) }
    const on = laptop(['alpha', 'beta'])
    await on.history.addCopy({ ...copied, ...ahead, point: idAt(5), from: 'alpha', to: 'beta' })
    on.lists('alpha', [])
    on.lists('beta', [pointAt(5, ahead)])
    expect((await on.sees(both)).vms).toMatchObject([{ pointCount: 1, untold: [] }])
    const another = laptop(['alpha', 'beta'])
    await another.history.addCopy({ ...copied, takenAt: hoursAgo(5), point: idAt(5), from: 'alpha', to: 'beta' })
    another.lists('alpha', [])
    another.lists('beta', [pointAt(5, { takenAt: hoursAgo(4) })])
    expect((await another.sees(both)).vms).toMatchObject([{ pointCount: 0, untold: [{ host: 'beta', count: 1 }] }])
  })

  it('count where an earlier Stillpoint copied them, which did not note when they were taken: clocks differ', async () => {
    for (const [hours, count] of [
      [0.5, 1],
      [-1, 0]
    ] as const) {
      const on = laptop(['alpha', 'beta'])
      await on.history.addCopy({ ...copied, point: idAt(5), from: 'alpha', to: 'beta' })
      on.lists('alpha', [])
      on.lists('beta', [pointAt(5, { takenAt: hoursAgo(hours) })])
      expect((await on.sees(both)).vms).toMatchObject([{ pointCount: count }])
    }
  })

  it('count in a directory of this computer, unless they came there from another host', async () => {
    const dir = join(laptop([]).folder, 'points')
    await makePoint(dir, FILES, pointAt(5))
    const on = laptop(['alpha', 'beta'], [{ kind: 'local', dir }])
    on.lists('alpha', [])
    on.lists('beta', [])
    expect((await on.sees(both)).vms).toMatchObject([{ safety: 'good' }])
    await on.history.addCopy({ ...copied, point: idAt(5), from: 'beta', to: dir })
    const { vms } = await on.sees(both)
    expect(vms.map(untoldWords)).toEqual([
      'This computer has 1 point of it that alpha never told of: it can be restored, but does not count.'
    ])
  })

  it('count for a host that is here by another name than it was, and for both names of one host', async () => {
    const on = laptop(['alpha', 'also-alpha', 'beta'])
    await on.history.addJobs([jobAt(5, 'once-alpha')])
    on.lists('alpha', [pointAt(5)])
    on.lists('also-alpha', [pointAt(5)])
    on.lists('beta', [pointAt(30)])
    const hosts = [...both, hostView('also-alpha', { vms: [vmView()] })]
    const heard = [jobAt(5, 'alpha'), jobAt(30, 'alpha'), jobAt(30, 'also-alpha')]
    expect((await on.sees(hosts, heard)).vms).toMatchObject([
      { host: 'alpha', safety: 'good', pointCount: 2 },
      { host: 'also-alpha', safety: 'good', pointCount: 2 }
    ])
  })

  it('count of a host that is away, by what it last had and told', async () => {
    const on = laptop(['alpha', 'beta'])
    on.lists('alpha', [pointAt(5)])
    on.lists('beta', [])
    await on.sees(both)
    const away = laptop(['alpha', 'beta'])
    await away.history.addJobs([jobAt(5, 'alpha')])
    away.lists('beta', [pointAt(5)])
    const unseen = hostView('alpha', { state: 'down', asOf: undefined })
    expect((await away.sees([unseen, beta])).vms).toMatchObject([{ host: 'alpha', vm: undefined, safety: 'good' }])
  })
})

describe('points of a VM, of which its host never told', () => {
  it('do not count, are named where they are, and that is said', async () => {
    const on = laptop(['alpha', 'beta'])
    on.lists('alpha', [])
    on.lists('beta', [pointAt(5), pointAt(30)])
    const { vms, points } = await on.sees(both)
    expect(vms).toMatchObject([{ safety: 'none', lastPoint: undefined, pointCount: 0 }])
    expect(vms.map(untoldWords)).toEqual([
      'Host beta has 2 points of it that alpha never told of: they can be restored, but do not count.'
    ])
    expect(points?.points.map(({ warnings }) => warnings)).toEqual(
      [1, 2].map(() => [
        'It says that it was taken on alpha, which never told of it: it does not count as protection of a VM there'
      ])
    )
  })

  it('are those of the host that it came from, until its own has backed it up', async () => {
    const on = laptop(['alpha', 'beta'])
    await on.history.addJobs([jobAt(5, 'beta')])
    const fromBeta = pointAt(5, { host: { name: 'beta', machineId: '' } })
    on.lists('alpha', [])
    on.lists('beta', [fromBeta])
    expect((await on.sees(both)).vms).toMatchObject([{ safety: 'none', untold: [{ host: 'beta', count: 1 }] }])
    on.lists('alpha', [pointAt(1)])
    expect((await on.sees(both)).vms).toMatchObject([{ safety: 'good', untold: [] }])
  })

  it('are all that is left of a VM that no host has', async () => {
    const on = laptop(['alpha', 'beta'])
    on.lists('alpha', [])
    on.lists('beta', [pointAt(5)])
    expect((await on.sees([hostView('alpha'), beta])).vms).toMatchObject([
      { safety: 'gone', pointCount: 1, lastPoint: { id: idAt(5) } }
    ])
  })
})

describe('a restore on another host', () => {
  const begun = {
    host: 'beta',
    job: idAt(2),
    at: hoursAgo(2),
    point: idAt(5),
    vm: { uuid: VM, name: 'web' },
    takenAt: hoursAgo(5),
    places: ['alpha']
  }
  const restored = jobAt(2, 'beta', { kind: 'restore', mode: 'boot', point: idAt(5), runningMs: 900 })

  it('proves its VM where this Stillpoint has begun it, also after a restart, and names where it ran', async () => {
    const on = laptop(['alpha', 'beta'])
    on.lists('alpha', [pointAt(5)])
    on.lists('beta', [])
    expect((await on.sees(both, [restored])).vms).toMatchObject([{ lastProven: undefined }])
    await on.history.addBegun(begun)
    for (const heard of [[restored], []])
      expect((await on.sees(both, heard)).vms).toMatchObject([
        { lastProven: { at: hoursAgo(2), host: 'beta', runningMs: 900 } }
      ])
  })

  it.each([
    ['it failed', { state: 'failed-clean' }, {}],
    ['only its definition is there', { mode: 'define' }, {}],
    ['it is another job', { id: idAt(2, '00000b') }, {}],
    ['its point is one that only that host has told of', {}, { places: ['beta'] }],
    ['it was the point of another VM', {}, { vm: { uuid: `${VM.slice(0, -1)}0`, name: 'web' } }]
  ] as const)('proves nothing where %s', async (_, report, line) => {
    const on = laptop(['alpha', 'beta'])
    on.lists('alpha', [])
    on.lists('beta', [])
    await on.history.addBegun({ ...begun, ...line, places: [...('places' in line ? line.places : begun.places)] })
    expect((await on.sees(both, [{ ...restored, ...report }])).vms).toMatchObject([{ lastProven: undefined }])
  })
})
