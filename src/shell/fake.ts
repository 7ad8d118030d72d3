import { PassThrough, Readable } from 'node:stream'
import { StillpointError, fail, type Failure } from '../shared/failure.ts'
import type { Argv, RunOptions, RunResult, Shell } from '../shared/shell.ts'
import { supervise, watchLimits } from './limits.ts'
import { outputsOf, pump } from './output.ts'
import { feed } from './stdin.ts'

type Stream = string | Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/** What a program would do. All fields may be left out: exit code 0, no output. */
export interface FakeAnswer {
  readonly exitCode?: number
  readonly signal?: string
  readonly stdout?: Stream
  readonly stderr?: Stream
  readonly delayMs?: number
  /** Rejects with this instead: `missing-tool`, `connection-lost`... */
  readonly failure?: Failure
}

export interface FakeCall {
  readonly argv: Argv
  /** The arguments joined by blanks, for readable expectations. */
  readonly line: string
  readonly options: RunOptions
  /** All that the caller writes to stdin. */
  stdin(): Promise<Buffer>
  /** As it comes, for a program that answers while it reads. */
  stdinChunks(): AsyncIterable<Uint8Array>
  /** Aborted when the program is ended by deadline, cancel or too much output. */
  readonly ended: AbortSignal
}

/** By whole line (`virsh domstate …`), else by program (`virsh`). A list answers call after call; its last entry stays. */
export type FakeTable = Readonly<Record<string, FakeReply | readonly FakeReply[]>>
export type FakeReply = FakeAnswer | string | ((call: FakeCall) => FakeAnswer | string | Promise<FakeAnswer | string>)
export type FakeScript =
  FakeTable | ((call: FakeCall) => FakeAnswer | string | undefined | Promise<FakeAnswer | string | undefined>)

export interface FakeShell extends Shell {
  /** In the order they came. */
  readonly calls: readonly FakeCall[]
  /** Their lines. */
  readonly lines: readonly string[]
}

/** A machine on paper. What the script does not answer is a `missing-tool`. */
export function fakeShell(script: FakeScript, label = 'fake host'): FakeShell {
  const calls: FakeCall[] = []
  const answer = answerer(script)
  return {
    label,
    calls,
    get lines() {
      return calls.map((call) => call.line)
    },
    run: (argv, options = {}) =>
      run(argv, options, (call) => {
        calls.push(call)
        return answer(call)
      })
  }
}

type Answerer = (call: FakeCall) => Promise<FakeAnswer | undefined>

function answerer(script: FakeScript): Answerer {
  const reply = typeof script === 'function' ? script : tableReply(script)
  return async (call) => {
    const answer = await reply(call)
    return typeof answer === 'string' ? { stdout: answer } : answer
  }
}

function tableReply(
  table: FakeTable
): (call: FakeCall) => FakeAnswer | string | undefined | Promise<FakeAnswer | string> {
  const used = new Map<string, number>()
  return (call) => {
    const key = [call.line, call.argv[0]].find((candidate) => Object.hasOwn(table, candidate))
    const entry = key === undefined ? undefined : table[key]
    if (key === undefined || entry === undefined) return undefined
    const turn = used.get(key) ?? 0
    used.set(key, turn + 1)
    const reply = isList(entry) ? entry[Math.min(turn, entry.length - 1)] : entry
    return typeof reply === 'function' ? reply(call) : reply
  }
}

const isList = (entry: FakeReply | readonly FakeReply[]): entry is readonly FakeReply[] => Array.isArray(entry)

async function run(argv: Argv, options: RunOptions, answer: Answerer): Promise<RunResult> {
  const limits = watchLimits(argv[0], options)
  const ended = new AbortController()
  const end = (): Promise<void> => {
    ended.abort()
    return Promise.resolve()
  }
  const program = { done: play(argv, options, answer, ended.signal), end }
  try {
    return await supervise(program, limits)
  } finally {
    limits.dispose()
  }
}

async function play(argv: Argv, options: RunOptions, answer: Answerer, ended: AbortSignal): Promise<RunResult> {
  if (options.signal?.aborted === true) fail({ kind: 'cancelled', what: argv[0] })
  const { stdin, fault } = stdinOf(options)
  const call = {
    argv,
    line: argv.join(' '),
    options,
    stdin: () => bytesOf(stdin),
    stdinChunks: () => stdin as AsyncIterable<Uint8Array>,
    ended
  }
  const result = answer(call).then((given) => act(argv, given ?? missing(argv), options, ended))
  return Promise.race([result, fault]).finally(() => stdin.destroy())
}

/** What the program would read, and a promise that only rejects: if the source fails. */
function stdinOf(options: RunOptions): { readonly stdin: PassThrough; readonly fault: Promise<never> } {
  const stdin = new PassThrough()
  const fault = feed(stdin, options.stdin).then(() => new Promise<never>(() => undefined))
  fault.catch(() => undefined)
  return { stdin, fault }
}

async function bytesOf(stream: Readable): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream as AsyncIterable<Uint8Array>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const missing = (argv: Argv): FakeAnswer => ({ failure: { kind: 'missing-tool', tool: argv[0] } })

async function act(argv: Argv, answer: FakeAnswer, options: RunOptions, ended: AbortSignal): Promise<RunResult> {
  if (answer.delayMs !== undefined) await pause(answer.delayMs, ended)
  if (answer.failure) throw new StillpointError(answer.failure)
  const { stdout, stderr } = outputsOf(argv[0], options)
  const streams = [readable(answer.stdout), readable(answer.stderr)] as const
  ended.addEventListener('abort', () => {
    for (const stream of streams) stream.destroy()
  })
  await Promise.all([pump(streams[0], stdout.take), pump(streams[1], stderr.take)])
  const exitCode = answer.signal === undefined ? (answer.exitCode ?? 0) : undefined
  return { exitCode, signal: answer.signal, stdout: stdout.text(), stderr: stderr.text() }
}

function readable(stream: Stream | undefined): Readable {
  if (stream === undefined) return Readable.from([])
  if (typeof stream === 'string' || stream instanceof Uint8Array) return Readable.from([Buffer.from(stream)])
  return Readable.from(stream)
}

function pause(ms: number, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    ended.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
