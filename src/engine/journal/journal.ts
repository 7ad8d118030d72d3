import { JournalEntry, type JournalEvent } from '../../shared/model/job.ts'
import { JsonLines, readLines } from './json-lines.ts'

/** Entries that may be lost in a crash: nothing is decided by them. */
const UNSYNCED: ReadonlySet<JournalEvent['type']> = new Set(['progress'])

/**
 * A job's journal: each entry is on disk before `append` returns (but for progress).
 * One process writes at a time: the job's, then its recovery.
 */
export class Journal {
  private readonly lines: JsonLines
  readonly path: string

  private constructor(path: string, lines: JsonLines) {
    this.path = path
    this.lines = lines
  }

  static open(path: string): Journal {
    return new Journal(path, JsonLines.open(path, readJournal(path).at(-1)?.n))
  }

  append(event: JournalEvent): void {
    this.lines.append(event, !UNSYNCED.has(event.type))
  }

  close(): void {
    this.lines.close()
  }
}

/** All whole entries. A torn last line, as a crash leaves it, is passed over. */
export const readJournal = (path: string): JournalEntry[] => readLines(path).flatMap(parseEntry)

export function parseEntry(line: string): JournalEntry[] {
  try {
    const parsed = JournalEntry.safeParse(JSON.parse(line))
    return parsed.success ? [parsed.data] : []
  } catch {
    return []
  }
}
