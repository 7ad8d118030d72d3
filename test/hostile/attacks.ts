import { expect } from 'vitest'
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

/** A failure is one of the host that lied, in words that fit on a screen, and no bug of ours. */
export function judge(outcome: Outcome, liar: string, mayBeAnswer: boolean): void {
  if (outcome.is === 'answer') {
    expect(mayBeAnswer, `it was taken for an answer: ${outcome.text.slice(0, 200)}`).toBe(true)
    return
  }
  expect(outcome.failure.kind, JSON.stringify(outcome.failure)).not.toBe('bug')
  expect('host' in outcome.failure ? outcome.failure.host : liar).toBe(liar)
  expect(outcome.words.every((words) => typeof words === 'string')).toBe(true)
  expect(outcome.words.join('\n').length).toBeLessThan(LONGEST_WORDS)
}
