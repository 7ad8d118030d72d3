import { formatBytes, formatRate, formatTimeLeft } from '../../../shared/format.ts'
import type { Progress } from '../../../shared/model/job.ts'
import { safeText } from '../../../shared/safe-text.ts'
import { cutTo } from '../../../shared/text-width.ts'

const WIDTH = 24

/** One line on a terminal, drawn over again and again. */
export class ProgressBar {
  private readonly stream: NodeJS.WritableStream & { readonly columns?: number }
  private shown = false
  private lastDrawn = 0

  constructor(stream: NodeJS.WritableStream & { readonly columns?: number }) {
    this.stream = stream
  }

  show(progress: Progress): void {
    const now = Date.now()
    if (this.shown && now - this.lastDrawn < 80 && progress.doneBytes < progress.totalBytes) return
    this.lastDrawn = now
    this.shown = true
    this.stream.write(`\r\x1b[2K${cutTo(barText(progress), (this.stream.columns ?? 100) - 1)}`)
  }

  clear(): void {
    if (this.shown) this.stream.write('\r\x1b[2K')
    this.shown = false
  }
}

export function barText({ phase, doneBytes, totalBytes, bytesPerSecond, secondsLeft }: Progress): string {
  const name = safeText(phase)
  if (totalBytes <= 0) return `${name} …`
  const share = Math.min(Math.max(doneBytes / totalBytes, 0), 1)
  const full = Math.floor(share * WIDTH)
  const parts = [`${name} ${'█'.repeat(full)}${'░'.repeat(WIDTH - full)} ${Math.floor(share * 100)} %`]
  parts.push(`${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`)
  if (bytesPerSecond !== undefined && bytesPerSecond > 0) parts.push(formatRate(bytesPerSecond))
  if (secondsLeft !== undefined && share < 1) parts.push(`${formatTimeLeft(secondsLeft)} left`)
  return parts.join(' · ')
}
