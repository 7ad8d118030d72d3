import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { JournalEntry } from '../../shared/model/job.ts'
import { jobInfo } from '../../libvirt/domain-jobs.ts'
import { destroyDomain, domainState, undefineDomain } from '../../libvirt/domains.ts'
import { removeNetwork } from '../../libvirt/networks.ts'
import type { JobContext } from '../jobs/job-context.ts'
import type { Undone } from '../jobs/job-end.ts'
import { ofType } from '../../shared/job-report.ts'
import { asideDirectory, putBack, renameBack } from '../restore/displace.ts'
import { settle } from '../restore/restore.ts'
import { placements, RESTORE_PLAN_STEP, RestorePlan } from '../restore/restore-plan.ts'
import { libvirtAnswers } from './undo-backup.ts'

/**
 * Undoes a restore: what it defined and wrote goes, what it displaced comes back. If the VM runs already, the restore has
 * reached its purpose, and what was still to be done is done.
 */
export async function undoRestore(job: JobContext, entries: readonly JournalEntry[]): Promise<Undone> {
  const steps = ofType(entries, 'step')
  const announced = new Set(steps.map(({ step }) => step))
  const data = steps.find(({ step }) => step === RESTORE_PLAN_STEP)?.data?.['plan']
  if (data === undefined) return { end: 'undone', kept: [] }
  const plan = RestorePlan.parse(data)
  await libvirtAnswers(job.shell, plan.vm)
  if (announced.has('start') && (await runs(job, plan))) return finishSettling(job, plan)
  if (announced.has('define')) await removeVm(job, plan)
  await removeFiles(plan, announced.has('place'))
  if (announced.has('displace')) {
    await renameBack(plan.orphans)
    for (const vm of plan.displaced) await putBack(job.shell, job.id, vm)
  }
  await rm(asideDirectory(job.id), { recursive: true, force: true })
  for (const { name } of plan.networks.define) await removeNetwork(job.shell, name)
  return { end: 'undone', kept: [] }
}

/** libvirtd goes on with a start whose client died: waits for what comes of it. */
async function runs(job: JobContext, plan: RestorePlan): Promise<boolean> {
  while ((await jobInfo(job.shell, plan.vm).catch(() => undefined)) !== undefined) await sleep(200)
  return (await domainState(job.shell, plan.vm))?.state === plan.runsAfterwards
}

async function finishSettling(job: JobContext, plan: RestorePlan): Promise<Undone> {
  job.warn('The job was interrupted after the VM ran again')
  job.fact({ mode: plan.mode })
  await settle(job, plan)
  return { end: 'was-finished', kept: [] }
}

async function removeVm(job: JobContext, plan: RestorePlan): Promise<void> {
  const now = await domainState(job.shell, plan.vm)
  if (now === undefined) return
  if (now.state !== 'shut off') await destroyDomain(job.shell, plan.vm)
  // All firmware state below a copy's own UUID is the copy's.
  await undefineDomain(job.shell, plan.vm, { removeFirmwareState: plan.copyOf !== undefined })
}

/** A staged file that is gone has become the placed one; otherwise what is in its place is not ours. */
async function removeFiles(plan: RestorePlan, placed: boolean): Promise<void> {
  for (const { staged, path } of placements(plan)) {
    if (existsSync(staged)) await rm(staged, { recursive: true })
    else if (placed) await rm(path, { recursive: true, force: true })
  }
}
