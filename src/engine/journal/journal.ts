import { closeSync, existsSync, fdatasyncSync, fsyncSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { JournalEntry, type JournalEvent } from '../../shared/model/job.ts'

/** Entries that may be lost in a crash: nothing is decided by them. */
const UNSYNCED: ReadonlySet<JournalEvent['type']> = new Set(['progress'])

/**
 * A job's journal: JSON lines, appended, each on disk before `append` returns (but for progress).
 * One process writes at a time: the job's, then its recovery.
 */
export class Journal {
  private readonly fd: number
  private next: number
  readonly path: string

  private constructor(path: string, fd: number, next: number) {
    this.path = path
    this.fd = fd
    this.next = next
  }

  static open(path: string): Journal {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const isNew = !existsSync(path)
    const entries = isNew ? [] : readJournal(path)
    const torn = !isNew && !endsWithNewline(path)
    const fd = openSync(path, 'a', 0o600)
    if (torn) writeSync(fd, '\n')
    if (isNew) syncDirectory(dirname(path))
    return new Journal(path, fd, (entries.at(-1)?.n ?? -1) + 1)
  }

  append(event: JournalEvent): void {
    const entry = { n: this.next++, at: new Date().toISOString(), ...event }
    writeSync(this.fd, `${JSON.stringify(entry)}\n`)
    if (!UNSYNCED.has(event.type)) fdatasyncSync(this.fd)
  }

  close(): void {
    closeSync(this.fd)
  }
}

/** All whole entries. A torn last line, as a crash leaves it, is passed over. */
export function readJournal(path: string): JournalEntry[] {
  if (!existsSync(path)) return []
  return readFileSync(path, 'utf8').split('\n').flatMap(parseEntry)
}

export function parseEntry(line: string): JournalEntry[] {
  try {
    const parsed = JournalEntry.safeParse(JSON.parse(line))
    return parsed.success ? [parsed.data] : []
  } catch {
    return []
  }
}

export function syncDirectory(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function endsWithNewline(path: string): boolean {
  const text = readFileSync(path)
  return text.length === 0 || text.at(-1) === 0x0a
}
