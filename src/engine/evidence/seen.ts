import { ofType } from '../../shared/job-report.ts'
import type { Uuid } from '../../shared/model/ids.ts'
import type { JournalEntry } from '../../shared/model/job.ts'
import type { StateAndReason } from '../../libvirt/domains.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { ownersState } from './owners-state.ts'

/** An owner who pauses a VM, or lets it go on, in the hours of a job is not overruled by how it stood before. */
export const SEEN_STEP = 'seen'

/** Notes how its owner has a VM by now, if not as `known`. */
export async function noteSeen(
  job: JobContext,
  vm: Uuid,
  now: StateAndReason | undefined,
  known: string | undefined
): Promise<void> {
  const state = ownersState(now)
  if (state === undefined || state === known) return
  await job.step(SEEN_STEP, { vm, state }, () => Promise.resolve())
}

/** Undefined: as it was when the job began. */
export const lastSeen = (entries: readonly JournalEntry[], vm: Uuid): unknown =>
  ofType(entries, 'step').findLast(({ step, data }) => step === SEEN_STEP && data?.['vm'] === vm)?.data?.['state']
