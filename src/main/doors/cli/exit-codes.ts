import type { JobState } from '../../../shared/model/job.ts'
import type { Failure } from '../../../shared/failure.ts'

/** Published in docs/cli.md: scripts rely on them. */
export const EXIT = { done: 0, failed: 1, usage: 2, warnings: 3, cancelled: 130 } as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

export function exitOfJob(state: JobState): ExitCode {
  if (state === 'done') return EXIT.done
  if (state === 'done-with-warnings') return EXIT.warnings
  return state === 'cancelled' ? EXIT.cancelled : EXIT.failed
}

export function exitOfFailure({ kind }: Failure): ExitCode {
  if (kind === 'usage') return EXIT.usage
  return kind === 'cancelled' ? EXIT.cancelled : EXIT.failed
}
