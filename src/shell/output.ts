import type { Readable } from 'node:stream'
import { fail } from '../shared/failure.ts'
import type { RunOptions } from '../shared/shell.ts'

export const DEFAULT_MAX_OUTPUT_BYTES = 16 * 1024 * 1024

type Taker = (chunk: Buffer) => void | Promise<void>

/** Where one stream of a program goes: to the caller as it comes, or into memory up to the limit. */
export interface Output {
  readonly take: Taker
  text(): string
}

const streamed = (take: (chunk: Uint8Array) => void | Promise<void>): Output => ({ take, text: () => '' })

function kept(what: string, limitBytes: number): Output {
  const chunks: Buffer[] = []
  let bytes = 0
  return {
    take: (chunk) => {
      bytes += chunk.length
      if (bytes > limitBytes) fail({ kind: 'output-too-large', what, limitBytes })
      chunks.push(chunk)
    },
    text: () => Buffer.concat(chunks).toString('utf8')
  }
}

export function outputsOf(what: string, options: RunOptions): { readonly stdout: Output; readonly stderr: Output } {
  const limitBytes = options.maxOutputBytes ?? DEFAULT_MAX_OUTPUT_BYTES
  return {
    stdout: options.onStdout ? streamed(options.onStdout) : kept(what, limitBytes),
    stderr: options.onStderr ? streamed(options.onStderr) : kept(what, limitBytes)
  }
}

/**
 * Feeds a stream to its taker until it ends, one chunk at a time: while the taker's promise is open the stream is
 * paused, so the pipe fills and the program waits. Not `for await`, which destroys the stream behind itself: with ssh2
 * that closes the channel before the exit code has come.
 */
export function pump(stream: Readable, take: Taker): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>()
  let busy: Promise<void> | undefined
  const stop = (error: unknown): void => {
    stream.off('data', onData)
    stream.resume() // what still comes is dropped, or the end never would
    reject(error)
  }
  const onData = (chunk: Buffer): void => {
    try {
      const pending = take(chunk)
      if (!(pending instanceof Promise)) return
      stream.pause()
      busy = pending
      pending.then(() => stream.resume(), stop)
    } catch (error) {
      stop(error)
    }
  }
  const finish = (): void => void Promise.resolve(busy).then(() => resolve(undefined), reject)
  stream.on('data', onData).once('end', finish).once('close', finish).once('error', stop)
  return promise
}
