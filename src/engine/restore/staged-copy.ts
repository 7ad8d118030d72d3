import { isFailure } from '../../shared/failure.ts'
import { quoted } from '../../shared/quoted.ts'
import { requireGood } from '../../store/point-store.ts'
import { keep, removable, type Verdict } from '../evidence/verdict.ts'
import type { RestoreTrace } from './restore-plan.ts'

/**
 * Whether what a restore wrote and no VM ever wrote to is elsewhere: its point has all of it; and what was never complete
 * is of no use to anybody.
 */
export async function isElsewhere(trace: RestoreTrace, path: string): Promise<Verdict> {
  const { plan } = trace
  if (plan === undefined || !trace.done('stage')) return removable('it was never complete')
  try {
    const { id } = await requireGood(plan.pointDir)
    return removable(`point ${id} holds what it holds`)
  } catch (error) {
    if (!isFailure(error)) throw error
    return keep(
      path,
      `the point that it was made from is not there any more (${plan.pointDir})`,
      `ls ${quoted(plan.pointDir)} ${quoted(path)}`
    )
  }
}
