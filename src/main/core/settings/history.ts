import { appendFileSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import * as z from 'zod'
import { PointId } from '../../../shared/model/ids.ts'
import { isEnded, JobReport } from '../../../shared/model/job.ts'
import { RunReport } from '../../../shared/model/policy.ts'
import { keyOf } from '../jobs/whose-job.ts'

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
  z.object({ type: z.literal('run'), report: RunReport }),
  z.object({ type: z.literal('copy'), copy: CopyRecord })
])
type HistoryLine = z.infer<typeof HistoryLine>

/** `history.jsonl`: every job and every run of a policy that ended, and every copy, oldest first. Lines that do not parse are passed over. */
export class History {
  private readonly path: string
  /** What of the file has been looked through for jobs and runs. */
  private readonly known = { bytes: 0, keys: new Set<string>() }

  constructor(path: string) {
    this.path = path
  }

  /** Each job of each host once, however many controllers wrote it down. */
  jobs(): JobReport[] {
    return onceEach(this.lines().flatMap((line) => (line.type === 'job' ? [line.report] : [])))
  }

  /** Each run of each host once. */
  runs(): RunReport[] {
    return onceEach(this.lines().flatMap((line) => (line.type === 'run' ? [line.report] : [])))
  }

  copies(): CopyRecord[] {
    return this.lines().flatMap((line) => (line.type === 'copy' ? [line.copy] : []))
  }

  /** Writes down those that are new and whose journal has an end; a job that only looks dead may still be recovered. */
  addJobs(reports: readonly JobReport[]): JobReport[] {
    const known = this.knownKeys()
    const hasEnded = ({ state, endedAt }: JobReport): boolean => isEnded(state) && endedAt !== undefined
    const fresh = reports.filter((report) => hasEnded(report) && !known.has(keyOf(report)))
    for (const report of fresh) this.append({ type: 'job', report })
    return fresh
  }

  /** Writes down those that are new and have ended. */
  addRuns(reports: readonly RunReport[]): RunReport[] {
    const known = this.knownKeys()
    const fresh = reports.filter((report) => report.endedAt !== undefined && !known.has(keyOf(report)))
    for (const report of fresh) this.append({ type: 'run', report })
    return fresh
  }

  addCopy(copy: CopyRecord): void {
    this.append({ type: 'copy', copy })
  }

  /** One write per line, on a line of its own even behind a torn one. */
  private append(line: HistoryLine): void {
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 })
    appendFileSync(this.path, `${this.isTorn() ? '\n' : ''}${JSON.stringify(line)}\n`, { mode: 0o600 })
  }

  private isTorn(): boolean {
    const bytes = sizeOf(this.path)
    return bytes > 0 && readFrom(this.path, bytes - 1).toString('utf8') !== '\n'
  }

  /** Of jobs and runs. Others write too: what is new in the file since the last time is read, and no more. */
  private knownKeys(): ReadonlySet<string> {
    const { known } = this
    if (sizeOf(this.path) < known.bytes) Object.assign(known, { bytes: 0, keys: new Set() })
    const fresh = readFrom(this.path, known.bytes)
    const whole = fresh.subarray(0, fresh.lastIndexOf('\n') + 1)
    known.bytes += whole.length
    for (const line of whole.toString('utf8').split('\n').flatMap(parseLine))
      if (line.type !== 'copy') known.keys.add(keyOf(line.report))
    return known.keys
  }

  private lines(): HistoryLine[] {
    if (!existsSync(this.path)) return []
    return readFileSync(this.path, 'utf8').split('\n').flatMap(parseLine)
  }
}

const onceEach = <T extends { readonly host: string; readonly id: string }>(reports: readonly T[]): T[] =>
  [...new Map(reports.toReversed().map((report) => [keyOf(report), report])).values()].reverse()

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

function readFrom(path: string, at: number): Buffer {
  const bytes = Buffer.alloc(Math.max(0, sizeOf(path) - at))
  if (bytes.length === 0) return bytes
  const file = openSync(path, 'r')
  try {
    return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, at))
  } finally {
    closeSync(file)
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
