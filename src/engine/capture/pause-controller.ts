/**
 * Decides, from what QEMU reports while RAM is written to a file, how long a final pause to allow.
 * It starts small and raises the allowance step by step only when the guest rewrites RAM too fast for the present one,
 * up to the VM's budget. Pure: time and job figures in, a decision out.
 */
export interface MemoryProgress {
  readonly remainingBytes: number
  readonly bytesPerSecond: number
  /** Passes over RAM that QEMU has begun; 1 is the first, whole one. */
  readonly iteration: number
}

export type PauseDecision =
  | { readonly kind: 'wait' }
  | { readonly kind: 'allow'; readonly pauseMs: number }
  /** The budget does not suffice. */
  | { readonly kind: 'too-busy'; readonly estimatedPauseMs: number }

/** QEMU accepts 10 ms from the start; smaller values only cost passes (35 to 52 ms measured with any of 5 to 20). */
export const FIRST_PAUSE_MS = 10
const GROWTH = 2
/** Passes that one allowance gets before the next is tried. */
const PASSES_PER_STEP = 3
/** Passes at the full budget before the guest counts as too busy. */
const PASSES_AT_BUDGET = 5
/** A pass that does not end counts as one more for this many looks. The first, whole pass is long by nature. */
const LOOKS_PER_PASS = 10

export class PauseController {
  private readonly budgetMs: number
  private allowedMs: number
  private raisedAtIteration = 1
  private looks = 0

  constructor(budgetMs: number) {
    this.budgetMs = budgetMs
    this.allowedMs = Math.min(FIRST_PAUSE_MS, budgetMs)
  }

  get firstPauseMs(): number {
    return this.allowedMs
  }

  decide(progress: MemoryProgress): PauseDecision {
    this.looks = progress.iteration <= 1 ? 0 : this.looks + 1
    const passes = Math.max(progress.iteration - this.raisedAtIteration, Math.floor(this.looks / LOOKS_PER_PASS))
    if (this.allowedMs >= this.budgetMs)
      return passes >= PASSES_AT_BUDGET
        ? { kind: 'too-busy', estimatedPauseMs: estimatedPauseMs(progress) }
        : { kind: 'wait' }
    if (passes < PASSES_PER_STEP) return { kind: 'wait' }
    this.raisedAtIteration = progress.iteration
    this.looks = 0
    this.allowedMs = Math.min(this.allowedMs * GROWTH, this.budgetMs)
    return { kind: 'allow', pauseMs: this.allowedMs }
  }
}

/** How long the guest would stand still if it were stopped now. */
export function estimatedPauseMs({ remainingBytes, bytesPerSecond }: MemoryProgress): number {
  return bytesPerSecond > 0 ? Math.round((remainingBytes / bytesPerSecond) * 1000) : Number.POSITIVE_INFINITY
}
