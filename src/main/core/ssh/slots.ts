/** So many at a time; who comes later waits for a turn. */
export class Slots {
  #limit: number
  #used = 0
  readonly #waiting: (() => void)[] = []

  constructor(limit: number) {
    this.#limit = limit
  }

  get used(): number {
    return this.#used
  }

  /** Resolves with the function that gives the slot back. */
  async take(): Promise<() => void> {
    while (this.#used >= this.#limit) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#used++
    let given = false
    return () => {
      if (given) return
      given = true
      this.#used--
      this.#waiting.shift()?.()
    }
  }

  /** From now on at most so many. */
  lower(limit: number): void {
    this.#limit = Math.max(1, Math.min(limit, this.#limit))
  }
}
