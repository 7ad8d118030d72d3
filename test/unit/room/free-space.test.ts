import fc from 'fast-check'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { reserveAtStart, reserveBytes, SpaceWatch, spaceAt, whileSpaceLasts } from '../../../src/store/free-space.ts'

const MIB = 1024 ** 2
const GIB = 1024 ** 3
const TIB = 1024 ** 4

// engine.md finding 17
describe('the reserve of a file system', () => {
  it('is 1 GiB, 2 % of a large one, a sixteenth of a small one', () => {
    expect(reserveBytes(40 * GIB, 0)).toBe(GIB)
    expect(reserveBytes(TIB, 0)).toBe(0.02 * TIB)
    expect(reserveBytes(700 * MIB, 0)).toBe(43.75 * MIB)
    expect(reserveBytes(100 * TIB, 0)).toBe(32 * GIB)
  })

  it('grows with the highest rate that was seen, to what a job left free when it began, and no further', () => {
    expect(reserveBytes(40 * GIB, 768 * MIB)).toBe(1.5 * GIB)
    expect(reserveBytes(40 * GIB, 100 * GIB)).toBe(reserveAtStart(40 * GIB))
    expect(reserveBytes(700 * MIB, 100 * GIB)).toBe(reserveAtStart(700 * MIB))
  })

  it('never is what a job that left enough free at its start could run into by its own doing', () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 * 1024 }), fc.nat(20 * 1024), (totalMiB, rateMiB) => {
        expect(reserveBytes(totalMiB * MIB, rateMiB * MIB)).toBeLessThanOrEqual(reserveAtStart(totalMiB * MIB))
      })
    ))
})

/** Fills a made-up file system at this rate, and gives way so long after the watch has said so. */
function fill(totalBytes: number, freeBytes: number, bytesPerSecond: number, reactionMs: number): number {
  const watch = new SpaceWatch()
  for (let atMs = 0; ;) {
    const now = freeBytes - (bytesPerSecond * atMs) / 1000
    const { isShort, lookInMs } = watch.look(atMs, { freeBytes: Math.max(0, now), totalBytes })
    if (isShort) return now - (bytesPerSecond * reactionMs) / 1000
    atMs += lookInMs
  }
}

describe('watching a file system fill up', () => {
  it.each([
    ['a guest on a fast disk', 40 * GIB, 500 * MIB],
    ['RAM that is written at 1 GiB/s', 200 * GIB, GIB],
    ['RAM that is written at 2 GiB/s', TIB, 2 * GIB],
    ['a slow disk that is small', 700 * MIB, 40 * MIB]
  ])('%s never meets the end, with half a second to give way', (_, totalBytes, rate) => {
    for (const start of [0.9, 0.5, 0.2, 0.1]) expect(fill(totalBytes, totalBytes * start, rate, 500)).toBeGreaterThan(0)
  })

  it('looks twice a second where there is plenty, and as often as it can when it gets close', () => {
    const watch = new SpaceWatch()
    expect(watch.look(0, { freeBytes: 100 * GIB, totalBytes: TIB }).lookInMs).toBe(500)
    expect(watch.look(500, { freeBytes: 22 * GIB, totalBytes: TIB }).lookInMs).toBe(50)
  })
})

describe('work while there is room', () => {
  it('goes through where there is', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'room-'))
    expect(await whileSpaceLasts([{ path: dir, forWhat: 'it' }], undefined, () => Promise.resolve('done'))).toBe('done')
    const { freeBytes, totalBytes } = await spaceAt(dir)
    expect(freeBytes).toBeLessThanOrEqual(totalBytes)
    await rm(dir, { recursive: true })
  })

  it('is stopped where the folder has gone, with the reason', async () => {
    const folders = [{ path: join(tmpdir(), 'no such folder'), forWhat: 'it' }]
    const work = (signal: AbortSignal): Promise<never> =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))))
    await expect(whileSpaceLasts(folders, undefined, work)).rejects.toThrow(/ENOENT/)
  })
})
