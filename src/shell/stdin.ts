import type { Writable } from 'node:stream'
import type { RunOptions } from '../shared/shell.ts'

type Source = RunOptions['stdin']

export async function* chunksOf(source: Source): AsyncGenerator<Uint8Array> {
  if (source === undefined) return
  if (typeof source === 'string') yield Buffer.from(source)
  else if (source instanceof Uint8Array) yield source
  else yield* source
}

/** One listener for a whole stream: one for each wait would pile up over the many chunks of a large point. */
function roomIn(stream: Writable): { again(): Promise<boolean> } {
  let closed = false
  let wake: (open: boolean) => void = () => undefined
  const close = (): void => {
    closed = true
    wake(false)
  }
  stream.on('drain', () => wake(true))
  stream.once('close', close).once('error', close)
  return {
    /** True once there is room again, false if the stream closed instead: then nothing will ever drain. */
    again: () => new Promise((resolve) => (closed ? resolve(false) : (wake = resolve)))
  }
}

/**
 * Writes the source to a program's stdin and closes it. A program that stops reading, or never did, is no error: it is
 * for its exit code to say whether it minded. Rejects only if the source itself fails.
 */
export async function feed(stream: Writable, source: Source): Promise<void> {
  const room = roomIn(stream)
  stream.on('error', () => undefined) // EPIPE, also a late one
  for await (const chunk of chunksOf(source)) {
    if (stream.destroyed || !stream.writable) return
    if (!stream.write(chunk) && !(await room.again())) return
  }
  stream.end()
}
