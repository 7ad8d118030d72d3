import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'
import { setTimeout as sleep } from 'node:timers/promises'
import { fail } from '../../shared/failure.ts'
import type { JobReport, JournalEntry } from '../../shared/model/job.ts'
import { parseEntry } from '../journal/journal.ts'
import { jobDirectory, journalPath } from './job-directory.ts'

const LOOK_EVERY_MS = 60

/** The journal's entries from number `from` on, as they are written; ends behind the job's end, which it returns. */
export async function* followJob(id: string, from: number): AsyncGenerator<JournalEntry, JobReport> {
  if (!existsSync(jobDirectory(id))) fail({ kind: 'not-found', what: 'job', name: id })
  for await (const entry of tail(journalPath(id))) {
    if (entry.n >= from) yield entry
    if (entry.type === 'end') return entry.report
  }
  return fail({ kind: 'not-found', what: 'job', name: id })
}

async function* tail(path: string): AsyncGenerator<JournalEntry> {
  while (!existsSync(path)) await sleep(LOOK_EVERY_MS)
  const fd = openSync(path, 'r')
  const buffer = Buffer.alloc(1 << 16)
  const decoder = new StringDecoder('utf8')
  let line = ''
  try {
    for (;;) {
      const bytes = readSync(fd, buffer, 0, buffer.length, null)
      if (bytes === 0) await sleep(LOOK_EVERY_MS)
      const lines = (line + decoder.write(buffer.subarray(0, bytes))).split('\n')
      line = lines.pop() ?? ''
      for (const whole of lines) yield* parseEntry(whole)
    }
  } finally {
    closeSync(fd)
  }
}
