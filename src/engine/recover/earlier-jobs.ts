import { fail, failureOf, type Failure } from '../../shared/failure.ts'
import { vmOf } from '../../shared/model/job.ts'
import type { Shell } from '../../shared/shell.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { isBegun, openJobs, vmOfJob } from '../jobs/job-directory.ts'
import { isAlive, troubledReport } from '../jobs/unit-state.ts'
import { finish } from './recover.ts'
import { setAside, type EarlierTrouble } from './set-aside.ts'

/**
 * Before a job begins: earlier ones of its VM are put right. Where that cannot be done a backup ends here, with the reason;
 * a restore is the way out of just that, and goes on. Answers the jobs that it sets aside once it has reached its purpose.
 * The caller holds the VM's lock, so nobody else works on them.
 */
export async function settleEarlier(job: JobContext): Promise<readonly EarlierTrouble[]> {
  const troubles = await recoverEarlier(job)
  const [first] = troubles
  if (first === undefined) return []
  if (job.spec.kind === 'backup') return fail(standsInTheWay(first))
  await setAside(job, troubles)
  return troubles
}

/** The youngest first. Those below one that could not be put right are not touched. */
async function recoverEarlier({ id: ours, spec, shell }: JobContext): Promise<EarlierTrouble[]> {
  const earlier = openJobs().filter((id) => id !== ours && vmOfJob(id)?.uuid === vmOf(spec).uuid)
  const troubles: EarlierTrouble[] = []
  for (const id of earlier.reverse()) {
    // It is about to hear that the VM is busy.
    if (!isBegun(id) && (await isAlive(shell, id))) continue
    const failure = troubles.at(-1)?.failure ?? (await troubleWith(shell, id))
    if (failure !== undefined) troubles.push({ id, failure })
  }
  return troubles
}

async function troubleWith(shell: Shell, id: string): Promise<Failure | undefined> {
  try {
    await finish(shell, id)
    return undefined
  } catch (error) {
    return troubledReport(id)?.failure ?? failureOf(error)
  }
}

const standsInTheWay = ({ id, failure }: EarlierTrouble): Failure =>
  failure.kind === 'left-behind'
    ? {
        ...failure,
        left: failure.left.map((left) => ({ ...left, because: `earlier job ${id} waits for it. ${left.because}` }))
      }
    : failure
