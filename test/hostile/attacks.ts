import { expect } from 'vitest'
import type { Outcome } from './core-process.ts'
import type { Tally } from './tally.ts'

const LANES = 4
const SHOWN = 6

interface Timed {
  readonly name: string
  readonly ms: number
}

/** What did not go as it should is told together, at the end: one hole must not hide the others. */
export class Attacks {
  readonly problems: string[] = []
  private readonly held: Timed[] = []
  private readonly took: Timed[] = []
  private readonly tally: Tally
  private readonly expectRight: () => void

  /** `expectRight`: that the host that means well is seen as it is, after each of them. */
  constructor(tally: Tally, expectRight: () => void) {
    this.tally = tally
    this.expectRight = expectRight
  }

  async attack(name: string, check: () => Promise<Outcome | undefined>): Promise<void> {
    const began = performance.now()
    try {
      await this.tally.tried(async () => {
        const outcome = await check()
        if (outcome !== undefined) this.held.push({ name, ms: outcome.heldMs })
        this.expectRight()
      })
    } catch (error) {
      console.error('PROBLEM', name, String(error).slice(0, 300))
      this.problems.push(`${name}: ${error instanceof Error ? error.message.slice(0, 600) : String(error)}`)
    }
    this.took.push({ name, ms: performance.now() - began })
  }

  /** Several at a time, over one connection. */
  async all(work: readonly (() => Promise<void>)[]): Promise<void> {
    const left = [...work]
    const lane = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) await next()
    }
    await Promise.all(Array.from({ length: LANES }, lane))
  }

  /** The longest that the event loop was held, and what for. */
  get longestHeldMs(): number {
    return Math.max(0, ...this.held.map(({ ms }) => ms))
  }

  /** What held the event loop longest, and what took longest. */
  get table(): string {
    return `held the event loop longest\n${longestOf(this.held)}\ntook longest\n${longestOf(this.took)}`
  }
}

const longestOf = (all: readonly Timed[]): string =>
  all
    .toSorted((a, b) => b.ms - a.ms)
    .slice(0, SHOWN)
    .map(({ name, ms }) => `  ${ms.toFixed(0)} ms: ${name}`)
    .join('\n')

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
