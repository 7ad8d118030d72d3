import { formatBytes } from '../../../shared/format.ts'
import type { Progress } from '../../../shared/model/job.ts'
import { safeText } from '../../../shared/safe-text.ts'

/** Where there is no terminal: a line for each phase and each quarter of it. */
export class ProgressLines {
  private readonly stream: NodeJS.WritableStream
  private phase = ''
  private quarter = 0

  constructor(stream: NodeJS.WritableStream) {
    this.stream = stream
  }

  show({ phase, doneBytes, totalBytes }: Progress): void {
    const quarter = totalBytes > 0 ? Math.floor((doneBytes / totalBytes) * 4) : 0
    if (phase === this.phase && quarter <= this.quarter) return
    const of = totalBytes > 0 ? ` ${quarter * 25} % of ${formatBytes(totalBytes)}` : ''
    this.stream.write(`${safeText(phase)}${of}\n`)
    this.phase = phase
    this.quarter = quarter
  }

  clear(): void {
    // lines stay
  }
}
