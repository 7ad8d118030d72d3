import type { JournalEntry } from '../../shared/model/job.ts'
import type { Shell } from '../../shared/shell.ts'
import { jobContext, type JobContext } from '../jobs/job-context.ts'
import { jobDirectory, journalPath, readSpec } from '../jobs/job-directory.ts'
import { Journal, readJournal } from '../journal/journal.ts'

/** What others than a job's own process and recovery did for its overlays. Its journal may have ended, and ends once. */
const latePath = (id: string): string => `${jobDirectory(id)}/late.jsonl`

export const lateEntries = (id: string): JournalEntry[] => readJournal(latePath(id))

/** All that is noted of a job, in its order. */
export const entriesWithLate = (id: string): JournalEntry[] => [...readJournal(journalPath(id)), ...lateEntries(id)]

/** What may be done for an overlay: announced before and noted after. */
export type OverlayWork = Pick<JobContext, 'shell' | 'step' | 'progress'>

/** Work for an overlay of a job, noted with that job; one that this host does not know of has nobody to read it. */
export async function workLate<T>(shell: Shell, id: string, work: (job: OverlayWork) => Promise<T>): Promise<T> {
  const spec = readSpec(id)
  const progress = (): void => undefined
  if (spec === undefined) return work({ shell, progress, step: (_name, _data, go) => go() })
  const journal = Journal.open(latePath(id), { unlike: lateEntries(id) })
  try {
    return await work({ ...jobContext(id, spec, shell, journal, new AbortController().signal), progress })
  } finally {
    journal.close()
  }
}
