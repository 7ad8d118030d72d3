import { fail, failureOf, type Failure } from '../../shared/failure.ts'
import type { Uuid } from '../../shared/model/ids.ts'
import { isEnded, vmOf } from '../../shared/model/job.ts'
import type { Shell } from '../../shared/shell.ts'
import { parseDomain } from '../../libvirt/domain-xml.ts'
import { domainState, domainXml } from '../../libvirt/domains.ts'
import { isSidecar, jobOf } from '../capture/capture-plan.ts'
import { COMMIT_LATE_STEP, commitStrayOverlay } from '../capture/stray-overlay.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { isBegun, openJobs, readReport, vmOfJob } from '../jobs/job-directory.ts'
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
  if (first === undefined) {
    if (job.spec.kind === 'backup') await commitLate(job)
    return []
  }
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

/**
 * libvirt may get to a snapshot only when whoever asked for it is dead and its job has ended: the VM is then on overlays
 * that nobody waits for. What must not be committed stays, and the plan of this job refuses it.
 */
async function commitLate(job: JobContext): Promise<void> {
  const { uuid, name } = vmOf(job.spec)
  const late = await lateOverlays(job.shell, uuid)
  if (late.length === 0) return
  await job.step(COMMIT_LATE_STEP, { late }, async () => {
    for (const { target, overlay } of late) {
      const kept = await commitStrayOverlay(job.shell, { vm: uuid, vmName: name, target, overlay })
      if (kept === undefined) job.warn(`Disk ${target} was found on an overlay of a job that had ended (${overlay})`)
    }
  })
}

async function lateOverlays(shell: Shell, vm: Uuid): Promise<{ target: string; overlay: string }[]> {
  if ((await domainState(shell, vm)) === undefined) return []
  const { disks } = parseDomain(await domainXml(shell, vm))
  return disks.flatMap(({ target, source: overlay = '' }) => (isOfEndedJob(overlay) ? [{ target, overlay }] : []))
}

/** Of this host: what another one makes may bear our mark too. */
function isOfEndedJob(overlay: string): boolean {
  const report = isSidecar(overlay) ? readReport(jobOf(overlay)) : undefined
  return report !== undefined && isEnded(report.state)
}

const standsInTheWay = ({ id, failure }: EarlierTrouble): Failure =>
  failure.kind === 'left-behind'
    ? {
        ...failure,
        left: failure.left.map((left) => ({ ...left, because: `earlier job ${id} waits for it. ${left.because}` }))
      }
    : failure
