import { failureOf, type FailureOf } from '../../shared/failure.ts'
import type { BugReport } from './answer.ts'

/** What goes wrong again and again is written down so often, and then counted. */
const MOST_A_MINUTE = 10
const MINUTE_MS = 60_000

type Program = Pick<NodeJS.Process, 'on' | 'off'>

/**
 * What nobody caught is written down, and the program goes on: copies run, and all hosts are watched. Only for a program that
 * has begun: one that cannot ends with its reason. Says nothing on the terminal, which may be what is gone.
 */
export function goOnWhateverHappens(report: BugReport, program: Program = process): () => void {
  const budget = new Budget()
  const caught = (error: unknown): void => {
    try {
      const unsaid = budget.take()
      if (unsaid !== undefined) report(bugOf(error, unsaid))
    } catch {
      // The last resort has none itself.
    }
  }
  program.on('uncaughtException', caught)
  program.on('unhandledRejection', caught)
  return () => {
    program.off('uncaughtException', caught)
    program.off('unhandledRejection', caught)
  }
}

/** Also of what is a failure in words anywhere else: nobody was there to say it. */
function bugOf(error: unknown, unsaid: number): FailureOf<'bug'> {
  const failure = failureOf(error)
  const { reference, message } =
    failure.kind === 'bug' ? failure : { reference: 'uncaught', message: (error as Error).stack ?? failure.kind }
  return {
    kind: 'bug',
    reference,
    message: unsaid === 0 ? message : `${message}\n(and ${unsaid} more, not written down)`
  }
}

class Budget {
  private left = MOST_A_MINUTE
  private since = performance.now()
  private unsaid = 0

  /** How many were not written down since the last one that was; undefined: this is one more of them. */
  take(): number | undefined {
    const now = performance.now()
    if (now - this.since > MINUTE_MS) {
      this.left = MOST_A_MINUTE
      this.since = now
    }
    if (this.left === 0) {
      this.unsaid += 1
      return undefined
    }
    this.left -= 1
    const { unsaid } = this
    this.unsaid = 0
    return unsaid
  }
}
