import { describe, expect, it } from 'vitest'
import { laneOf } from '../../../src/renderer/features/vm/lane-view.ts'
import { aPoint } from './a-point.ts'

const DAY_MS = 24 * 3_600_000
const now = new Date('2026-11-24T12:00:00Z')
const ago = (days: number): string => new Date(now.getTime() - days * DAY_MS).toISOString()

describe('points on a line of time', () => {
  it('go from the oldest on the left to now on the right', () => {
    const { dots } = laneOf([aPoint({ takenAt: ago(5) }), aPoint({ takenAt: ago(10) })], now, 900)
    expect(dots.map(({ left }) => left)).toEqual([0, 50])
  })

  it('lie above each other where they would cover each other', () => {
    const close = [10, 9.999, 5, 4.999].map((days) => aPoint({ takenAt: ago(days) }))
    const { dots, rows } = laneOf(close, now, 900)
    expect(dots.map(({ row }) => row)).toEqual([0, 1, 0, 1])
    expect(rows).toBe(2)
  })

  it('never fill more than six rows, however many there are', () => {
    const many = Array.from({ length: 200 }, (_, n) => aPoint({ takenAt: ago(n / 100) }))
    const { dots, rows } = laneOf(many, now, 300)
    expect(dots).toHaveLength(200)
    expect(rows).toBe(6)
  })

  it('show by shape and filling what they are', () => {
    const dotOf = (change: Parameters<typeof aPoint>[0]) => laneOf([aPoint(change)], now, 900).dots[0]
    expect(dotOf({})).toMatchObject({ shape: 'disc', isFilled: true, isPinned: false, isBad: false })
    expect(dotOf({ method: 'disk', hasMemory: false })).toMatchObject({ shape: 'disc', isFilled: false })
    expect(dotOf({ method: 'classic' })).toMatchObject({ shape: 'square' })
    expect(dotOf({ method: 'offline', hasMemory: false })).toMatchObject({ shape: 'diamond' })
    const verified = { at: ago(1), good: false }
    expect(dotOf({ marks: { pinned: true, verified } })).toMatchObject({ isPinned: true, isBad: true })
  })

  it('say all of it to those who do not see them, the pause first of all on hover', () => {
    const marks = { pinned: true, note: 'before the\u202e upgrade' }
    const [dot] = laneOf([aPoint({ marks })], now, 900).dots
    expect(dot?.spoken).toMatch(/live, with RAM, stood still 48 ms, pinned, before the\\u\{202e\} upgrade$/)
    expect(dot?.label).toMatch(/^stood still 48 ms · /)
  })

  it('say of a VM that was off that nothing stood still', () => {
    const [dot] = laneOf([aPoint({ method: 'offline', hasMemory: false, pauseMs: 0 })], now, 900).dots
    expect(dot?.spoken).toContain('was off')
    expect(dot?.spoken).not.toContain('stood still')
  })

  it('have no more ticks than there is room for, and none under the word at the end', () => {
    const { ticks } = laneOf([aPoint({ takenAt: ago(400) })], now, 900)
    expect(ticks.length).toBeGreaterThan(2)
    expect(ticks.length).toBeLessThanOrEqual(8)
    expect(ticks.every(({ left }) => left >= 0 && left <= 90)).toBe(true)
  })

  it('are all right with a point from a clock that is ahead, and with none at all', () => {
    expect(laneOf([aPoint({ takenAt: ago(-1) })], now, 900).dots[0]?.left).toBe(0)
    expect(laneOf([], now, 900)).toEqual({ dots: [], rows: 0, ticks: [] })
  })
})
