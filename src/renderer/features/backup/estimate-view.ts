import { formatBytes, formatDuration, formatPause } from '../../../shared/format.ts'
import { safeText } from '../../../shared/safe-text.ts'
import type { Estimate } from '../../../shared/views/job-view.ts'
import { words } from './words.ts'

export interface EstimateShown {
  readonly method: string
  readonly reason: string
  /** `30 ms to 60 ms`; undefined: it does not stand still. */
  readonly pause: string | undefined
  readonly isOverBudget: boolean
  readonly duration: string
  readonly size: string
  readonly room: string
  readonly isTooLittleRoom: boolean
  readonly from: string
  readonly remarks: readonly string[]
  readonly bars: PauseBars
}

/** Pauses beside each other, in percent of the longest. */
export interface PauseBars {
  readonly low: number
  readonly high: number
  readonly budget: number
  readonly classic: number
}

export function estimateShown(estimate: Estimate, budgetMs: number): EstimateShown {
  const { method, methodReason, pauseMs, durationMs, neededBytes, freeBytes } = estimate
  const isOff = method === 'offline'
  const needed = formatBytes(neededBytes)
  return {
    method: words.methods[method].label,
    reason: methodReason === 'asked for' ? words.asked : words.because(safeText(methodReason)),
    pause: isOff ? undefined : words.range(formatPause(pauseMs.low), formatPause(pauseMs.high)),
    isOverBudget: !isOff && pauseMs.high > budgetMs,
    duration: words.range(formatDuration(durationMs.low), formatDuration(durationMs.high)),
    size: formatBytes(estimate.sizeBytes),
    room: freeBytes === undefined ? words.roomUnknown(needed) : words.roomText(needed, formatBytes(freeBytes)),
    isTooLittleRoom: freeBytes !== undefined && freeBytes < neededBytes,
    from: words.from(estimate.samples),
    remarks: estimate.remarks.map(safeText),
    bars: barsOf(estimate, budgetMs)
  }
}

function barsOf({ pauseMs, classicPauseMs }: Estimate, budgetMs: number): PauseBars {
  const longest = Math.max(pauseMs.high, classicPauseMs, budgetMs, 1)
  const percent = (ms: number): number => (100 * ms) / longest
  return {
    low: percent(pauseMs.low),
    high: percent(pauseMs.high),
    budget: percent(budgetMs),
    classic: percent(classicPauseMs)
  }
}
