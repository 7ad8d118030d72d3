import { describe, expect, it } from 'vitest'
import { classicPauseMs } from '../../../src/shared/estimate.ts'

const GIB = 1024 ** 3

describe('what the classic method would cost in pause', () => {
  it.each([
    [GIB / 4, 950],
    [GIB, 3300],
    [2 * GIB, 8600]
  ])('is what was measured at %d bytes', (ramBytes, ms) => expect(classicPauseMs(ramBytes)).toBe(ms))

  it('lies between what was measured in between', () => {
    expect(classicPauseMs(1.5 * GIB)).toBe(5950)
    expect(classicPauseMs(GIB / 2)).toBe(1733)
  })

  it('goes on as it did for larger and for smaller ones', () => {
    expect(classicPauseMs(4 * GIB)).toBe(19_200)
    expect(classicPauseMs(0)).toBeGreaterThan(0)
    expect(classicPauseMs(GIB / 8)).toBeLessThan(950)
  })
})
