import { fail } from '../shared/failure.ts'

export function throwIfCancelled(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted === true) fail({ kind: 'cancelled', what })
}

/** Takes the bytes done and the bytes in all. */
export type OnBytes = (doneBytes: number, totalBytes: number) => void
