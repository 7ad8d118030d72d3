import type { QuestionOf, ResultOf } from '../../../shared/engine-protocol.ts'
import { timeOfId } from '../../../shared/model/ids.ts'
import type { History } from '../settings/history.ts'

const HOUR_MS = 3_600_000

/**
 * How far back ids are asked for again. Whoever starts a job names it by their own clock, so a younger job may have the
 * older name; what is known already is passed over.
 */
export const CLOCKS_DIFFER_MS = { atContact: 24 * HOUR_MS, inBetween: HOUR_MS } as const
/** A host keeps no more of them. */
const ALL = 1000

type PastQuestion = QuestionOf<'jobs'> & QuestionOf<'runs'>

export interface Known {
  readonly id: string
  readonly isOpen: boolean
}

/**
 * Asks for everything that may be new beside what is known of a host; of one that nothing is known of, for everything. What
 * is named by a time to come was begun under a clock that went wrong: it is no measure for what comes after.
 */
export function questionAfter(known: readonly Known[], differMs: number, now: Date = new Date()): PastQuestion {
  const times = known.flatMap(({ id, isOpen }) => (isNamedByTime(id) ? [{ ms: timeOf(id), isOpen }] : []))
  if (times.length === 0) return { limit: ALL }
  const newestMs = times.reduce((newest, { ms }) => Math.max(newest, ms), 0)
  const openMs = times.reduce((oldest, { ms, isOpen }) => (isOpen ? Math.min(oldest, ms - 1000) : oldest), Infinity)
  return { after: idAt(Math.min(newestMs - differMs, now.getTime() - differMs, openMs)) }
}

const timeOf = (id: string): number => Date.parse(timeOfId(id))
const isNamedByTime = (id: string): boolean => !Number.isNaN(timeOf(id))

/** Sorts before all that are named by that time. */
const idAt = (ms: number): string => `${new Date(Math.max(ms, 0)).toISOString().replaceAll(/[-:]|\.\d+/g, '')}-000000`

/** Asks the engine of a host. */
export type AskPast = <V extends 'jobs' | 'runs'>(verb: V, question: QuestionOf<V>) => Promise<ResultOf<V>>

interface Asking<T> {
  readonly kind: 'job' | 'run'
  readonly host: string
  readonly history: History
  readonly known: readonly Known[]
  readonly differMs: number
  readonly ask: (question: PastQuestion) => Promise<T>
  /** Writes down what is new of it. `isNews` is false of what is only asked for once more. */
  readonly heard: (reports: T, isNews: (report: { readonly id: string }) => boolean) => unknown
}

/** Asks a host for what may be new, and for what the history had no room for before. */
export async function askForPast<T>({ kind, host, history, known, differMs, ask, heard }: Asking<T>): Promise<void> {
  const plain = questionAfter(known, differMs)
  const leftOut = history.oldestLeftOut(kind, host)
  if (leftOut === undefined) {
    await heard(await ask(plain), () => true)
    return
  }
  const reports = await ask(questionAfter([...known, { id: leftOut, isOpen: true }], differMs))
  await history.addAgain(kind, host, leftOut, () =>
    heard(reports, ({ id }) => plain.after === undefined || id > plain.after)
  )
}

/** What ended on the host while nobody watched is written down, each once; and what there was no room for before. */
export async function catchUp(host: string, ask: AskPast, history: History): Promise<void> {
  const knownOf = async (kind: 'job' | 'run'): Promise<readonly Known[]> =>
    [...(await history.idsOf(kind, host))].map((id) => ({ id, isOpen: false }))
  const asking = { host, history, differMs: CLOCKS_DIFFER_MS.atContact }
  await askForPast({
    ...asking,
    kind: 'job',
    known: await knownOf('job'),
    ask: (question) => ask('jobs', question),
    heard: (reports) => history.addJobs(reports)
  })
  await askForPast({
    ...asking,
    kind: 'run',
    known: await knownOf('run'),
    ask: (question) => ask('runs', question),
    heard: (reports) => history.addRuns(reports)
  })
}
