import { appendFileSync } from 'node:fs'
import { basename } from 'node:path'
import { afterAll, expect } from 'vitest'

/** Where the files of one run write down what came of their inputs: `vitest-setup.ts` sums it up. */
export const TALLY_FILE = 'STILLPOINT_TALLY_FILE'

/** Counts hostile inputs, and those that were handled: refused or shown as text, with everything else as it was. */
export interface Tally {
  /** One input, of which something is to be expected within. What is thrown is thrown on, and the input counts as not handled. */
  tried<T>(check: () => T | Promise<T>): Promise<T>
}

/** For one file of tests; prints `handled / tried` at its end. */
export function tallyOf(what: string): Tally {
  const count = { handled: 0, tried: 0 }
  afterAll(() => {
    console.info(`${what}: ${count.handled} handled / ${count.tried} tried`)
    const file = process.env[TALLY_FILE]
    const from = basename(expect.getState().testPath ?? '')
    if (file !== undefined) appendFileSync(file, `${JSON.stringify({ ...count, from })}\n`)
  })
  return {
    async tried(check) {
      count.tried += 1
      const before = expectations()
      const result = await check()
      if (expectations() === before)
        throw new Error('nothing is expected of this input: it would count whatever came of it')
      count.handled += 1
      return result
    }
  }
}

/** How often something was expected so far in the test that goes on. */
const expectations = (): number => expect.getState().assertionCalls
