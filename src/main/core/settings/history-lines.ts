import type { FileHandle } from 'node:fs/promises'
import * as z from 'zod'
import { JobId, PointId, TimeSortedId, Uuid } from '../../../shared/model/ids.ts'
import { JobReport } from '../../../shared/model/job.ts'
import { RunReport, type RunVm } from '../../../shared/model/policy.ts'
import { shorten } from '../../../shared/safe-text.ts'

/** A point that was put in another place. */
export const CopyRecord = z.object({
  point: PointId,
  vm: z.string(),
  /** Of the VM; earlier Stillpoints did not write it down. */
  uuid: Uuid.optional(),
  /** When the point was taken, by its host's clock; not of earlier Stillpoints. */
  takenAt: z.iso.datetime().optional(),
  from: z.string(),
  to: z.string(),
  at: z.iso.datetime(),
  sizeBytes: z.number(),
  ms: z.number(),
  /** Whoever sent it: its RAM is that which the point's own host listed then. */
  hasOwnRam: z.literal(true).optional()
})
export type CopyRecord = z.infer<typeof CopyRecord>

/** A restore that this Stillpoint began: whoever reports how it ended, this is known of it from here. */
export const BegunRestore = z.object({
  host: z.string(),
  job: JobId,
  at: z.iso.datetime(),
  point: PointId,
  vm: z.object({ uuid: Uuid, name: z.string() }),
  takenAt: z.iso.datetime(),
  /** That had the point then. */
  places: z.array(z.string())
})
export type BegunRestore = z.infer<typeof BegunRestore>

/** When it was written down, by this computer's clock: what a host may add is counted by the day. */
const writtenAt = z.iso.datetime().optional()

const HistoryLine = z.discriminatedUnion('type', [
  z.object({ type: z.literal('job'), report: JobReport, writtenAt }),
  z.object({ type: z.literal('run'), report: RunReport, writtenAt }),
  z.object({ type: z.literal('copy'), copy: CopyRecord }),
  z.object({ type: z.literal('begun'), restore: BegunRestore }),
  /** The oldest report of a host that there was no room for, until it is asked for again; none: nothing is missing. */
  z.object({
    type: z.literal('left-out'),
    host: z.string(),
    kind: z.enum(['job', 'run']),
    oldest: TimeSortedId.optional(),
    writtenAt
  })
])
export type HistoryLine = z.infer<typeof HistoryLine>

/** A line as it was found. `strange` is one that says what it is and is not as this Stillpoint knows it: a newer one wrote it. */
export type FoundLine =
  | { readonly is: 'known'; readonly line: HistoryLine; readonly text: string }
  | { readonly is: 'strange' | 'damaged'; readonly text: string }

/** Longer than any report that is written down. */
export const LONGEST_LINE_BYTES = 1 << 20
/** A run of a thousand VMs of which each has failed is shorter, once the texts in it are. */
export const LONGEST_WRITTEN_BYTES = LONGEST_LINE_BYTES / 2
/** Characters of a text, one step after the other, until the line is short enough. Ids and times are shorter than all of these. */
const SHORTENED_TO = [2000, 500, 150] as const
/** Some fifty reports, a few milliseconds: whoever else has to be served is served in between. */
const CHUNK_BYTES = 64 << 10
/** Of a line that is too long, so much is shown. */
const SHOWN_BYTES = 4096

/** As it is written. What a host says at length, of each of hundreds of VMs, is shortened before a line is too long. */
export function textOf(line: HistoryLine): string {
  let text = JSON.stringify(line)
  for (const length of SHORTENED_TO) {
    if (Buffer.byteLength(text) <= LONGEST_WRITTEN_BYTES) break
    text = JSON.stringify(line, (_, value: unknown) => (typeof value === 'string' ? shorten(value, length) : value))
  }
  return text
}

/** Of a host that has told much today. */
const WARNINGS_IN_BRIEF = 5
const LENGTH_IN_BRIEF = 300

/**
 * The same in fewer words: how it ended, why it failed and how long a VM was not there is whole. What a backup did one after the
 * other, and why it was done so, is in its log on the host; what it brought is told by the job, and need not be by its run.
 */
export function inBrief(line: HistoryLine): HistoryLine {
  if (line.type === 'run') {
    const { report: run } = line
    return { ...line, report: { ...run, vms: run.vms.map(vmInBrief), warnings: warningsOf(run) } }
  }
  if (line.type !== 'job') return line
  const { methodReason: _, modeReason: __, ...report } = line.report
  const phases = report.kind === 'backup' ? [] : report.phases
  return { ...line, report: { ...report, phases, warnings: warningsOf(report) } }
}

function vmInBrief(vm: RunVm): RunVm {
  if (vm.job === undefined || vm.outcome !== 'done') return vm
  const { point: _, sizeBytes: __, durationMs: ___, ...rest } = vm
  return rest
}

function warningsOf({ host, warnings }: { readonly host: string; readonly warnings: readonly string[] }): string[] {
  const [first, more] = [warnings.slice(0, WARNINGS_IN_BRIEF), warnings.length - WARNINGS_IN_BRIEF]
  const short = first.map((text) => shorten(text, LENGTH_IN_BRIEF))
  return more > 0
    ? [...short, `${more} more ${more === 1 ? 'warning is' : 'warnings are'} in its log on ${host}.`]
    : short
}

/** What one look at a file has brought, and where the next one goes on: behind the last line that has an end. */
export interface LinesRead {
  readonly lines: readonly FoundLine[]
  readonly nextByte: number
}

/**
 * The lines that end in this part of a file, a few at a time; with `lastToo` also what stands behind the last line end.
 * However large the file is, no more than one line of it is held.
 */
export async function* linesIn(
  file: FileHandle,
  fromByte: number,
  toByte: number,
  lastToo = false
): AsyncGenerator<LinesRead> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
  const begun = new BegunLine()
  for (let at = fromByte; at < toByte;) {
    const { bytesRead } = await file.read(chunk, 0, Math.min(CHUNK_BYTES, toByte - at), at)
    if (bytesRead === 0) break
    const read = chunk.subarray(0, bytesRead)
    const lines: FoundLine[] = []
    let start = 0
    for (let end = read.indexOf(0x0a); end !== -1; end = read.indexOf(0x0a, start)) {
      begun.add(read.subarray(start, end))
      lines.push(...begun.end())
      start = end + 1
    }
    begun.add(read.subarray(start))
    if (start > 0) yield { lines, nextByte: at + start }
    at += bytesRead
  }
  if (lastToo) yield { lines: begun.end(), nextByte: toByte }
}

/** A line whose end has not been read yet. */
class BegunLine {
  private held: Buffer[] = []
  private bytes = 0

  add(part: Buffer): void {
    this.bytes += part.length
    if (this.bytes <= LONGEST_LINE_BYTES) this.held.push(Buffer.from(part))
    else if (this.held.length > 0) this.held = [Buffer.concat(this.held).subarray(0, SHOWN_BYTES)]
  }

  /** None where it is empty. */
  end(): FoundLine[] {
    const { bytes } = this
    const text = Buffer.concat(this.held).toString('utf8')
    this.held = []
    this.bytes = 0
    if (bytes > LONGEST_LINE_BYTES)
      return [{ is: 'damaged', text: `${text.slice(0, SHOWN_BYTES)}… (a line of ${bytes} bytes)` }]
    return text.trim() === '' ? [] : [foundLine(text)]
  }
}

export function foundLine(text: string): FoundLine {
  const value = parseJson(text)
  const known = HistoryLine.safeParse(value)
  if (known.success) return { is: 'known', line: known.data, text }
  const saysWhatItIs =
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    typeof value.type === 'string' &&
    value.type !== ''
  return { is: saysWhatItIs ? 'strange' : 'damaged', text }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
