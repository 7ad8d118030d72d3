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

interface Known {
  readonly id: string
  readonly isOpen: boolean
}

/**
 * Asks for everything that may be new beside what is known of a host; of one that nothing is known of, for everything. What
 * is named by a time to come was begun under a clock that went wrong: it is no measure for what comes after.
 */
export function questionAfter(
  known: readonly Known[],
  differMs: number,
  now: Date = new Date()
): QuestionOf<'jobs'> & QuestionOf<'runs'> {
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

/** What ended on the host while nobody watched is written down, each once; and what there was no room for before. */
export async function catchUp(host: string, ask: AskPast, history: History): Promise<void> {
  const after = async (kind: 'job' | 'run'): Promise<ReturnType<typeof questionAfter>> => {
    const known = [...(await history.idsOf(kind, host))].map((id) => ({ id, isOpen: false }))
    const leftOut = await history.oldestLeftOut(kind, host)
    return questionAfter(
      leftOut === undefined ? known : [...known, { id: leftOut, isOpen: true }],
      CLOCKS_DIFFER_MS.atContact
    )
  }
  const jobs = await ask('jobs', await after('job'))
  await history.addAgain('job', host, () => history.addJobs(jobs))
  const runs = await ask('runs', await after('run'))
  await history.addAgain('run', host, () => history.addRuns(runs))
}
