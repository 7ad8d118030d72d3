import type { Writable } from 'node:stream'
import type { RunOptions } from '../shared/shell.ts'

type Source = RunOptions['stdin']

export async function* chunksOf(source: Source): AsyncGenerator<Uint8Array> {
  if (source === undefined) return
  if (typeof source === 'string') yield Buffer.from(source)
  else if (source instanceof Uint8Array) yield source
  else yield* source
}

/** True once there is room again, false if the stream closed instead: then nothing will ever drain. */
function drained(stream: Writable, closed: Promise<unknown>): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const onDrain = (): void => resolve(true)
  stream.once('drain', onDrain)
  void closed.then(() => {
    stream.off('drain', onDrain)
    resolve(false)
  })
  return promise
}

/**
 * Writes the source to a program's stdin and closes it. A program that stops reading, or never did, is no error: it is
 * for its exit code to say whether it minded. Rejects only if the source itself fails.
 */
export async function feed(stream: Writable, source: Source): Promise<void> {
  const closed = new Promise((resolve) => stream.once('close', resolve).once('error', resolve))
  stream.on('error', () => undefined) // EPIPE, also a late one
  for await (const chunk of chunksOf(source)) {
    if (stream.destroyed || !stream.writable) return
    if (!stream.write(chunk) && !(await drained(stream, closed))) return
  }
  stream.end()
}
