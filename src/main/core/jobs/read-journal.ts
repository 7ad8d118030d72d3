import { describeFailure } from '../../../shared/failure-words.ts'
import { formatBytes, formatDuration, formatPause } from '../../../shared/format.ts'
import type { JournalEntry } from '../../../shared/model/job.ts'
import type { LogLine } from '../../../shared/views/job-view.ts'
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

/** A journal as lines to read; progress is left out. */
export const logLines = (entries: readonly JournalEntry[]): LogLine[] =>
  entries
    .filter(({ type }) => type !== 'progress')
    .map((entry) => ({ at: entry.at, type: entry.type, text: textOf(entry), raw: JSON.stringify(entry) }))

function textOf(entry: JournalEntry): string {
  switch (entry.type) {
    case 'begin':
      return `the ${entry.spec.kind} of ${entry.spec.vmName} was begun on ${entry.spec.hostName}`
    case 'step':
      return `${entry.step} …`
    case 'step-done':
      return `${entry.step} took ${formatDuration(entry.ms)}`
    case 'pause':
      return `the VM stood still ${formatPause(entry.pause.ms)} (${entry.pause.phase}, by ${entry.pause.source})`
    case 'fact':
      return Object.entries(entry.fact)
        .map(([name, value]) => `${name}: ${name === 'sizeBytes' ? formatBytes(Number(value)) : JSON.stringify(value)}`)
        .join(', ')
    case 'note':
    case 'warning':
      return entry.text
    case 'progress':
      return entry.progress.phase
    case 'end':
      return entry.report.failure === undefined
        ? `ended: ${entry.report.state}`
        : `ended: ${entry.report.state}. ${describeFailure(entry.report.failure).title}`
  }
}
