import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Core } from '../../../src/main/core/core.ts'
import { markPoint } from '../../../src/main/core/points/mark-point.ts'
import { joinPlaces, pointsIn, type KnownPoint } from '../../../src/main/core/points/point-places.ts'
import { StillpointError } from '../../../src/shared/failure.ts'
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
})
