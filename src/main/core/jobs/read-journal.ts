import type { JournalEntry } from '../../../shared/model/job.ts'
import type { Core } from '../core.ts'

const LONGEST_MS = 30_000

/** Everything that a job's journal says so far. Does not wait for the job to end. */
export async function readJournal(core: Core, host: string, id: string): Promise<JournalEntry[]> {
  const entries: JournalEntry[] = []
  const enough = new AbortController()
  const engine = await core.connections.engine(host)
  // A job that runs is followed until it is quiet for a moment: what there is comes at once.
  let quiet: NodeJS.Timeout | undefined
  const onEvent = (entry: JournalEntry): void => {
    entries.push(entry)
    clearTimeout(quiet)
    quiet = setTimeout(() => enough.abort(), 300)
  }
  try {
    await engine.call('follow', { id, from: 0 }, { onEvent, signal: enough.signal, timeoutMs: LONGEST_MS })
  } catch (error) {
    if (!enough.signal.aborted) throw error
  } finally {
    clearTimeout(quiet)
  }
  return entries
}
