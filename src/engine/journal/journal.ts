import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { JournalEntry, type JournalEvent } from '../../shared/model/job.ts'
import { isOfPivot } from '../capture/capture-plan.ts'
import { SEEN_STEP } from '../evidence/seen.ts'
import { dropBallast } from './ballast.ts'
import { JsonLines, lastLine, readLines } from './json-lines.ts'

export interface JournalOptions {
  /** Entries that are there already: what says the same as one of them is not written again. For passes after passes of an undo. */
  readonly unlike?: readonly JournalEntry[]
}

/**
 * A job's journal: each entry is on disk before `append` returns. One process writes at a time: the job's, then its
 * recovery. On a full file system it gives up its ballast first. How far a job has got is no part of it: the last word on
 * that lies in a file beside it, and may be lost.
 */
export class Journal {
  readonly path: string
  private readonly lines: JsonLines
  private readonly known: Set<string> | undefined
  private hasEnded = false
  /** What could not be written, once an undo must not fail for want of room. */
  private waiting: JournalEvent[] | undefined

  private constructor(path: string, lines: JsonLines, known: Set<string> | undefined) {
    this.path = path
    this.lines = lines
    this.known = known
  }

  static open(path: string, { unlike }: JournalOptions = {}): Journal {
    return new Journal(path, JsonLines.open(path, lastNumber(path)), unlike && new Set(unlike.flatMap(sameness)))
  }

  /**
   * From now on `append` never fails: what cannot be written waits, and is written before the next entry that can. An undo
   * goes by what *is*, so it may go on without its notes; a job may not.
   */
  forgive(): void {
    this.waiting ??= []
  }

  /** Of a job that has ended there is nothing more to say. */
  append(event: JournalEvent): void {
    if (this.hasEnded) return
    if (event.type === 'progress') this.writeProgress(event)
    else if (this.isKnown(event)) return
    else if (this.waiting === undefined) this.write(event)
    else this.writeOrWait(this.waiting, event)
  }

  /** Writes what waits. @throws what the file system says */
  flush(): void {
    for (let next = this.waiting?.[0]; next !== undefined; next = this.waiting?.[0]) {
      this.write(next)
      this.waiting?.shift()
    }
  }

  /**
   * Writes what waits and then the end, unless there is one, and lets go of what a job under way needs beside its journal.
   *
   * @throws what the file system says: then the job has no end yet
   */
  end(event: Extract<JournalEvent, { type: 'end' }>): void {
    if (this.hasEnded) return
    this.flush()
    this.write(event)
    this.hasEnded = true
    this.letGo()
  }

  /** Never fails, or a job that has ended would be undone. What stays goes with the job's folder. */
  private letGo(): void {
    try {
      dropBallast(this.path)
      rmSync(progressPath(this.path), { force: true })
    } catch {
      // The file system is broken, or can only be read by now.
    }
  }

  close(): void {
    this.lines.close()
  }

  private write(event: JournalEvent): void {
    try {
      this.lines.append(event)
    } catch (error) {
      if (!saysFull(error) || !dropBallast(this.path)) throw error
      this.lines.append(event)
    }
  }

  private writeOrWait(waiting: JournalEvent[], event: JournalEvent): void {
    waiting.push(event)
    try {
      this.flush()
    } catch {
      // It waits.
    }
  }

  /** Whoever reads finds the whole of it, old or new. */
  private writeProgress(event: JournalEvent): void {
    const entry = { n: this.lines.nextNumber, at: new Date().toISOString(), ...event }
    try {
      writeFileSync(`${progressPath(this.path)}.new`, JSON.stringify(entry), { mode: 0o600 })
      renameSync(`${progressPath(this.path)}.new`, progressPath(this.path))
    } catch {
      rmSync(`${progressPath(this.path)}.new`, { force: true })
    }
  }

  private isKnown(event: JournalEvent): boolean {
    if (this.known === undefined) return false
    const [text] = sameness(event)
    if (text === undefined) return false
    if (this.known.has(text)) return true
    this.known.add(text)
    return false
  }
}

/** What makes two entries say the same, of those kinds of which once is enough: an owner may pause a VM more than once. */
function sameness(event: JournalEvent): string[] {
  if (event.type === 'step' && (event.step === SEEN_STEP || isOfPivot(event.step))) return []
  if (event.type === 'step') return [JSON.stringify([event.type, event.step, event.data])]
  if (event.type === 'step-done') return [JSON.stringify([event.type, event.step])]
  if (event.type === 'note' || event.type === 'warning') return [JSON.stringify([event.type, event.text])]
  return event.type === 'fact' ? [JSON.stringify([event.type, event.fact])] : []
}

const saysFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')

const progressPath = (journal: string): string => `${dirname(journal)}/progress.json`

/** The last word on how far a job under way has got, if there is one; its number is that of the journal's next entry. */
export function readProgress(journal: string): JournalEntry | undefined {
  try {
    return parseEntry(readFileSync(progressPath(journal), 'utf8'))[0]
  } catch {
    return undefined
  }
}

function lastNumber(path: string): number | undefined {
  const [last] = parseEntry(lastLine(path) ?? '')
  return last === undefined ? readJournal(path).at(-1)?.n : last.n
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
