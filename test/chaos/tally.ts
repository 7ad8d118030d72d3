import { jobName } from './jobs.ts'
import { namesIn, type RoundPlan } from './plan.ts'
import type { Play } from './scene.ts'

/** Counts what has been tried, and what came of it. */
export class Tally {
  readonly #seed: number
  readonly failed: number[] = []
  #tried = 0
  #ms = 0
  readonly #names = new Map<string, number>()
  readonly #ends = new Map<string, number>()
  readonly #refusals = new Map<string, number>()

  constructor(seed: number) {
    this.#seed = seed
  }

  add(plan: RoundPlan, plays: readonly Play[], problems: readonly string[], ms: number): void {
    this.#tried += 1
    this.#ms += ms
    if (problems.length > 0) this.failed.push(plan.round)
    for (const name of namesIn(plan)) count(this.#names, name)
    for (const { scene, report, acts } of plays) {
      count(this.#ends, `${jobName(scene.job)}: ${report?.state ?? 'no report'}`)
      for (const { kind, refusal } of acts) if (refusal !== undefined) count(this.#refusals, `${kind}: ${refusal}`)
    }
  }

  text(): string {
    const passed = this.#tried - this.failed.length
    return [
      '',
      `tried: ${listOf(this.#names)}`,
      `ends: ${listOf(this.#ends)}`,
      ...(this.#refusals.size === 0 ? [] : [`refused by libvirt: ${listOf(this.#refusals)}`]),
      `seed ${this.#seed}: ${passed} / ${this.#tried} rounds passed, ${(this.#ms / this.#tried / 1000).toFixed(1)} s each`,
      ...this.failed.map((round) => `failed: --seed ${this.#seed} --round ${round}`)
    ].join('\n')
  }
}

const count = (counts: Map<string, number>, name: string): unknown => counts.set(name, (counts.get(name) ?? 0) + 1)

const listOf = (counts: ReadonlyMap<string, number>): string =>
  [...counts]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, times]) => `${name} ×${times}`)
    .join(', ')
