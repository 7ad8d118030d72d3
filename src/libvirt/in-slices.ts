import { fail } from '../shared/failure.ts'
import { othersTurn } from '../shared/turns.ts'

/** After so much work whoever else waits has a turn. */
const SLICE_MS = 10
/** Of work, without the turns of others. */
const WITHIN_MS = 20_000

/** Does work that comes in small steps, and lets everything else of this process go on meanwhile. @throws `timeout` where it is too much */
export async function inSlices<T>(
  steps: Generator<undefined, T>,
  what: string,
  withinMs: number = WITHIN_MS
): Promise<T> {
  let workedMs = 0
  for (;;) {
    const startedAt = performance.now()
    const step = slice(steps, startedAt + SLICE_MS)
    if (step.done === true) return step.value
    workedMs += performance.now() - startedAt
    if (workedMs > withinMs) return fail({ kind: 'timeout', what, afterMs: withinMs })
    await othersTurn()
  }
}

function slice<T>(steps: Generator<undefined, T>, untilMs: number): IteratorResult<undefined, T> {
  for (;;) {
    const step = steps.next()
    if (step.done === true || performance.now() >= untilMs) return step
  }
}
