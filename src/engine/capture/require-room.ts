import { formatBytes } from '../../shared/format.ts'
import { fail } from '../../shared/failure.ts'
import type { BackupSpec } from '../../shared/model/job.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { claimRoom, type Shortage } from '../room/claims.ts'
import { knowStore } from '../retention/known-stores.ts'
import type { CapturePlan } from './capture-plan.ts'
import { needsOf } from './estimate-room.ts'

/**
 * Claims room for RAM, copies and what the VM writes meanwhile, on each file system that they go to. Room that would only
 * be short if everything grew as much as it can is a warning: the job is watched, and ends in time.
 *
 * @throws `no-room` if what is likely does not fit, `store-changed` if the store is not the one that was there
 */
export async function requireRoom(job: JobContext<BackupSpec>, plan: CapturePlan): Promise<void> {
  await knowStore(job.spec.store, job.spec.acceptStore === true)
  const shortages = await claim(job, plan)
  const certain = shortages.find(({ isCertain }) => isCertain)
  if (certain !== undefined) failFor(certain)
  for (const shortage of shortages) job.warn(inWords(shortage))
}

/** By what is quickly known; where that does not fit, by a closer look. */
async function claim({ shell, id, spec }: JobContext<BackupSpec>, plan: CapturePlan): Promise<Shortage[]> {
  const quick = await claimRoom(id, await needsOf(shell, plan, spec.store, false))
  return quick.some(({ isCertain }) => isCertain) ? claimRoom(id, await needsOf(shell, plan, spec.store, true)) : quick
}

export function failFor({ path, forWhat, neededBytes, freeBytes, claimedBytes, reserveBytes }: Shortage): never {
  return fail({ kind: 'no-room', path, forWhat, neededBytes, freeBytes, claimedBytes, reserveBytes })
}

const inWords = ({ path, forWhat, neededBytes, freeBytes }: Shortage): string =>
  `${path} may become too small: ${forWhat} take ${formatBytes(neededBytes)} if they grow as much as they can, and ` +
  `${formatBytes(freeBytes)} are free. The job gives way before it is full.`
