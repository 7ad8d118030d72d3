import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Arena } from '../chaos/arena.ts'
import { planRound } from '../chaos/plan.ts'
import { playRound, tidyUp } from '../chaos/round.ts'
import { testLab } from './test-lab.ts'

/** A few rounds that are always the same. Many others: `npm run chaos`. */
const SEED = 1
const ROUNDS = [0]

let arena: Arena

beforeAll(async () => {
  arena = new Arena(testLab(), { first: testLab().host('alpha'), second: testLab().host('beta') })
  await arena.enter()
})

afterAll(() => arena.leave())

describe('a round of jobs, acts of others and faults', () => {
  it.each(ROUNDS)(`of seed ${SEED} leaves everything as its owners want it: round %i`, async (round) => {
    const plan = planRound(SEED, round)
    const { problems, plays } = await playRound(arena, plan)
    expect(problems).toEqual([])
    await tidyUp(arena, plan, plays)
  })
})
