import { globSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { judge, type Allowed } from '../hostile/attacks.ts'
import { LEAST_INPUTS, problemsOf } from '../hostile/least-inputs.ts'
import { tallyOf } from '../hostile/tally.ts'
import { digestOf, takenAs, toldOf } from '../hostile/wrong-answers.ts'

const tally = tallyOf('inputs that are none')

describe('a hostile input', () => {
  it('counts where something is expected of it, and else the test is red', async () => {
    await tally.tried(() => expect(1).toBe(1))
    const silent = await tally.tried(() => 1).catch((error: unknown) => error)
    expect(silent).toMatchObject({ message: expect.stringContaining('nothing is expected of this input') as string })
  })
})

describe('the least number of inputs of a file', () => {
  const count = (from: string, tried: number, handled = tried) => ({ from, tried, handled })
  const least = LEAST_INPUTS['page'] ?? NaN

  it('is there for each file of the suite, and for no other; all of them are more than was asked for', () => {
    const files = globSync('*.test.ts', { cwd: join(import.meta.dirname, '../hostile') })
    expect(Object.keys(LEAST_INPUTS).sort()).toEqual(files.map((file) => file.replace('.test.ts', '')).sort())
    expect(Object.values(LEAST_INPUTS).reduce((sum, each) => sum + each, 0)).toBeGreaterThan(1_300)
  })

  it('is asked of each file that ran as a whole, whatever others ran', () => {
    expect(problemsOf([count('page.test.ts', least)], true)).toEqual([])
    expect(problemsOf([count('page.test.ts', least - 1)], true)).toEqual([
      `page.test.ts tries only ${least - 1} hostile inputs of at least ${least}`
    ])
    expect(problemsOf([count('page.test.ts', least - 1), count('page.test.ts', 1)], true)).toEqual([])
    expect(problemsOf([count('new.test.ts', 0)], true)).toHaveLength(1)
    expect(problemsOf([count('page.test.ts', 1)], false)).toEqual([])
  })

  it('is asked of every file where all of them ran, those that are gone too', () => {
    const all = Object.entries(LEAST_INPUTS).map(([file, tried]) => count(`${file}.test.ts`, tried))
    expect(problemsOf(all, true, true)).toEqual([])
    expect(problemsOf(all.slice(1), true, true)).toEqual([
      `asked-here.test.ts tries only 0 hostile inputs of at least ${LEAST_INPUTS['asked-here']}`
    ])
    expect(problemsOf(all.slice(1), true)).toEqual([])
  })

  it('does not hide that one was not handled', () => {
    for (const isWhole of [true, false])
      expect(problemsOf([count('page.test.ts', least, least - 1)], isWhole)).toEqual([
        '1 hostile inputs were not handled'
      ])
  })
})

describe('an answer with one thing wrong in it', () => {
  const taken = (value: unknown, allowed: Allowed) => () =>
    judge({ is: 'answer', ...toldOf(value), heldMs: 0 }, 'alpha', allowed)
  const allowed = (said: unknown): Allowed => ({ digest: takenAs('delete', said, 'alpha') })

  it('is brought to what can be', () => {
    expect(taken({ freedBytes: Number.MAX_SAFE_INTEGER }, allowed({ freedBytes: 1e308 }))).not.toThrow()
    expect(taken({ freedBytes: 0 }, allowed({ freedBytes: -1 }))).not.toThrow()
  })

  it('is red where it is taken as it was said, or where it should be refused', () => {
    expect(taken({ freedBytes: -1 }, allowed({ freedBytes: -1 }))).toThrow('neither refused nor put right')
    expect(taken({ freedBytes: 0, more: 1 }, allowed({ freedBytes: 0, more: 1 }))).toThrow('neither refused')
    expect(taken({ freedBytes: null }, allowed({ freedBytes: null }))).toThrow('neither refused')
    expect(taken({ freedBytes: 1e308 }, 'an answer')).toThrow()
    expect(taken({}, 'no answer')).toThrow('it was taken for an answer')
  })

  it('may call its host by another name: that is put right as well', () => {
    const policies = { policies: [], broken: [], timeZone: 'UTC', parallel: 1, channels: {}, outbox: [] }
    expect(takenAs('policies', policies, 'alpha')).toBe(digestOf(policies))
    expect(takenAs('jobs', [], 'alpha')).toBe(digestOf([]))
  })
})
