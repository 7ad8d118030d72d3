import type { Readable } from 'node:stream'
import { fail } from '../shared/failure.ts'
import { GrowingBytes } from '../shared/growing-bytes.ts'
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
  const bytes = new GrowingBytes(limitBytes)
  return {
    take: (chunk) => {
      bytes.add(chunk)
      if (bytes.isFull) fail({ kind: 'output-too-large', what, limitBytes })
    },
    text: () => bytes.toString()
  }
}

/** Of what a program complains of, beginning and end are what is told. */
const COMPLAINT_END_BYTES = 256 * 1024

/** Listened to up to the limit as well; of more than a few hundred KiB the middle is not kept. */
function keptInShort(what: string, limitBytes: number): Output {
  const beginning = new GrowingBytes(COMPLAINT_END_BYTES)
  const end = new GrowingBytes(2 * COMPLAINT_END_BYTES)
  let [bytes, leftOut] = [0, 0]
  return {
    take: (chunk) => {
      bytes += chunk.length
      if (bytes > limitBytes) fail({ kind: 'output-too-large', what, limitBytes })
      for (let rest = chunk.subarray(beginning.add(chunk)); rest.length > 0; rest = rest.subarray(end.add(rest))) {
        if (end.length < 2 * COMPLAINT_END_BYTES) continue
        leftOut += end.length - COMPLAINT_END_BYTES
        end.keepLast(COMPLAINT_END_BYTES)
      }
    },
    text: () => {
      if (leftOut === 0) return Buffer.concat([beginning.taken(), end.taken()]).toString('utf8')
      return `${beginning.toString()}\n… ${leftOut} bytes are left out …\n${end.toString()}`
    }
  }
}

export function outputsOf(what: string, options: RunOptions): { readonly stdout: Output; readonly stderr: Output } {
  const limitBytes = options.maxOutputBytes ?? DEFAULT_MAX_OUTPUT_BYTES
  return {
    stdout: options.onStdout ? streamed(options.onStdout) : kept(what, limitBytes),
    stderr: options.onStderr ? streamed(options.onStderr) : keptInShort(what, limitBytes)
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
