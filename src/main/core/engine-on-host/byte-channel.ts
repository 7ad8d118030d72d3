import { asError } from '../../../shared/failure.ts'

/** Joins one program's output to another's input: `put` waits until the chunk is taken, so that memory stays flat. */
export interface ByteChannel {
  put(chunk: Uint8Array): Promise<void>
  /** With an error: the taker throws it behind the last chunk. */
  end(error?: unknown): void
  readonly chunks: AsyncIterable<Uint8Array>
}

export function byteChannel(): ByteChannel {
  let waiting: { readonly chunk: Uint8Array; readonly taken: () => void } | undefined
  let ended: { readonly error: unknown } | undefined
  let abandoned = false
  let wake: () => void = () => undefined

  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        while (waiting !== undefined) {
          const { chunk, taken } = waiting
          waiting = undefined
          yield chunk
          taken()
        }
        if (ended?.error !== undefined) throw asError(ended.error)
        if (ended !== undefined) return
        await new Promise<void>((resolve) => (wake = resolve))
      }
    } finally {
      abandoned = true
      waiting?.taken()
    }
  }

  return {
    put: (chunk) =>
      new Promise((resolve) => {
        if (abandoned) resolve()
        else waiting = { chunk, taken: resolve }
        wake()
      }),
    end(error) {
      ended = { error }
      wake()
    },
    chunks: chunks()
  }
}
