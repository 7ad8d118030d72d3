import * as z from 'zod'
import { LONGEST_ANSWER_BYTES, LONGEST_LINE_BYTES } from '../../../shared/engine-limits.ts'
import {
  engineVerbs,
  type EngineVerb,
  type EventOf,
  type QuestionOf,
  type ResultOf
} from '../../../shared/engine-protocol.ts'
import { fail, StillpointError, type Failure } from '../../../shared/failure.ts'
import { COMPILED_ENV } from '../../../shared/host-paths.ts'
import { hostFailureFrom, hostFailureIn } from '../../../shared/failure-data.ts'
import type { JobReport, JournalEntry } from '../../../shared/model/job.ts'
import { isObject } from '../../../shared/result-places.ts'
import { shorten } from '../../../shared/safe-text.ts'
import type { RunOptions, RunResult, Shell } from '../../../shared/shell.ts'
import { CharactersInTurns, othersTurn } from '../../../shared/turns.ts'
import type { PolicyListing } from '../../../shared/views/policy-view.ts'
import { calledHere, failureOn } from './called-here.ts'
import { portionsOf, type Check, type PartOf } from './checked-in-turns.ts'
import { GrowingResult, type ResultLine } from './growing-result.ts'
import { LineCutter, parseLine } from './json-lines.ts'

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

const LISTS: readonly EngineVerb[] = ['points', 'jobs', 'runs', 'prune-plan', 'recover', 'doctor']
const kindOf = (verb: EngineVerb): keyof typeof LONGEST_ANSWER_BYTES =>
  verb === 'follow' ? 'followed' : LISTS.includes(verb) ? 'lists' : 'others'
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

type Line = ResultLine | { readonly event: unknown } | { readonly failure: unknown }
const LINES: ReadonlySet<string> = new Set(['event', 'result', 'begun', 'more of', 'ended', 'failure'])

/** Undefined: not a line of the protocol. */
function lineIn(text: string): Line | undefined {
  const value = parseLine(text)
  if (!isObject(value)) return undefined
  const keys = Object.keys(value)
  return keys.length <= 2 && LINES.has(keys.toSorted().join(' ')) ? (value as Line) : undefined
}

/** What the engine has said so far to one question. */
class Answer<V extends EngineVerb> {
  private readonly what: string
  private readonly host: string
  private readonly verb: V
  /** The job that the question is about, if it is about one. */
  private readonly job: string | undefined
  private readonly onEvent: CallOptions<EventOf<V>>['onEvent']
  private readonly lines: LineCutter
  private readonly turns = new CharactersInTurns()
  private readonly longestBytes: number
  private answeredBytes = 0
  private readonly growing: GrowingResult
  private result: { readonly value: ResultOf<V> } | undefined
  private failure: Failure | undefined

  constructor(host: string, verb: V, question: QuestionOf<V>, onEvent: CallOptions<EventOf<V>>['onEvent']) {
    this.what = `the engine on ${host} (${verb})`
    this.host = host
    this.verb = verb
    this.job = OF_ONE_JOB.has(verb) && 'id' in question ? question.id : undefined
    this.onEvent = onEvent
    this.longestBytes = LONGEST_ANSWER_BYTES[kindOf(verb)]
    this.lines = new LineCutter(this.what, LONGEST_LINE_BYTES)
    const check: Check = (schema, value, at) => this.parsed('result', value, schema, at)
    this.growing = new GrowingResult(engineVerbs[verb].result, check, (why) => this.bad(why))
  }

  /** What comes costs, and so does what it then says. */
  async take(chunk: Uint8Array): Promise<void> {
    await this.turns.taken(chunk.byteLength)
    for (const text of this.lines.push(chunk)) {
      await this.takeLine(text)
      await this.turns.taken(text.length)
    }
  }

  end({ exitCode, signal, stderr }: RunResult): ResultOf<V> {
    if (this.failure !== undefined) throw new StillpointError(this.failure)
    if (this.result !== undefined) return this.result.value
    if (exitCode === 0) return this.bad('it ended without an answer, or in the middle of one')
    const how = signal ?? (this.lines.unfinishedBytes > 0 ? 'in the middle of a line' : 'without an answer')
    return fail({ kind: 'command-failed', command: this.what, exitCode, stderr: `ended ${how}\n${stderr}` })
  }

  private async takeLine(text: string): Promise<void> {
    const line = lineIn(text)
    if (line === undefined) return this.bad(`not a line of the protocol: ${shorten(text, 200)}`)
    if (this.result !== undefined || this.failure !== undefined) return this.bad('it went on behind its end')
    if ('failure' in line) this.failure = toldBy(this.host, this.what, line.failure)
    else if ('event' in line) await this.takeEvent(line.event)
    else await this.takeAnswer(line, text)
  }

  private async takeEvent(event: unknown): Promise<void> {
    if (this.growing.isBegun) this.bad('an event came within its answer')
    await this.onEvent?.(this.said('event', this.parsed('event', event, engineVerbs[this.verb].event)) as EventOf<V>)
  }

  private async takeAnswer(line: ResultLine, text: string): Promise<void> {
    this.answeredBytes += Buffer.byteLength(text)
    if (this.answeredBytes > this.longestBytes) this.tooLong()
    const whole = await this.growing.take(line, text.length)
    if (whole !== undefined) this.result = { value: (await this.saidInTurns(whole.value)) as ResultOf<V> }
  }

  private tooLong(): never {
    const { verb: what, host, longestBytes: limitBytes } = this
    return fail({ kind: 'output-too-large', what, limitBytes, host })
  }

  private parsed(part: 'event' | 'result', value: unknown, schema: z.ZodType, at?: PartOf): unknown {
    const parsed = schema.safeParse(value)
    return parsed.success ? parsed.data : this.bad(`${part} is not as agreed: ${wordsOf(parsed.error, at)}`)
  }

  private async saidInTurns(data: unknown): Promise<unknown> {
    if (Array.isArray(data)) return inPortions(data, (some) => this.said('result', some) as unknown[])
    if (this.verb !== 'policies') return this.said('result', data)
    const listing = data as PolicyListing
    const said = (policies: PolicyListing['policies']): PolicyListing['policies'] =>
      (this.said('result', { ...listing, policies }) as PolicyListing).policies
    return { ...listing, policies: await inPortions(listing.policies, said) }
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

async function inPortions<T>(all: readonly T[], said: (some: T[]) => readonly T[]): Promise<T[]> {
  const whole: T[] = []
  for (const some of portionsOf(all)) {
    if (whole.length > 0) await othersTurn()
    whole.push(...said(some))
  }
  return whole
}

/** A host can be wrong in thousands of places: a few are told. */
function wordsOf({ issues }: z.ZodError, { list, before }: PartOf = { list: [], before: 0 }): string {
  const told = issues.slice(0, ISSUES_TOLD).map((issue) => {
    const [first, ...rest] = issue.path
    const within = first === undefined ? [] : [typeof first === 'number' ? first + before : first, ...rest]
    return { ...issue, path: [...list, ...within] }
  })
  return shorten(z.prettifyError(new z.ZodError(told)), 500)
}

/** What an engine cannot say, or says in no form that is known, is still why it ended. */
function toldBy(host: string, what: string, value: unknown): Failure {
  const said = hostFailureIn(value)
  return said === undefined ? hostFailureFrom(value, what) : failureOn(host, said)
}

const OF_ONE_JOB: ReadonlySet<EngineVerb> = new Set(['follow', 'cancel'])

/** The job that a report or a line of a journal is of, where it says so. */
function jobIn(said: JobReport | JournalEntry): string | undefined {
  if (!('type' in said) || said.type === 'begin') return said.id
  return said.type === 'end' ? said.report.id : undefined
}

/** The failure in the last line of what should have been a stream, if there is one. */
export function failureInTail(tail: string, host: string): Failure | undefined {
  const text = tail.trimEnd()
  const line = lineIn(text.slice(text.lastIndexOf('{"failure"')))
  return line !== undefined && 'failure' in line ? toldBy(host, `the engine on ${host}`, line.failure) : undefined
}
