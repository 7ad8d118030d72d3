import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { RUNS_DIR } from '../../shared/host-paths.ts'
import { Policy, RunEntry, RunId, type RunReport } from '../../shared/model/policy.ts'
import { writeDurably } from '../../store/durable.ts'
import { JOURNAL_NAME } from '../journal/journal-end.ts'
import { JsonLines, lastLine, readLines, syncDirectory } from '../journal/json-lines.ts'
import { runReportOf } from './run-report.ts'

type WithoutStamp<T> = T extends unknown ? Omit<T, 'n' | 'at'> : never
export type RunEvent = WithoutStamp<RunEntry>

export const runDirectory = (id: string): string => `${RUNS_DIR}/${id}`
const journalPath = (id: string): string => `${runDirectory(id)}/${JOURNAL_NAME}`
/** The policy as the run began with it, whatever becomes of its file. */
const policyPath = (id: string): string => `${runDirectory(id)}/policy.json`

/** Ids of all runs on this host, oldest first. */
export function runIds(): string[] {
  if (!existsSync(RUNS_DIR)) return []
  return readdirSync(RUNS_DIR)
    .filter((name) => RunId.safeParse(name).success)
    .sort()
}

export async function writeRunPolicy(id: string, policy: Policy): Promise<void> {
  mkdirSync(runDirectory(id), { recursive: true, mode: 0o700 })
  await writeDurably(policyPath(id), Buffer.from(JSON.stringify(policy)))
  syncDirectory(RUNS_DIR)
}

export function readRunPolicy(id: string): Policy | undefined {
  try {
    return Policy.safeParse(JSON.parse(readFileSync(policyPath(id), 'utf8'))).data
  } catch {
    return undefined
  }
}

/** A run's journal, each entry on disk before `append` returns. One process writes at a time: the run's, then its recovery. */
export class RunJournal {
  private readonly lines: JsonLines

  constructor(id: string) {
    this.lines = JsonLines.open(journalPath(id), readRunEntries(id).at(-1)?.n)
  }

  append(event: RunEvent): void {
    this.lines.append(event)
  }

  close(): void {
    this.lines.close()
  }
}

/** All whole entries that this engine understands. */
export const readRunEntries = (id: string): RunEntry[] => readLines(journalPath(id)).flatMap(parseEntry)

/**
 * Undefined: no such run here, or not begun, or its journal cannot be read, which is no trouble of any other. Of one that has
 * ended only the last line is read: there may be a thousand.
 */
export function readRun(id: string): RunReport | undefined {
  try {
    const [last] = parseEntry(lastLine(journalPath(id)) ?? '')
    return last?.type === 'end' ? last.report : runReportOf(readRunEntries(id))
  } catch {
    return undefined
  }
}

/** Ids of the runs that have no end, oldest first; also of those that cannot be read. */
export const openRuns = (): string[] => runIds().filter((id) => readRun(id)?.endedAt === undefined)

/** Its journal is there, and the file system does not give it. */
export function isUnread(id: string): boolean {
  if (readRun(id) !== undefined) return false
  try {
    readRunEntries(id)
    return false
  } catch {
    return true
  }
}

export const removeRun = (id: string): void => rmSync(runDirectory(id), { recursive: true, force: true })

function parseEntry(line: string): RunEntry[] {
  try {
    const parsed = RunEntry.safeParse(JSON.parse(line))
    return parsed.success ? [parsed.data] : []
  } catch {
    return []
  }
}
