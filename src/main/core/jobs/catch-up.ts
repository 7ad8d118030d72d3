import type { QuestionOf, ResultOf } from '../../../shared/engine-protocol.ts'
import type { JobReport } from '../../../shared/model/job.ts'
import type { RunReport } from '../../../shared/model/policy.ts'
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

/** Asks for everything that may be new beside what is known of a host; of one that nothing is known of, for everything. */
export function questionAfter(known: readonly Known[], differMs: number): QuestionOf<'jobs'> & QuestionOf<'runs'> {
  const ids = known.map(({ id }) => id).sort()
  const open = known.filter(({ isOpen }) => isOpen).map(({ id }) => id)
  const newest = ids.at(-1)
  if (newest === undefined) return { limit: ALL }
  return { after: [idBefore(newest, differMs), ...open.map((id) => idBefore(id, 1000))].sort()[0] ?? newest }
}

/** An id that sorts before all that are younger than this one was so long before. */
export function idBefore(id: string, ms: number): string {
  const at = Date.parse(id.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z.*/, '$1-$2-$3T$4:$5:$6Z'))
  return `${new Date(at - ms).toISOString().replaceAll(/[-:]|\.\d+/g, '')}-000000`
}

/** As they are called here: reports carry the name that whoever began them gave the host. */
export const calledHere = <T extends JobReport | RunReport>(host: string, reports: readonly T[]): readonly T[] =>
  reports.map((report) => ({ ...report, host }))

/** Asks the engine of a host. */
export type AskPast = <V extends 'jobs' | 'runs'>(verb: V, question: QuestionOf<V>) => Promise<ResultOf<V>>

/** What ended on the host while nobody watched is written down, each once. */
export async function catchUp(host: string, ask: AskPast, history: History): Promise<void> {
  const knownOf = (reports: readonly (JobReport | RunReport)[]): Known[] =>
    reports.flatMap(({ id, host: where }) => (where === host ? [{ id, isOpen: false }] : []))
  const jobs = questionAfter(knownOf(history.jobs()), CLOCKS_DIFFER_MS.atContact)
  history.addJobs(calledHere(host, await ask('jobs', jobs)))
  const runs = questionAfter(knownOf(history.runs()), CLOCKS_DIFFER_MS.atContact)
  history.addRuns(calledHere(host, await ask('runs', runs)))
}
