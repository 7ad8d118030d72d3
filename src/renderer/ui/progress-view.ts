import { formatBytes, formatRate, formatTimeLeft } from '../../shared/format.ts'
import type { Progress } from '../../shared/model/job.ts'
import { safeText } from '../../shared/safe-text.ts'
import { words } from '../words.ts'

export interface ProgressShown {
  /** Whole percent; undefined where the end is not known. */
  readonly percent: number | undefined
  readonly phase: string
  /** `4.2 GiB of 10 GiB · 391 MiB/s · about 15 s left`. */
  readonly facts: string
  /** For ears: changes with the phase and every 25 %, not with every byte. */
  readonly spoken: string
}

export function progressShown(progress: Progress | undefined): ProgressShown {
  if (progress === undefined) return { percent: undefined, phase: words.working, facts: '', spoken: words.working }
  const percent = percentOf(progress)
  const phase = safeText(progress.phase)
  return {
    percent,
    phase,
    facts: factsOf(progress),
    spoken: percent === undefined ? phase : `${phase}, ${Math.floor(percent / 25) * 25} %`
  }
}

/** Never 100 before the end: the last percent is what is left to be done. */
function percentOf({ doneBytes, totalBytes }: Progress): number | undefined {
  const share = doneBytes / totalBytes
  if (totalBytes <= 0 || !Number.isFinite(share)) return undefined
  return Math.max(0, Math.min(99, Math.floor(100 * share)))
}

function factsOf({ doneBytes, totalBytes, bytesPerSecond, secondsLeft }: Progress): string {
  const parts = [
    totalBytes > 0 ? words.bytesOf(formatBytes(doneBytes), formatBytes(totalBytes)) : '',
    bytesPerSecond === undefined ? '' : formatRate(bytesPerSecond),
    secondsLeft === undefined ? '' : words.timeLeft(formatTimeLeft(secondsLeft))
  ]
  return parts.filter((part) => part !== '').join(' · ')
}
