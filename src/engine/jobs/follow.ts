import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'
import { setTimeout as sleep } from 'node:timers/promises'
import { fail } from '../../shared/failure.ts'
import type { JobReport, JournalEntry } from '../../shared/model/job.ts'
import type { Shell } from '../../shared/shell.ts'
import { parseEntry, readProgress } from '../journal/journal.ts'
import { jobDirectory, journalPath } from './job-directory.ts'
import { unrecovered } from './unit-state.ts'

/**
 * The journal's entries from number `from` on, as they are written; ends behind the job's end, and returns its report. A
 * job whose unit is gone and that has no end needs its operator: then the report says so.
 */
export async function* followJob(shell: Shell, id: string, from: number): AsyncGenerator<JournalEntry, JobReport> {
  if (!existsSync(jobDirectory(id))) fail({ kind: 'not-found', what: 'job', name: id })
  for await (const entry of tail(journalPath(id))) {
    if (entry === 'quiet') {
      const report = await unrecovered(shell, id)
      if (report !== undefined) return report
      continue
    }
    if (entry.n >= from) yield entry
    if (entry.type === 'end') return entry.report
  }
  return fail({ kind: 'not-found', what: 'job', name: id })
}

/** The report of a job that has ended, or needs its operator. */
export async function endOfJob(shell: Shell, id: string): Promise<JobReport> {
  const entries = followJob(shell, id, Number.MAX_SAFE_INTEGER)
  for (;;) {
    const { done, value } = await entries.next()
    if (done === true) return value
  }
}

const LOOK_EVERY_MS = 60
const QUIET_LOOKS = 50

/**
 * The file's entries as it grows, the last word on how far the job has got in between, and `quiet` about every three
 * seconds in which nothing is added.
 */
async function* tail(path: string): AsyncGenerator<JournalEntry | 'quiet'> {
  let looks = 0
  let written = -1
  let progressAt = ''
  while (!existsSync(path)) {
    await sleep(LOOK_EVERY_MS)
    if (++looks % QUIET_LOOKS === 0) yield 'quiet'
  }
  const fd = openSync(path, 'r')
  const buffer = Buffer.alloc(1 << 16)
  const decoder = new StringDecoder('utf8')
  let line = ''
  try {
    for (;;) {
      const bytes = readSync(fd, buffer, 0, buffer.length, null)
      if (bytes === 0) {
        const progress = readProgress(path)
        // What was said of it before the last entry is out of date.
        if (progress !== undefined && progress.n > written && progress.at !== progressAt) yield progress
        progressAt = progress?.at ?? ''
        await sleep(LOOK_EVERY_MS)
        if (++looks % QUIET_LOOKS === 0) yield 'quiet'
        continue
      }
      const lines = (line + decoder.write(buffer.subarray(0, bytes))).split('\n')
      line = lines.pop() ?? ''
      for (const entry of lines.flatMap(parseEntry)) {
        written = entry.n
        yield entry
      }
    }
  } finally {
    closeSync(fd)
  }
}
