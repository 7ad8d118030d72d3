import { failureOf, StillpointError, type Failure } from '../../shared/failure.ts'
import { describeFailure } from '../../shared/failure-words.ts'
import type { Kept } from '../evidence/verdict.ts'
import type { JobContext } from '../jobs/job-context.ts'

/** One step of an undo. It asks what *is* before it acts, so that it may be done again, or taken up in its own middle. */
export interface UndoStep {
  /** As journal and fault points name it: `undo.commit.vda`. Unique in its program. */
  readonly name: string
  /** Names of steps without whose success this one must not be done. */
  readonly needs?: readonly string[]
  /** What had to be left as it is, for want of proof; that is a result, not an error. */
  readonly work: () => Promise<Kept | undefined>
}

/** Not all steps of an undo got through. As an error it is the first of them. */
export class IncompleteUndo extends StillpointError {
  readonly failures: readonly Failure[]

  constructor(first: Failure, ...more: readonly Failure[]) {
    super(first)
    this.failures = [first, ...more]
  }
}

/**
 * Does all steps of an undo in their order, each announced in the journal and noted when done. One that fails keeps back
 * only those that need it. Answers what was left as it is.
 *
 * @throws `IncompleteUndo` when all other steps are done: then the whole program is to be run again, later.
 */
export async function runProgram(job: JobContext, steps: readonly UndoStep[]): Promise<Kept[]> {
  const failed = new Set<string>()
  const failures: Failure[] = []
  const kept: Kept[] = []
  for (const { name, needs = [], work } of steps) {
    if (needs.some((need) => failed.has(need))) {
      failed.add(name)
      continue
    }
    try {
      const left = await job.step(name, {}, work)
      if (left !== undefined) kept.push(left)
    } catch (error) {
      failed.add(name)
      const failure = failureOf(error)
      failures.push(failure)
      const { title, explanation } = describeFailure(failure)
      job.note(`${name} did not get through: ${title}. ${explanation}`)
    }
  }
  const [first, ...more] = failures
  if (first !== undefined) throw new IncompleteUndo(first, ...more)
  return kept
}
