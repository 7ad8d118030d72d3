import { describe, expect, it } from 'vitest'
import { phaseWord } from '../../../src/renderer/words.ts'
import { stripShown } from '../../../src/renderer/ui/phase-strip-view.ts'
import { progressShown } from '../../../src/renderer/ui/progress-view.ts'
import { sparklinePoints } from '../../../src/renderer/ui/sparkline-view.ts'
import { STEPS } from '../../../src/engine/capture/steps.ts'

const AT = '2026-11-22T20:00:00.000Z'
const after = (ms: number): string => new Date(Date.parse(AT) + ms).toISOString()
const phase = (name: string, from: number, ms: number) => ({ phase: name, startedAt: after(from), ms })
const pause = (from: number, ms: number) => ({
  ...phase('memory', from, ms),
  endedAt: after(from + ms),
  source: 'qemu-events' as const
})

describe('the strip of a job', () => {
  it('places phases and pauses to scale', () => {
    const shown = stripShown({
      phases: [phase('snapshot', 0, 250), phase('copy', 250, 500)],
      pauses: [pause(200, 50)],
      startedAt: AT,
      endedAt: after(1000)
    })
    expect(shown.totalMs).toBe(1000)
    expect(shown.phases.map(({ left, width }) => [left, width])).toEqual([
      [0, 25],
      [25, 50]
    ])
    expect(shown.pauses[0]).toMatchObject({ left: 20, width: 5 })
  })

  it('ends with its last span while the job goes on', () => {
    expect(stripShown({ phases: [phase('copy', 100, 300)], pauses: [], startedAt: AT }).totalMs).toBe(400)
  })

  it('cuts what lies outside, and stands for a job without any length', () => {
    const shown = stripShown({
      phases: [phase('copy', -500, 5000)],
      pauses: [],
      startedAt: AT,
      endedAt: after(1000)
    })
    expect(shown.phases[0]).toMatchObject({ left: 0, width: 100 })
    expect(stripShown({ phases: [], pauses: [], startedAt: AT, endedAt: AT })).toEqual({
      totalMs: 1,
      phases: [],
      pauses: []
    })
  })

  it.each([...new Set(Object.values(STEPS).flat())])('has words for %s', (step) => {
    expect(phaseWord(step)).not.toBe(step)
  })

  it('shows a phase without words as text', () => {
    expect(phaseWord('x\u202Ey')).toBe('x\\u{202e}y')
  })
})

describe('progress in words', () => {
  const progress = { phase: 'copying vda', doneBytes: 500, totalBytes: 1000 }

  it('tells bytes, rate and time left, as far as they are known', () => {
    expect(progressShown(progress)).toEqual({
      percent: 50,
      phase: 'copying vda',
      facts: '500 B of 1000 B',
      spoken: 'copying vda, 50 %'
    })
    expect(progressShown({ ...progress, bytesPerSecond: 100, secondsLeft: 12 }).facts).toBe(
      '500 B of 1000 B · 100 B/s · about 15 s left'
    )
  })

  it('never claims 100 % before the end', () => {
    expect(progressShown({ ...progress, doneBytes: 1001 }).percent).toBe(99)
  })

  it('is read aloud every quarter, not with every byte', () => {
    const spoken = [500, 600, 740, 750].map((doneBytes) => progressShown({ ...progress, doneBytes }).spoken)
    expect(new Set(spoken)).toEqual(new Set(['copying vda, 50 %', 'copying vda, 75 %']))
  })

  it('knows no percent without a total', () => {
    expect(progressShown({ ...progress, totalBytes: 0 })).toMatchObject({ percent: undefined, facts: '' })
    expect(progressShown(undefined).percent).toBeUndefined()
  })
})

describe('a sparkline', () => {
  it('goes from left to right, zero at the bottom, the largest on top', () => {
    expect(sparklinePoints([0, 10], 106, 26)).toEqual([
      { x: 3, y: 23 },
      { x: 103, y: 3 }
    ])
  })

  it('stands for one value, for none, and for nothing but zeros', () => {
    expect(sparklinePoints([7], 106, 26)).toEqual([{ x: 103, y: 3 }])
    expect(sparklinePoints([], 106, 26)).toEqual([])
    expect(sparklinePoints([0, 0], 106, 26).map(({ y }) => y)).toEqual([23, 23])
  })
})
