import { StillpointError } from '../shared/failure.ts'
import type { RunOptions } from '../shared/shell.ts'

export const DEFAULT_TIMEOUT_MS = 60_000
/** Node's timers hold 31 bits; a longer deadline is none. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Deadline and cancel of one run, from the moment it was asked for. */
export interface Limits {
  /** The promise's outcome, unless deadline or cancel come first: then `timeout` or `cancelled`. */
  race<T>(promise: Promise<T>): Promise<T>
  /** Takes timer and listener down. */
  dispose(): void
}

export function watchLimits(what: string, options: RunOptions): Limits {
  const { promise: reached, reject } = Promise.withResolvers<never>()
  reached.catch(() => undefined) // nobody may be racing when it comes
  const afterMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
  const timer =
    afterMs <= LONGEST_TIMER_MS
      ? setTimeout(() => reject(new StillpointError({ kind: 'timeout', what, afterMs })), afterMs)
      : undefined
  const cancel = (): void => reject(new StillpointError({ kind: 'cancelled', what }))
  if (options.signal?.aborted === true) cancel()
  else options.signal?.addEventListener('abort', cancel, { once: true })
  return {
    race: (promise) => Promise.race([reached, promise]),
    dispose: () => {
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', cancel)
    }
  }
}

/** A program that has been started: `done` is its end, or a fault of its streams; `end` kills it and waits until it is gone. */
export interface Running<T> {
  readonly done: Promise<T>
  end(): Promise<void>
}

/** Waits for the program. Whatever goes wrong meanwhile, it is gone before this rejects. */
export async function supervise<T>(program: Running<T>, limits: Limits): Promise<T> {
  try {
    return await limits.race(program.done)
  } catch (error) {
    program.done.catch(() => undefined) // it was killed, how it ended is of no interest
    await program.end()
    throw error
  }
}
