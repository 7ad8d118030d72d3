import { describe, expect, it } from 'vitest'
import { contentOf, isSamePoint, joinPlaces, pointsIn } from '../../../src/main/core/points/point-places.ts'
import type { Place } from '../../../src/main/core/settings/settings-schema.ts'
import type { Manifest } from '../../../src/shared/model/point.ts'
import { FILES, manifestOf } from '../store-points.ts'

const { 'memory.save': _, ...WITHOUT } = FILES
const MEMORY = { memory: { file: 'memory.save', ramBytes: 1 } } as const

describe('the content of a point', () => {
  it('is the same without its RAM, in whatever order it is told, and no other for a single word', () => {
    const point = manifestOf(FILES, MEMORY)
    const { vm, ...rest } = manifestOf(WITHOUT)
    expect(isSamePoint(point, { ...rest, vm, files: rest.files.toReversed() })).toBe(true)
    expect(isSamePoint(point, manifestOf(FILES, { ...MEMORY, methodReason: 'another' }))).toBe(false)
    expect(isSamePoint(point, manifestOf({ ...FILES, 'nvram.fd': new Uint8Array(4096) }, MEMORY))).toBe(false)
  })

  it('is short, however long the point is, and worked out once', () => {
    let reads = 0
    const counted: Manifest = {
      ...manifestOf(FILES),
      get warnings() {
        reads += 1
        return ['w'.repeat(1 << 20)]
      }
    }
    const places = ['/a', '/b'].map((dir): Place => ({ kind: 'host', host: 'beta', dir }))
    const found = places.flatMap((place) => pointsIn(place, { points: [counted], broken: [], marks: {} }))
    for (let n = 0; n < 3; n += 1) expect(joinPlaces(found)).toMatchObject([{ places }])
    expect(contentOf(counted).length).toBeLessThan(100)
    expect(reads).toBe(1)
  })
})
