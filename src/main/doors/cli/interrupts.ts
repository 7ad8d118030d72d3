import { StillpointError } from '../../../shared/failure.ts'

/** How long work may take to end in order before it is left behind. */
const ORDERLY_MS = 10_000

/** Ctrl-C and TERM. Without anybody who knows better they end the command: in order, and at the second one at once. */
export class Interrupts {
  private readonly controller = new AbortController()
  private readonly forcing = Promise.withResolvers<never>()
  private handler: (() => void) | undefined

  constructor() {
    this.forcing.promise.catch(() => undefined) // nobody may be waiting
    process.on('SIGINT', this.onSignal)
    process.on('SIGTERM', this.onSignal)
  }

  /** Aborted by an interrupt that nobody handled. */
  get signal(): AbortSignal {
    return this.controller.signal
  }

  /** Rejects when there was no orderly end in time. */
  get forced(): Promise<never> {
    return this.forcing.promise
  }

  /** As long as the work goes on, interrupts are for this handler; also one that came just before. */
  async handledBy<T>(handler: () => void, work: () => Promise<T>): Promise<T> {
    this.handler = handler
    if (this.controller.signal.aborted) handler()
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

  private readonly onSignal = (): void => {
    if (this.handler !== undefined) this.handler()
    else if (this.controller.signal.aborted) this.force()
    else {
      this.controller.abort()
      setTimeout(() => this.force(), ORDERLY_MS).unref()
    }
  }

  private force(): void {
    if (this.handler === undefined) this.forcing.reject(new StillpointError({ kind: 'cancelled', what: 'The command' }))
  }
}
