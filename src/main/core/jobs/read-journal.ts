import { LONGEST_LOG } from '../../../shared/engine-limits.ts'
import type { JournalEntry } from '../../../shared/model/job.ts'
import type { Core } from '../core.ts'

const LONGEST_MS = 30_000

/** What a job's journal says so far, as much of it as a log may have. Does not wait for the job to end. */
export async function readJournal(core: Core, host: string, id: string): Promise<JournalEntry[]> {
  const entries: JournalEntry[] = []
  const enough = new AbortController()
  const engine = await core.connections.engine(host)
  // A job that runs is followed until it is quiet for a moment: what there is comes at once.
  let quiet: NodeJS.Timeout | undefined
  let characters = 0
  const onEvent = (entry: JournalEntry): void => {
    if (enough.signal.aborted) return
    characters += JSON.stringify(entry).length
    clearTimeout(quiet)
    if (entries.length >= LONGEST_LOG.entries || characters > LONGEST_LOG.characters) {
      entries.push({ n: entry.n, at: entry.at, type: 'note', text: 'The log goes on: it is longer than is shown.' })
      enough.abort()
      return
    }
    entries.push(entry)
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
