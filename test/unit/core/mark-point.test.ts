import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Core } from '../../../src/main/core/core.ts'
import { markPoint } from '../../../src/main/core/points/mark-point.ts'
import {
  joinPlaces,
  onlyOneOf,
  pointsIn,
  refuseRivalIn,
  type KnownPoint
} from '../../../src/main/core/points/point-places.ts'
import { StillpointError } from '../../../src/shared/failure.ts'
import type { Manifest } from '../../../src/shared/model/point.ts'
import { DEFAULT_STORE } from '../../../src/shared/host-paths.ts'
import { listPoints } from '../../../src/store/point-store.ts'
import { POINT, makePoint, manifestOf, FILES } from '../store-points.ts'

const silent = new StillpointError({ kind: 'host-unreachable', host: 'beta', reason: 'no route' })

/** Hosts whose engines note what they are asked; those that are silent fail. */
function coreWith(asked: unknown[], silentHosts: readonly string[]): Core {
  const engine = (host: string): Promise<unknown> =>
    silentHosts.includes(host)
      ? Promise.reject(silent)
      : Promise.resolve({
          call: (verb: string, question: unknown) => Promise.resolve(asked.push([host, verb, question]))
        })
  return { connections: { engine } } as unknown as Core
}

async function pointIn(places: KnownPoint['places'], dir: string): Promise<KnownPoint> {
  await makePoint(dir)
  return { manifest: manifestOf(FILES), places, marks: { pinned: false } }
}

describe('marking a point', () => {
  const dir = (): string => join(mkdtempSync(join(tmpdir(), 'stillpoint-')), 'points')

  it('reaches every place that answers, and names those that do not', async () => {
    const store = dir()
    const asked: unknown[] = []
    const places = [
      { kind: 'host', host: 'alpha', dir: DEFAULT_STORE },
      { kind: 'host', host: 'beta', dir: '/srv/points' },
      { kind: 'local', dir: store }
    ] as const
    const marking = await markPoint(coreWith(asked, ['beta']), await pointIn(places, store), {
      pinned: true,
      note: 'x'
    })
    expect(asked).toEqual([['alpha', 'mark', { store: DEFAULT_STORE, point: POINT, pinned: true, note: 'x' }]])
    expect((await listPoints(store)).marks[POINT]).toEqual({ pinned: true, note: 'x' })
    expect(marking.places).toEqual([places[0], places[2]])
    expect(marking.unreachable).toEqual([{ host: 'beta:/srv/points', failure: silent.failure }])
  })

  it('fails as the first place does if none answers', async () => {
    const point = await pointIn([{ kind: 'host', host: 'beta', dir: DEFAULT_STORE }], dir())
    await expect(markPoint(coreWith([], ['beta']), point, { pinned: true })).rejects.toThrow(silent)
  })
})

describe('a point in several places', () => {
  it('has the marks of all of them', () => {
    const listing = { points: [manifestOf(FILES)], broken: [] }
    const [point] = joinPlaces([
      ...pointsIn({ kind: 'host', host: 'alpha', dir: DEFAULT_STORE }, { ...listing, marks: {} }),
      ...pointsIn({ kind: 'local', dir: '/p' }, { ...listing, marks: { [POINT]: { pinned: true, note: 'x' } } })
    ])
    expect(point?.places.map(({ kind }) => kind)).toEqual(['host', 'local'])
    expect(point?.marks).toEqual({ pinned: true, note: 'x' })
  })

  const here = { kind: 'host', host: 'good', dir: DEFAULT_STORE } as const
  const there = { kind: 'host', host: 'evil', dir: DEFAULT_STORE } as const
  const none = { pinned: false }
  const joinedOf = (a: Partial<Manifest>, b: Partial<Manifest>): KnownPoint[] =>
    joinPlaces([
      { manifest: manifestOf(FILES, a), place: here, marks: none },
      { manifest: manifestOf(FILES, b), place: there, marks: none }
    ])
  const other = '7d0c1f9e-1111-4222-8333-944444444444'
  const memory = { file: 'memory.save', ramBytes: 1 }
  const withMemory = (bytes: number): Partial<Manifest> => ({
    memory,
    files: manifestOf({ ...FILES, 'memory.save': new Uint8Array(bytes) }).files
  })

  it.each<[string, Partial<Manifest>]>([
    ['of another VM', { vm: { uuid: other, name: 'victim' } }],
    ['with another disk', { files: manifestOf({ ...FILES, 'disks/vda.qcow2': new Uint8Array(9) }).files }],
    ['of another time', { takenAt: '2026-11-23T20:17:44.123Z' }]
  ])('is not joined with one %s that goes by its id, and neither is taken for the other', (_what, change) => {
    const points = joinedOf({}, change)
    expect(points.map(({ places, rivals }) => [places, rivals])).toEqual([
      [[here], [there]],
      [[there], [here]]
    ])
    expect(() => onlyOneOf(points, POINT, DEFAULT_STORE)).toThrow(
      expect.objectContaining({
        failure: { kind: 'ambiguous', what: 'point', name: POINT, candidates: [`good/${POINT}`, `evil/${POINT}`] }
      }) as Error
    )
    for (const [n, point] of points.entries()) {
      expect(onlyOneOf([point], POINT, DEFAULT_STORE)).toBe(point)
      const [own, others] = n === 0 ? [here, there] : [there, here]
      expect(() => refuseRivalIn(point, own, DEFAULT_STORE)).not.toThrow()
      expect(() => refuseRivalIn(point, others, DEFAULT_STORE)).toThrow(/has another point of this id/)
    }
  })

  it('is one point also where its RAM has gone from one of them, but not where they hold different RAM', () => {
    const { memory: _, ...bare } = manifestOf(FILES)
    const without = { files: bare.files.filter(({ path }) => path !== 'memory.save') }
    expect(joinedOf(withMemory(5), without)).toMatchObject([{ places: [here, there] }])
    expect(joinedOf(withMemory(5), withMemory(5))).toHaveLength(1)
    expect(joinedOf(withMemory(5), withMemory(6))).toHaveLength(2)
  })
})
