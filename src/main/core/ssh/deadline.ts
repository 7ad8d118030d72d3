/** A deadline that stands still while a person is being asked something. */
export class Deadline {
  readonly #reached = Promise.withResolvers<never>()
  readonly #onReached: () => Error
  #leftMs: number
  #since = 0
  #timer: NodeJS.Timeout | undefined
  #pauses = 0

  constructor(ms: number, onReached: () => Error) {
    this.#leftMs = ms
    this.#onReached = onReached
    this.#reached.promise.catch(() => undefined)
    this.#start()
  }

  race<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([this.#reached.promise, promise])
  }

  async pausedWhile<T>(ask: () => Promise<T>): Promise<T> {
    if (this.#pauses++ === 0) this.#stop()
    try {
      return await ask()
    } finally {
      if (--this.#pauses === 0) this.#start()
    }
  }

  dispose(): void {
    this.#pauses = Infinity // never started again
    this.#stop()
  }

  #start(): void {
    this.#since = performance.now()
    this.#timer = setTimeout(() => this.#reached.reject(this.#onReached()), this.#leftMs)
  }

  #stop(): void {
    clearTimeout(this.#timer)
    this.#leftMs -= performance.now() - this.#since
  }
}
