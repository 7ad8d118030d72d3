/** Ctrl-C and TERM. Without anybody who knows better they end the command through its signal. */
export class Interrupts {
  private readonly controller = new AbortController()
  private handler: (() => void) | undefined
  private readonly onSignal = (): void => (this.handler === undefined ? this.controller.abort() : this.handler())

  constructor() {
    process.on('SIGINT', this.onSignal)
    process.on('SIGTERM', this.onSignal)
  }

  /** Aborted by an interrupt that nobody handled. */
  get signal(): AbortSignal {
    return this.controller.signal
  }

  /** As long as the work goes on, interrupts are for this handler. */
  async handledBy<T>(handler: () => void, work: () => Promise<T>): Promise<T> {
    this.handler = handler
    try {
      return await work()
    } finally {
      this.handler = undefined
    }
  }

  close(): void {
    process.off('SIGINT', this.onSignal)
    process.off('SIGTERM', this.onSignal)
  }
}
