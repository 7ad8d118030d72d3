import { suspendDomain, type StateAndReason } from '../../libvirt/domains.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { STOOD_STEP, type CapturePlan } from './capture-plan.ts'

/**
 * Pauses the VM for a step that has announced it. Answers how it stood, where it did already: then the journal says that this
 * pause is not ours, also of a job that is being cancelled. `stateIn`: how its owner has it, if that tells.
 */
export async function pauseVm(
  job: JobContext,
  { vm }: CapturePlan,
  stateIn: (stood: StateAndReason) => string | undefined
): Promise<StateAndReason | undefined> {
  const stood = await suspendDomain(job.shell, vm)
  if (stood === undefined) return undefined
  const state = stateIn(stood)
  const deaf: JobContext = { ...job, signal: new AbortController().signal }
  await deaf.step(STOOD_STEP, { ...(state && { state }) }, () => Promise.resolve())
  return stood
}
