import { failureOf } from '../../shared/failure.ts'
import { vmOf, type JobSpec } from '../../shared/model/job.ts'
import type { Shell } from '../../shared/shell.ts'
import { backUp } from '../capture/backup.ts'
import { bootId } from '../host-facts.ts'
import type { Kept } from '../evidence/verdict.ts'
import { Journal, readJournal } from '../journal/journal.ts'
import { recoverEarlierJobs, undo } from '../recover/recover.ts'
import { restore } from '../restore/restore.ts'
import { ENGINE_VERSION } from '../version.ts'
import { jobContext, type JobContext } from './job-context.ts'
import { journalPath, readSpec } from './job-directory.ts'
import { doneReport, endJob, endReport } from './job-end.ts'
import { describeFailure } from '../../shared/failure-words.ts'
import { reportAtStart } from '../../shared/job-report.ts'
import { lockVm, type VmLock } from './vm-lock.ts'

/**
 * A job's own process, from its unit's start to its end. Whatever goes wrong, the VM is put right before the end is
 * written; where even that fails, no end is written and the unit's ExecStopPost begins afresh.
 */
export async function runJob(id: string, shell: Shell): Promise<void> {
  const spec = readSpec(id)
  if (spec === undefined) throw new Error(`no order for job ${id}`)
  const journal = Journal.open(journalPath(id))
  const lock = await lockOrEnd(id, spec, journal)
  if (lock === undefined) return
  try {
    journal.append({ type: 'begin', id, spec, bootId: await bootId(), engine: ENGINE_VERSION })
    await recoverEarlierJobs(shell, vmOf(spec).uuid, id)
    await workAndEnd(id, spec, shell, journal)
  } finally {
    await lock.release()
    journal.close()
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

async function workAndEnd(id: string, spec: JobSpec, shell: Shell, journal: Journal): Promise<void> {
  const abort = new AbortController()
  process.on('SIGTERM', () => abort.abort())
  const job = jobContext(id, spec, shell, journal, abort.signal)
  try {
    const kept = await work(job)
    endJob(journal, doneReport(id, kept, job.warnings.length > 0))
  } catch (error) {
    const failure = failureOf(error)
    job.note(`stopped: ${describeFailure(failure).title}`)
    endJob(journal, endReport(id, await undo(job, readJournal(journalPath(id))), failure))
  }
}

async function work(job: JobContext): Promise<readonly Kept[]> {
  if (isBackup(job)) return backUp(job)
  await restore(job as JobContext<Extract<JobSpec, { kind: 'restore' }>>)
  return []
}

const isBackup = (job: JobContext): job is JobContext<Extract<JobSpec, { kind: 'backup' }>> =>
  job.spec.kind === 'backup'
