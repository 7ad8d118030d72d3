import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { JOBS_DIR } from '../../shared/host-paths.ts'
import { JobId, timeOfId } from '../../shared/model/ids.ts'
import { JobSpec, type JobReport, type JournalEntry } from '../../shared/model/job.ts'
import { parseEntry, readJournal } from '../journal/journal.ts'
import { lastLine, syncDirectory } from '../journal/json-lines.ts'
import { reportAtStart, reportOf } from '../../shared/job-report.ts'

export const jobDirectory = (id: string): string => `${JOBS_DIR}/${id}`
export const journalPath = (id: string): string => `${jobDirectory(id)}/journal.jsonl`
export const specPath = (id: string): string => `${jobDirectory(id)}/spec.json`
const cancelPath = (id: string): string => `${jobDirectory(id)}/cancel`

/** Writes a job's order, so that it is there whole or not at all. */
export function writeSpec(id: string, spec: JobSpec): void {
  mkdirSync(jobDirectory(id), { recursive: true, mode: 0o700 })
  writeFileSync(`${specPath(id)}.new`, JSON.stringify(spec), { mode: 0o600, flush: true })
  renameSync(`${specPath(id)}.new`, specPath(id))
  syncDirectory(jobDirectory(id))
}

export function readSpec(id: string): JobSpec | undefined {
  return existsSync(specPath(id)) ? JobSpec.parse(JSON.parse(readFileSync(specPath(id), 'utf8'))) : undefined
}

/** Notes that the end of this job was asked for, as against a host that shuts down. */
export function askForCancel(id: string): void {
  writeFileSync(cancelPath(id), '', { flush: true })
}

export const cancelWasAsked = (id: string): boolean => existsSync(cancelPath(id))

/** Ids of all jobs on this host, oldest first. */
export function jobIds(): string[] {
  if (!existsSync(JOBS_DIR)) return []
  return readdirSync(JOBS_DIR)
    .filter((name) => JobId.safeParse(name).success)
    .sort()
}

/**
 * What is known of a job, from its order and its journal. Undefined: no such job here. Of one that has ended only the last
 * line is read: there may be thousands, and each job that begins looks at all of them.
 */
export function readReport(id: string, known?: readonly JournalEntry[]): JobReport | undefined {
  const report = known === undefined ? (endOf(id) ?? reportOf(readJournal(journalPath(id)))) : reportOf(known)
  if (report !== undefined) return report
  const spec = readSpec(id)
  return spec === undefined ? undefined : reportAtStart(id, spec, timeOfId(id))
}

function endOf(id: string): JobReport | undefined {
  const [last] = parseEntry(lastLine(journalPath(id)) ?? '')
  return last?.type === 'end' ? last.report : undefined
}
