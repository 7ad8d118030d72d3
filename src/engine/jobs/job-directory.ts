import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import * as z from 'zod'
import { JOBS_DIR } from '../../shared/host-paths.ts'
import { JobId, timeOfId, Uuid } from '../../shared/model/ids.ts'
import {
  StoredJobSpec,
  VmCopy,
  vmOf,
  type JobReport,
  type JobSpec,
  type JournalEntry,
  type VmIdentity
} from '../../shared/model/job.ts'
import { dropBallast, takeBallast } from '../journal/ballast.ts'
import { parseEntry, readJournal } from '../journal/journal.ts'
import { END, JOURNAL_NAME } from '../journal/journal-end.ts'
import { lastLine, readLines, syncDirectory } from '../journal/json-lines.ts'
import { reportAtStart, reportOf } from '../../shared/job-report.ts'

export const jobDirectory = (id: string): string => `${JOBS_DIR}/${id}`
export const journalPath = (id: string): string => `${jobDirectory(id)}/${JOURNAL_NAME}`
export const specPath = (id: string): string => `${jobDirectory(id)}/spec.json`
const cancelPath = (id: string): string => `${jobDirectory(id)}/cancel`

/**
 * Writes a job's order, so that it is there whole or not at all, with room for its journal beside it.
 *
 * @throws what the file system says, if there is no room for both: nothing is left of the job then
 */
export function writeSpec(id: string, spec: JobSpec): void {
  mkdirSync(jobDirectory(id), { recursive: true, mode: 0o700 })
  try {
    takeBallast(journalPath(id))
    writeFileSync(`${specPath(id)}.new`, JSON.stringify(spec), { mode: 0o600, flush: true })
    renameSync(`${specPath(id)}.new`, specPath(id))
    syncDirectory(jobDirectory(id))
  } catch (error) {
    rmSync(jobDirectory(id), { recursive: true, force: true })
    throw error
  }
}

/** True if a job was cut short before even its order was there. */
export const isEmptyJob = (id: string): boolean => !existsSync(specPath(id)) && !existsSync(journalPath(id))

/** True once its own process, or a recovery, has written to its journal. */
export const isBegun = (id: string): boolean => (statSync(journalPath(id), { throwIfNoEntry: false })?.size ?? 0) > 0

export function forgetJob(id: string): void {
  rmSync(jobDirectory(id), { recursive: true, force: true })
}

/** A job's order. Undefined: there is none, or none that this engine understands. */
export const readSpec = (id: string): JobSpec | undefined => readAs(specPath(id), StoredJobSpec)

const AnyOrder = z.object({ vm: Uuid, vmName: z.string(), copy: z.object(VmCopy.shape).optional() })

/** The VM that a job works on, also where the rest of its order is of a kind that this engine does not know. */
export function vmOfJob(id: string): VmIdentity | undefined {
  const spec = readSpec(id)
  if (spec !== undefined) return vmOf(spec)
  const order = readAs(specPath(id), AnyOrder)
  return order && (order.copy ?? { uuid: order.vm, name: order.vmName })
}

function readAs<T extends z.ZodType>(path: string, schema: T): z.output<T> | undefined {
  try {
    return schema.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data
  } catch {
    return undefined
  }
}

/** Notes that the end of this job was asked for, as against a unit that is stopped. On a full file system the job's ballast makes room. */
export function askForCancel(id: string): void {
  try {
    writeFileSync(cancelPath(id), '', { flush: true })
  } catch {
    dropBallast(journalPath(id))
    writeFileSync(cancelPath(id), '', { flush: true })
  }
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
 * Ids of the jobs whose journal has no end, oldest first; also of those that this engine does not understand. One that cannot
 * be read may have none: that is its own trouble, and no other's.
 */
export const openJobs = (): string[] => jobIds().filter((id) => !orElse(false, () => hasEnd(id)))

function orElse<T>(otherwise: T, read: () => T): T {
  try {
    return read()
  } catch {
    return otherwise
  }
}

/** Mostly the last line tells: there may be thousands of jobs, and each that begins looks at all. */
export function hasEnd(id: string): boolean {
  const isEnd = (line: string): boolean => END.test(line)
  return isEnd(lastLine(journalPath(id)) ?? '') || readLines(journalPath(id)).some(isEnd)
}

/**
 * What is known of a job, from its order and its journal. Undefined: no such job here. One whose journal cannot be read counts
 * as one that has not ended.
 */
export function readReport(id: string): JobReport | undefined {
  const report = orElse<JobReport | 'unread' | undefined>(
    'unread',
    () => endOf(id) ?? reportOf(readJournal(journalPath(id)))
  )
  if (report !== undefined && report !== 'unread') return report
  const spec = readSpec(id)
  if (spec === undefined) return undefined
  const begun = reportAtStart(id, spec, timeOfId(id))
  return report === 'unread' ? { ...begun, state: 'running' } : begun
}

/** None if they cannot be read. */
export const readableEntries = (id: string): JournalEntry[] =>
  orElse<JournalEntry[]>([], () => readJournal(journalPath(id)))

/** Of a job that has ended only the last line is read. */
function endOf(id: string): JobReport | undefined {
  const [last] = parseEntry(lastLine(journalPath(id)) ?? '')
  return last?.type === 'end' ? last.report : undefined
}
