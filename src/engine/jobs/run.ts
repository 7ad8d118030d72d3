import { failureOf } from '../../shared/failure.ts'
import { vmOf, type JobSpec } from '../../shared/model/job.ts'
import type { Shell } from '../../shared/shell.ts'
import { domainState } from '../../libvirt/domains.ts'
import { backUp } from '../capture/backup.ts'
import { letGoOfOwnPoint } from '../capture/own-point.ts'
import { bootId } from '../host-facts.ts'
import type { Kept } from '../evidence/verdict.ts'
import { noteSeen } from '../evidence/seen.ts'
import { noteVms, type NotedVm } from '../evidence/vm-before.ts'
import { Journal, readJournal } from '../journal/journal.ts'
import { isHostGoingDown, setFree } from '../recover/at-shutdown.ts'
import { settleEarlier } from '../recover/earlier-jobs.ts'
import { undo } from '../recover/recover.ts'
import { endSetAside, type EarlierTrouble } from '../recover/set-aside.ts'
import { restore } from '../restore/restore.ts'
import { ENGINE_VERSION } from '../version.ts'
import { removeStaleLock } from './host-lock.ts'
import { jobContext, type JobContext } from './job-context.ts'
import { hasEnd, journalPath, readSpec } from './job-directory.ts'
import { doneReport, endJob, endReport } from './job-end.ts'
import { describeFailure } from '../../shared/failure-words.ts'
import { reportAtStart } from '../../shared/job-report.ts'
import { submitLock } from './unit-state.ts'
import { lockVm, type VmLock } from './vm-lock.ts'

/**
 * A job's own process, from its unit's start to its end. Whatever goes wrong, the VM is put right before the end is
 * written; where even that fails, no end is written and the unit's ExecStopPost begins afresh, and then the host, until it
 * is done. A host that goes down is not kept waiting: then its next boot does that.
 */
export async function runJob(id: string, shell: Shell): Promise<void> {
  const spec = readSpec(id)
  if (spec === undefined) throw new Error(`no order for job ${id}`)
  const journal = Journal.open(journalPath(id))
  const lock = await lockOrEnd(id, spec, journal)
  if (lock === undefined) return
  try {
    // Taken for dead before it had begun.
    if (hasEnd(id)) return
    const vms = await noteVms(shell, spec)
    journal.append({ type: 'begin', id, spec, bootId: await bootId(), engine: ENGINE_VERSION, vms })
    endSetAside(await workAndEnd(id, spec, shell, journal, vms))
  } finally {
    await lock.release()
    journal.close()
    // Whoever submitted it may be dead since: the laptop went, or the run was killed.
    await removeStaleLock(submitLock(id))
  }
}

async function lockOrEnd(id: string, spec: JobSpec, journal: Journal): Promise<VmLock | undefined> {
  const { uuid, name } = vmOf(spec)
  try {
    return await lockVm(uuid, name, `job ${id}`)
  } catch (error) {
    const report = reportAtStart(id, spec, new Date().toISOString())
    endJob(journal, { ...report, state: 'failed-clean', failure: failureOf(error) })
    return undefined
  }
}

/** Answers the earlier jobs that it has set aside for good. */
async function workAndEnd(
  id: string,
  spec: JobSpec,
  shell: Shell,
  journal: Journal,
  vms: readonly NotedVm[]
): Promise<readonly EarlierTrouble[]> {
  const abort = new AbortController()
  const job = jobContext(id, spec, shell, journal, abort.signal)
  process.on('SIGTERM', () => {
    abort.abort()
    // Also out of the middle of a step that does not listen.
    void leaveIfHostGoesDown(job, journal)
  })
  try {
    const aside = await settleEarlier(job)
    await lookAgain(job, vms)
    const kept = await work(job)
    await letGoOfOwnPoint()
    endJob(journal, doneReport(id, kept, job.warnings.length > 0))
    return aside
  } catch (error) {
    if (abort.signal.aborted) await leaveIfHostGoesDown(job, journal)
    const failure = failureOf(error)
    journal.forgive()
    job.note(`stopped: ${describeFailure(failure).title}`)
    const undone = await undo(job, readJournal(journalPath(id)))
    journal.flush()
    await letGoOfOwnPoint()
    endJob(journal, endReport(id, undone, failure))
    return []
  }
}

/** An earlier job may have had a VM paused. */
async function lookAgain(job: JobContext, vms: readonly NotedVm[]): Promise<void> {
  for (const { uuid, before } of vms)
    await noteSeen(job, uuid, await domainState(job.shell, uuid).catch(() => undefined), before.state)
}

/** Does not return if it does. */
async function leaveIfHostGoesDown(job: JobContext, journal: Journal): Promise<void> {
  if (!(await isHostGoingDown(job.shell))) return
  await setFree(job.shell, job.id)
  journal.forgive()
  job.note('the host goes down: what is left to do is done when it is up again')
  process.exit(0)
}

async function work(job: JobContext): Promise<readonly Kept[]> {
  if (isBackup(job)) return backUp(job)
  await restore(job as JobContext<Extract<JobSpec, { kind: 'restore' }>>)
  return []
}

const isBackup = (job: JobContext): job is JobContext<Extract<JobSpec, { kind: 'backup' }>> =>
  job.spec.kind === 'backup'
