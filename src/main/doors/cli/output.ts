import { failureFrom } from '../../../shared/failure-data.ts'
import { describeFailure } from '../../../shared/failure-words.ts'
import type { Failure } from '../../../shared/failure.ts'
import type { Progress } from '../../../shared/model/job.ts'
import { safeJson, safeText } from '../../../shared/safe-text.ts'
import { ProgressBar } from './progress-bar.ts'
import { ProgressLines } from './progress-lines.ts'

/** One line, or several. What looks like a line end within one is not ours, and is shown as text. */
export type Lines = string | readonly string[]

/**
 * Where a command's words go: nothing else of the terminal's door writes. Whatever comes from hosts is escaped here, once,
 * for every command.
 */
export interface Output {
  readonly json: boolean
  /** For people: part of the answer, on stdout. */
  line(text: Lines): void
  /** For people: said in passing, on stderr. For machines: a line of the type given. */
  note(text: Lines, type?: 'note' | 'warning'): void
  /** For machines only. */
  event(type: string, fields: Readonly<Record<string, unknown>>): void
  progress(progress: Progress): void
  /** Takes the bar away, so that a question or an answer can stand there. */
  clear(): void
  /** For machines: the last line. */
  result(fields: Readonly<Record<string, unknown>>): void
  failed(failure: Failure, fields?: Readonly<Record<string, unknown>>): void
}

export interface Streams {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean }
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number }
}

export const output = (json: boolean, streams: Streams): Output => (json ? jsonOutput(streams) : humanOutput(streams))

function jsonOutput({ stdout }: Streams): Output {
  const write = (value: Readonly<Record<string, unknown>>): void => void stdout.write(`${safeJson(value)}\n`)
  return {
    json: true,
    line: () => undefined,
    note: (text, type = 'note') => write({ type, text: linesOf(text).join('\n') }),
    event: (type, fields) => write({ type, ...fields }),
    progress: (progress) => write({ type: 'progress', ...progress }),
    clear: () => undefined,
    result: (fields) => write({ type: 'result', ok: true, ...fields }),
    failed: (failure, fields) =>
      write({ type: 'result', ok: false, failure: published(failure), words: describeFailure(failure), ...fields })
  }
}

/** A bug's stack belongs into the log. */
function published(told: Failure): Failure {
  const failure = failureFrom(told)
  return failure.kind === 'bug' ? { ...failure, message: failure.message.split('\n')[0] ?? '' } : failure
}

function humanOutput({ stdout, stderr }: Streams): Output {
  const bar = stderr.isTTY === true ? new ProgressBar(stderr) : new ProgressLines(stderr)
  const say = (stream: NodeJS.WritableStream, text: Lines): void => {
    bar.clear()
    stream.write(printed(text))
  }
  return {
    json: false,
    line: (text) => say(stdout, text),
    note: (text, type = 'note') => say(stderr, type === 'warning' ? warning(linesOf(text)) : text),
    event: () => undefined,
    progress: (progress) => bar.show(progress),
    clear: () => bar.clear(),
    result: () => bar.clear(),
    failed: (failure) => say(stderr, failureText(failure))
  }
}

/** What leaves the process for these lines. */
export const printed = (text: Lines): string =>
  linesOf(text)
    .map((line) => `${safeText(line)}\n`)
    .join('')

const linesOf = (text: Lines): readonly string[] => (typeof text === 'string' ? [text] : text)

const warning = ([first = '', ...more]: readonly string[]): Lines => [`Warning: ${first}`, ...more]

/** Its words have lines of their own, and only those. */
function failureText(failure: Failure): Lines {
  const { title, explanation, nextStep } = describeFailure(failure)
  return [title, explanation, nextStep].filter((part) => part !== '').flatMap((part) => part.split('\n'))
}
