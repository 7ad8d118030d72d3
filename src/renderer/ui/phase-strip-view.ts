import type { Pause, Phase } from '../../shared/model/pause.ts'

/** A span on the strip, in percent of its width. */
export interface Span {
  readonly phase: string
  readonly ms: number
  readonly left: number
  readonly width: number
}

export interface StripShown {
  readonly totalMs: number
  readonly phases: readonly Span[]
  readonly pauses: readonly Span[]
}

interface StripOf {
  readonly phases: readonly Phase[]
  readonly pauses: readonly Pause[]
  readonly startedAt: string
  /** Undefined: it goes on; the strip ends where the last span does. */
  readonly endedAt?: string | undefined
}

/** Phases and pauses to scale. Spans that lie outside (clocks that were set) are cut to the strip. */
export function stripShown({ phases, pauses, startedAt, endedAt }: StripOf): StripShown {
  const from = Date.parse(startedAt)
  const ends = [...phases, ...pauses].map((span) => Date.parse(span.startedAt) + span.ms)
  const to = Math.max(endedAt === undefined ? from : Date.parse(endedAt), ...(endedAt === undefined ? ends : []))
  const totalMs = Math.max(to - from, 1)
  const place = (span: Phase | Pause): Span => {
    const left = within((Date.parse(span.startedAt) - from) / totalMs)
    const right = within((Date.parse(span.startedAt) + span.ms - from) / totalMs)
    return { phase: span.phase, ms: span.ms, left: percent(left), width: percent(right - left) }
  }
  return { totalMs, phases: phases.map(place), pauses: pauses.map(place) }
}

const within = (fraction: number): number => Math.max(0, Math.min(1, fraction))

const percent = (fraction: number): number => Math.round(fraction * 1e6) / 1e4
