import { expect } from 'vitest'
import { MOST_ANSWERED } from '../../src/shared/engine-limits.ts'
import { LONGEST_TEXT } from '../../src/shared/engine-protocol.ts'
import type { Outcome } from './core-process.ts'
import type { Tally } from './tally.ts'

interface Held {
  readonly name: string
  readonly ms: number
}

/** What did not go as it should is told together, at the end: one hole must not hide the others. */
export class Attacks {
  readonly problems: string[] = []
  private readonly held: Held[] = []
  private tried = 0
  private readonly tally: Tally
  private readonly expectRight: () => Promise<void>

  /** `expectRight`: that the host that means well is seen as it is, after each of them. */
  constructor(tally: Tally, expectRight: () => Promise<void>) {
    this.tally = tally
    this.expectRight = expectRight
  }

  async attack(name: string, check: () => Promise<Outcome | undefined>): Promise<void> {
    this.tried += 1
    try {
      await this.tally.tried(async () => {
        const outcome = await check()
        if (outcome !== undefined) this.held.push({ name, ms: outcome.heldMs })
        await this.expectRight()
      })
    } catch (error) {
      console.error('PROBLEM', name, String(error).slice(0, 300))
      this.problems.push(`${name}: ${error instanceof Error ? error.message.slice(0, 600) : String(error)}`)
    }
  }

  get count(): number {
    return this.tried
  }

  /** What held the event loop longest. */
  get longestHeld(): Held {
    return this.held.reduce((longest, each) => (each.ms > longest.ms ? each : longest), { name: '', ms: 0 })
  }
}

/** In so many lanes at a time, each of which takes what comes next. */
export async function inLanes(lanes: number, work: readonly (() => Promise<void>)[]): Promise<void> {
  const left = [...work]
  const lane = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await next()
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

/** Twice of what is kept of one text of a failure. */
const LONGEST_WORDS = 32_768

/** What may come of a lie besides a failure in words: nothing, any answer that an honest host might give, or this one alone. */
export type Allowed = 'no answer' | 'an answer' | { readonly digest: string | undefined }

/** An answer is one that may be, and holds nothing beyond all limits; a failure is one of the host that lied, and no bug of ours. */
export function judge(outcome: Outcome, liar: string, allowed: Allowed): void {
  if (outcome.is === 'answer') {
    expectAllowed(outcome, allowed)
    return
  }
  expect(outcome.failure.kind, JSON.stringify(outcome.failure)).not.toBe('bug')
  expect('host' in outcome.failure ? outcome.failure.host : liar).toBe(liar)
  expect(outcome.words.every((words) => typeof words === 'string')).toBe(true)
  expect(outcome.words.join('\n').length).toBeLessThan(LONGEST_WORDS)
}

function expectAllowed({ text, digest, extremes }: Extract<Outcome, { is: 'answer' }>, allowed: Allowed): void {
  const shown = text.slice(0, 200)
  expect(allowed === 'no answer', `it was taken for an answer: ${shown}`).toBe(false)
  expect(extremes.figure, shown).toBeLessThanOrEqual(Number.MAX_SAFE_INTEGER)
  expect(extremes.text, shown).toBeLessThanOrEqual(LONGEST_TEXT)
  expect(extremes.list, shown).toBeLessThanOrEqual(MOST_ANSWERED.points)
  if (typeof allowed === 'object')
    expect(digest, `what was wrong is neither refused nor put right: ${shown}`).toBe(allowed.digest)
}
