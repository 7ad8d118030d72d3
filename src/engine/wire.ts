import { StringDecoder } from 'node:string_decoder'
import { PORTION_CHARACTERS } from '../shared/engine-limits.ts'
import type { EngineVerb } from '../shared/engine-protocol.ts'
import { fail, type Failure } from '../shared/failure.ts'
import { hostFailureFrom } from '../shared/failure-data.ts'
import { resultLines } from '../shared/result-lines.ts'

/** A preflight brings three texts of a point (`LONGEST_TEXT`), escaped. */
const LONGEST_QUESTION = 4 << 20

/** The question (first line of stdin, parsed) and all that comes behind it. */
export async function readQuestion(
  input: AsyncIterable<Uint8Array>
): Promise<{ question: unknown; rest: AsyncIterable<Uint8Array> }> {
  const chunks = input[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, undefined>
  const decoder = new StringDecoder('utf8')
  let line = ''
  for (;;) {
    const { value } = await chunks.next()
    if (value === undefined) return { question: parseQuestion(line), rest: chain([], chunks) }
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    const end = bytes.indexOf(0x0a)
    line += decoder.write(end === -1 ? bytes : bytes.subarray(0, end))
    if (line.length > LONGEST_QUESTION) fail({ kind: 'bad-output', what: 'question', detail: 'longer than 4 MiB' })
    if (end !== -1) return { question: parseQuestion(line), rest: chain([bytes.subarray(end + 1)], chunks) }
  }
}

async function* chain(first: Uint8Array[], rest: AsyncIterator<Uint8Array, undefined>): AsyncIterable<Uint8Array> {
  for (const chunk of first) if (chunk.byteLength > 0) yield chunk
  for (;;) {
    const { value } = await rest.next()
    if (value === undefined) return
    yield value
  }
}

function parseQuestion(line: string): unknown {
  try {
    return line.trim() === '' ? {} : JSON.parse(line)
  } catch {
    return fail({ kind: 'bad-output', what: 'question', detail: 'not JSON' })
  }
}

/** Writes to stdout and waits where the reader is slow. A reader that has gone is not an error. */
export async function write(data: string | Uint8Array): Promise<void> {
  if (process.stdout.destroyed || process.stdout.write(data)) return
  await new Promise<void>((resolve) => {
    process.stdout.once('drain', resolve)
    process.stdout.once('close', resolve)
  })
}

/** Resolves when all that was written has left this process, or nobody is there to take it: exiting earlier would lose it. */
export const flushed = (): Promise<void> => new Promise((resolve) => process.stdout.write('', () => resolve()))

export const writeEvent = (event: unknown): Promise<void> => write(`${JSON.stringify({ event })}\n`)

/** What nobody takes, since it is longer than a failure can be, is not sent: the line is short. */
export function writeFailure(failure: Failure): Promise<void> {
  const text = JSON.stringify(failure)
  const sent = text.length <= PORTION_CHARACTERS ? text : JSON.stringify(hostFailureFrom(failure))
  return write(`{"failure":${sent}}\n`)
}

export async function writeResult(verb: EngineVerb, result: unknown): Promise<void> {
  for (const line of resultLines(verb, result)) await write(line)
}
