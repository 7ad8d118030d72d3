import { setImmediate } from 'node:timers/promises'
import * as z from 'zod'
import { LONGEST_ANSWER_BYTES, MOST_ANSWERED } from '../../../shared/engine-limits.ts'
import {
  engineVerbs,
  type EngineVerb,
  type EventOf,
  type QuestionOf,
  type ResultOf
} from '../../../shared/engine-protocol.ts'
import { fail, StillpointError, type Failure } from '../../../shared/failure.ts'
import { COMPILED_ENV } from '../../../shared/host-paths.ts'
import { hostFailureFrom } from '../../../shared/failure-data.ts'
import type { JobReport, JournalEntry } from '../../../shared/model/job.ts'
import { shorten } from '../../../shared/safe-text.ts'
import type { RunOptions, RunResult, Shell } from '../../../shared/shell.ts'
import { calledHere, failureOn } from './called-here.ts'
import { checkedInTurns, type PartOf } from './checked-in-turns.ts'
import { LineCutter } from './json-lines.ts'

/** An engine that is in place on a host. */
export interface PlacedEngine {
  readonly shell: Shell
  readonly host: string
  readonly node: string
  readonly engine: string
}

export interface CallOptions<E> {
  /** Events come one after the other; a promise holds the engine back. */
  readonly onEvent?: (event: E) => void | Promise<void>
  /** Written behind the question: the point stream of `import`. */
  readonly stream?: AsyncIterable<Uint8Array>
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
}

/** An answer that is longer comes in parts, whose text is held three times over: parts, their text, what that says. */
const LONGEST_LINE_BYTES = 32 << 20
const LISTS: readonly EngineVerb[] = ['points', 'jobs', 'runs', 'prune-plan', 'recover', 'doctor']
const kindOf = (verb: EngineVerb): keyof typeof LONGEST_ANSWER_BYTES =>
  verb === 'follow' ? 'followed' : LISTS.includes(verb) ? 'lists' : 'others'
/** Elements that are checked before whoever else has to be served is. */
const CHECKED_AT_ONCE = 200
const ISSUES_TOLD = 5

/** Asks the engine. Nothing it says is taken unchecked. @throws what the engine failed with, `bad-output`, the shell's failures */
export async function engineCall<V extends EngineVerb>(
  placed: PlacedEngine,
  verb: V,
  question: QuestionOf<V>,
  options: CallOptions<EventOf<V>> = {}
): Promise<ResultOf<V>> {
  const answer = new Answer<V>(placed.host, verb, question, options.onEvent)
  const result = await runReading(placed, verb, question, options, (chunk) => answer.take(chunk))
  return answer.end(result)
}

/** An exception of ours while reading ends the program, and is what the caller sees. */
async function runReading(
  { shell, node, engine }: PlacedEngine,
  verb: EngineVerb,
  question: unknown,
  options: CallOptions<never>,
  take: (chunk: Uint8Array) => Promise<void>
): Promise<RunResult> {
  const stop = new AbortController()
  let problem: Error | undefined
  const onStdout = async (chunk: Uint8Array): Promise<void> => {
    if (problem !== undefined) return
    try {
      await take(chunk)
    } catch (error) {
      problem = error as Error
      stop.abort()
    }
  }
  try {
    const result = await shell.run([node, engine, verb], { ...runOptions(question, options, stop.signal), onStdout })
    if (problem === undefined) return result
  } catch (error) {
    if (problem === undefined) throw error
  }
  throw problem
}

function runOptions(question: unknown, options: CallOptions<never>, stop: AbortSignal): RunOptions {
  return {
    stdin: options.stream === undefined ? questionLine(question) : questionThen(question, options.stream),
    signal: options.signal === undefined ? stop : AbortSignal.any([stop, options.signal]),
    env: COMPILED_ENV,
    timeoutMs: options.timeoutMs ?? 120_000
  }
}

export const questionLine = (question: unknown): string => `${JSON.stringify(question)}\n`

async function* questionThen(question: unknown, stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield Buffer.from(questionLine(question))
  yield* stream
}

const Line = z.union([
  z.strictObject({ event: z.unknown() }),
  z.strictObject({ result: z.unknown() }),
  z.strictObject({ part: z.string() }),
  z.strictObject({ parts: z.number() }),
  z.strictObject({ failure: z.unknown() })
])

/** What the engine has said so far to one question. */
class Answer<V extends EngineVerb> {
  private readonly what: string
  private readonly host: string
  private readonly verb: V
  /** The job that the question is about, if it is about one. */
  private readonly job: string | undefined
  private readonly onEvent: CallOptions<EventOf<V>>['onEvent']
  private readonly lines: LineCutter
  private readonly longestBytes: number
  private result: { readonly value: ResultOf<V> } | undefined
  private failure: Failure | undefined
  private parts: string[] = []
  private partCharacters = 0

  constructor(host: string, verb: V, question: QuestionOf<V>, onEvent: CallOptions<EventOf<V>>['onEvent']) {
    this.what = `the engine on ${host} (${verb})`
    this.host = host
    this.verb = verb
    this.job = OF_ONE_JOB.has(verb) && 'id' in question ? question.id : undefined
    this.onEvent = onEvent
    this.longestBytes = LONGEST_ANSWER_BYTES[kindOf(verb)]
    this.lines = new LineCutter(this.what, Math.min(LONGEST_LINE_BYTES, this.longestBytes))
  }

  async take(chunk: Uint8Array): Promise<void> {
    for (const text of this.lines.push(chunk)) if (text !== '') await this.takeLine(text)
  }

  end({ exitCode, signal, stderr }: RunResult): ResultOf<V> {
    if (this.failure !== undefined) throw new StillpointError(this.failure)
    if (this.result !== undefined) return this.result.value
    if (exitCode === 0) return this.bad('it ended without an answer')
    const how = signal ?? (this.lines.unfinishedBytes > 0 ? 'in the middle of a line' : 'without an answer')
    return fail({ kind: 'command-failed', command: this.what, exitCode, stderr: `ended ${how}\n${stderr}` })
  }

  private async takeLine(text: string): Promise<void> {
    const line = Line.safeParse(parseJson(text))
    if (!line.success) return this.bad(`not a line of the protocol: ${shorten(text, 200)}`)
    if ('failure' in line.data) this.failure = toldBy(this.host, this.what, line.data.failure)
    else if ('result' in line.data) this.result = { value: (await this.checkedResult(line.data.result)) as ResultOf<V> }
    else if ('part' in line.data) this.takePart(line.data.part)
    else if ('parts' in line.data) await this.takeLine(this.joined(line.data.parts))
    else await this.onEvent?.(this.checked('event', line.data.event) as EventOf<V>)
  }

  private takePart(part: string): void {
    this.partCharacters += part.length
    if (this.partCharacters > this.longestBytes) this.tooLong()
    this.parts.push(part)
  }

  private tooLong(): never {
    this.parts = []
    const { verb: what, host, longestBytes: limitBytes } = this
    return fail({ kind: 'output-too-large', what, limitBytes, host })
  }

  private joined(count: number): string {
    const { parts } = this
    if (parts.length === 0 || parts.length !== count) this.bad(`${parts.length} parts of ${count}`)
    this.parts = []
    return parts.join('')
  }

  /** A long list is checked some elements at a time: a host that has, or makes up, thousands holds nobody else up. */
  private async checkedResult(value: unknown): Promise<unknown> {
    const schema: z.ZodType = engineVerbs[this.verb].result
    if (schema instanceof z.ZodObject) {
      const whole = await checkedInTurns(schema, value, (each, part, at) => this.parsed('result', part, each, at))
      return this.said('result', whole)
    }
    if (!isOfList(schema) || !Array.isArray(value) || value.length <= CHECKED_AT_ONCE)
      return this.checked('result', value, schema)
    if (value.length > MOST_ANSWERED.reports) this.tooMany(value.length)
    const checked: unknown[] = []
    for (let from = 0; from < value.length; from += CHECKED_AT_ONCE) {
      checked.push(...(this.checked('result', value.slice(from, from + CHECKED_AT_ONCE), schema) as unknown[]))
      await setImmediate()
    }
    return checked
  }

  private tooMany(count: number): never {
    return this.bad(`${count} entries came, and no host has more than ${MOST_ANSWERED.reports}`)
  }

  private checked(part: 'event' | 'result', value: unknown, schema: z.ZodType = engineVerbs[this.verb][part]): unknown {
    return this.said(part, this.parsed(part, value, schema))
  }

  private parsed(part: 'event' | 'result', value: unknown, schema: z.ZodType, at?: PartOf): unknown {
    const parsed = schema.safeParse(value)
    return parsed.success ? parsed.data : this.bad(`${part} is not as agreed: ${wordsOf(parsed.error, at)}`)
  }

  /** Of the job that it should be of, and called as it is here. */
  private said(part: 'event' | 'result', data: unknown): unknown {
    const { job } = this
    if (job !== undefined && (jobIn(data as JobReport | JournalEntry) ?? job) !== job)
      return this.bad(`${part} is of another job than ${job}`)
    return calledHere(this.host, this.verb, part, data)
  }

  private bad(detail: string): never {
    return fail({ kind: 'bad-output', what: this.what, detail })
  }
}

const isOfList = (schema: z.ZodType): boolean =>
  schema instanceof z.ZodArray || (schema instanceof z.ZodPipe && schema.out instanceof z.ZodArray)

/** A host can be wrong in thousands of places: a few are told. */
function wordsOf({ issues }: z.ZodError, { list, before }: PartOf = { list: [], before: 0 }): string {
  const told = issues.slice(0, ISSUES_TOLD).map((issue) => {
    const [first, ...rest] = issue.path
    const within = first === undefined ? [] : [typeof first === 'number' ? first + before : first, ...rest]
    return { ...issue, path: [...list, ...within] }
  })
  return shorten(z.prettifyError(new z.ZodError(told)), 500)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What an engine cannot say, or says in no form that is known, is still why it ended. */
const toldBy = (host: string, what: string, value: unknown): Failure => failureOn(host, hostFailureFrom(value, what))

const OF_ONE_JOB: ReadonlySet<EngineVerb> = new Set(['follow', 'cancel'])

/** The job that a report or a line of a journal is of, where it says so. */
function jobIn(said: JobReport | JournalEntry): string | undefined {
  if (!('type' in said) || said.type === 'begin') return said.id
  return said.type === 'end' ? said.report.id : undefined
}

/** The failure in the last line of what should have been a stream, if there is one. */
export function failureInTail(tail: string, host: string): Failure | undefined {
  const text = tail.trimEnd()
  const line = Line.safeParse(parseJson(text.slice(text.lastIndexOf('{"failure"'))))
  return line.success && 'failure' in line.data ? toldBy(host, `the engine on ${host}`, line.data.failure) : undefined
}
