import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import * as z from 'zod'
import { PointId } from '../../../shared/model/ids.ts'
import { isEnded, JobReport } from '../../../shared/model/job.ts'

/** A point that was put in another place. */
export const CopyRecord = z.object({
  point: PointId,
  vm: z.string(),
  from: z.string(),
  to: z.string(),
  at: z.iso.datetime(),
  sizeBytes: z.number(),
  ms: z.number()
})
export type CopyRecord = z.infer<typeof CopyRecord>

const HistoryLine = z.discriminatedUnion('type', [
  z.object({ type: z.literal('job'), report: JobReport }),
  z.object({ type: z.literal('copy'), copy: CopyRecord })
])
type HistoryLine = z.infer<typeof HistoryLine>

/** `history.jsonl`: every job that ended and every copy, oldest first. Lines that do not parse are passed over. */
export class History {
  private readonly path: string

  constructor(path: string) {
    this.path = path
  }

  /** Each job once, however many controllers wrote it down. */
  jobs(): JobReport[] {
    const byId = new Map<string, JobReport>()
    for (const line of this.lines())
      if (line.type === 'job' && !byId.has(line.report.id)) byId.set(line.report.id, line.report)
    return [...byId.values()]
  }

  copies(): CopyRecord[] {
    return this.lines().flatMap((line) => (line.type === 'copy' ? [line.copy] : []))
  }

  /** Writes down those that are new and whose journal has an end; a job that only looks dead may still be recovered. */
  addJobs(reports: readonly JobReport[]): JobReport[] {
    const known = new Set(this.jobs().map((report) => report.id))
    const fresh = reports.filter(
      (report) => isEnded(report.state) && report.endedAt !== undefined && !known.has(report.id)
    )
    for (const report of fresh) this.append({ type: 'job', report })
    return fresh
  }

  addCopy(copy: CopyRecord): void {
    this.append({ type: 'copy', copy })
  }

  /** One write per line, on a line of its own even behind a torn one. */
  private append(line: HistoryLine): void {
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 })
    const torn = existsSync(this.path) && !/(^|\n)$/.test(readFileSync(this.path, 'utf8'))
    appendFileSync(this.path, `${torn ? '\n' : ''}${JSON.stringify(line)}\n`, { mode: 0o600 })
  }

  private lines(): HistoryLine[] {
    if (!existsSync(this.path)) return []
    return readFileSync(this.path, 'utf8').split('\n').flatMap(parseLine)
  }
}

function parseLine(text: string): HistoryLine[] {
  try {
    const line = HistoryLine.safeParse(JSON.parse(text))
    return line.success ? [line.data] : []
  } catch {
    return []
  }
}
