import { describe, expect, it } from 'vitest'
import { clockProblem, type ClockFacts } from '../../../src/engine/retention/clock.ts'

const NOW = '2026-11-25T02:00:00Z'
const DAY_MS = 86_400_000
const before = (days: number, at = NOW): string => new Date(Date.parse(at) - days * DAY_MS).toISOString()

const problem = (
  change: Partial<Omit<ClockFacts, 'now'>> & { now?: string; ntp?: boolean }
): Promise<string | undefined> =>
  clockProblem({
    builtAt: '2026-11-01',
    seen: [before(2), before(1)],
    isSynchronized: () => Promise.resolve(change.ntp === true),
    ...change,
    now: new Date(change.now ?? NOW)
  })

describe('the clock by which points go', () => {
  it('is believed where it goes on from what was before, and where nothing was', async () => {
    expect(await problem({})).toBeUndefined()
    expect(await problem({ seen: [] })).toBeUndefined()
    expect(await problem({ builtAt: undefined, now: '1970-01-01T00:00:10Z', seen: [] })).toBeUndefined()
  })

  it('is not before the engine was built, as in 1970', async () =>
    expect(await problem({ now: '1970-01-01T00:00:10Z', seen: [], ntp: true })).toContain(
      'says 1970-01-01 00:00 UTC, which is before this Stillpoint was built (2026-11-01)'
    ))

  it('is not before a point or a run, but for the little that clocks differ', async () => {
    expect(await problem({ seen: ['2026-11-25T02:09:00Z'] })).toBeUndefined()
    expect(await problem({ seen: ['2026-11-25T02:11:00Z'], ntp: true })).toContain('from the future')
  })

  it('does not jump to 2040 unless NTP vouches for it', async () => {
    expect(await problem({ now: '2040-01-01T02:00:00Z' })).toContain('days after all that was before')
    expect(await problem({ now: '2040-01-01T02:00:00Z', ntp: true })).toBeUndefined()
  })

  it('is not believed sooner because the runs of that day say the same', async () => {
    const now = '2040-01-01T02:00:00Z'
    const seen = [before(1), before(0.5, now), before(0.01, now)]
    expect(await problem({ now, seen })).toContain('days after all that was before')
  })

  it('is believed when it has gone on from there for a week', async () => {
    const now = '2040-01-01T02:00:00Z'
    const seen = [before(1), ...[8, 7, 6, 5, 4, 3, 2, 1].map((days) => before(days, now))]
    expect(await problem({ now, seen })).toBeUndefined()
  })

  it('may have stood still for a month or two', async () =>
    expect(await problem({ seen: [before(59)] })).toBeUndefined())
})
