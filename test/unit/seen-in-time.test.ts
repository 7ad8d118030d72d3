import { describe, expect, it } from 'vitest'
import { expectSoonSeen, expectSoonSeenWithin, type TimedChange } from '../hostile/seen-in-time.ts'

const change = (ms: number, besideMs = 100): TimedChange => ({ what: 'a job ends', ms, waitedMs: 0, besideMs })
const changes = (count: number, ms: number, besideMs?: number): TimedChange[] =>
  Array.from({ length: count }, () => change(ms, besideMs))

describe('a change of a host that means well', () => {
  it('is seen within two seconds on a calm machine, however long it took beside, but for one in twenty', () => {
    const judged = (late: number, besideMs: number) => () =>
      expectSoonSeen([...changes(20 - late, 500), ...changes(late, 2_500, besideMs)], 1.1)
    expect(judged(1, 2_000)).not.toThrow()
    expect(judged(2, 2_000)).toThrow()
    expect(() => expectSoonSeen(changes(20, 2_500, 2_000), 1.1)).toThrow('half of the changes')
  })

  it('is seen not much later than beside on a busy one', () => {
    expect(() => expectSoonSeen(changes(20, 2_500, 2_000), 3)).not.toThrow()
    expect(() => expectSoonSeen(changes(20, 2_500, 500), 3)).toThrow('half of the changes')
  })
})

describe('attacks within which few changes were seen', () => {
  const judged =
    (attackMs: number, stretched: number, meanwhile = 4) =>
    () =>
      expectSoonSeenWithin({ meanwhile, changes: changes(6, 500), attackMs, stretched })

  it('were over soon: that nothing was seen in a long one is no reason to look at nothing', () => {
    expect(judged(9_000, 1.1)).not.toThrow()
    expect(judged(12_000, 1.1)).toThrow('no more than 4 changes')
    expect(judged(12_000, 1.1, 5)).not.toThrow()
    expect(judged(25_000, 3)).not.toThrow()
    expect(judged(31_000, 3)).toThrow('no more than 4 changes')
  })
})
