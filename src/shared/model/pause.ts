import * as z from 'zod'
import { EngineWord } from '../engine-limits.ts'
import { Milliseconds, Moment } from './figures.ts'

/** A span in which a VM stood still: from QEMU's STOP to its RESUME, or as well as it could be known. */
export const Pause = z.object({
  /** What the VM stood still for: `memory`, `suspend+save`, `freeze`, `switch`, ... */
  phase: EngineWord,
  startedAt: Moment,
  endedAt: Moment,
  ms: Milliseconds,
  source: z.enum(['qemu-events', 'domjobinfo', 'clock'])
})
export type Pause = z.infer<typeof Pause>

/** A span of a job's work, for its strip. */
export const Phase = z.object({ phase: EngineWord, startedAt: Moment, ms: Milliseconds })
export type Phase = z.infer<typeof Phase>

export const pauseMsOf = (pauses: readonly Pause[]): number => pauses.reduce((sum, pause) => sum + pause.ms, 0)
