import { setTimeout as sleep } from 'node:timers/promises'
import { failureOf, isFailure, type Failure } from '../../shared/failure.ts'
import { isEnded, vmOf, type JobReport, type JournalEntry } from '../../shared/model/job.ts'
import type { Shell } from '../../shared/shell.ts'
import { Journal, readJournal } from '../journal/journal.ts'
import { jobContext, type JobContext } from '../jobs/job-context.ts'
import { cancelWasAsked, jobIds, journalPath, readReport, readSpec } from '../jobs/job-directory.ts'
import { lastStep, reportOf } from '../../shared/job-report.ts'
import { endJob, endReport, type Undone } from '../jobs/job-end.ts'
import { lockVm, type VmLock } from '../jobs/vm-lock.ts'
import { undoBackup } from './undo-backup.ts'
import { undoRestore } from './undo-restore.ts'

/** Puts back what the journal says the job has changed, by what libvirt reports now. Safe to do again at any moment. */
export async function undo(job: JobContext, entries: readonly JournalEntry[]): Promise<Undone> {
  const deaf = { ...job, signal: new AbortController().signal }
  return job.spec.kind === 'backup' ? undoBackup(deaf, entries) : undoRestore(deaf, entries)
}

/** Ends every job of this host that has no end and no process: at boot, or when asked. */
export async function recoverAll(shell: Shell): Promise<JobReport[]> {
  const reports: JobReport[] = []
  for (const id of openJobs()) {
    const report = await recoverJob(shell, id).catch((error: unknown) => {
      if (isFailure(error, 'vm-busy')) return undefined
      throw error
    })
    if (report !== undefined) reports.push(report)
  }
  return reports
}

/** Before a job begins: what earlier ones of its VM left. The caller holds the VM's lock. */
export async function recoverEarlierJobs(shell: Shell, vm: string, before: string): Promise<void> {
  for (const id of openJobs()) {
    const spec = readSpec(id)
    if (id !== before && spec !== undefined && vmOf(spec).uuid === vm) await finish(shell, id)
  }
}

const LOCK_WITHIN_MS = 30_000

/**
 * Recovery of one job in a fresh process. Returns its final report; undefined if it was never begun.
 *
 * @throws `vm-busy` while another process still works for this VM.
 */
export async function recoverJob(shell: Shell, id: string): Promise<JobReport | undefined> {
  const report = readReport(id)
  const spec = readSpec(id)
  if (report === undefined || spec === undefined || isEnded(report.state)) return report
  const { uuid, name } = vmOf(spec)
  const lock = await lockWithin(uuid, name, id)
  try {
    return await finish(shell, id)
  } finally {
    await lock.release()
  }
}

const TRIES = 12
const TRY_AGAIN_AFTER_MS = 5000

/** For the unit's ExecStopPost: nobody else is there to try again, and libvirtd may be away for a moment. */
export async function recoverUntilDone(shell: Shell, id: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await recoverJob(shell, id)
      return
    } catch (error) {
      if (tries === TRIES) throw error
      await sleep(TRY_AGAIN_AFTER_MS)
    }
  }
}

async function finish(shell: Shell, id: string): Promise<JobReport | undefined> {
  const spec = readSpec(id)
  const entries = readJournal(journalPath(id))
  const report = reportOf(entries)
  if (spec === undefined || (report !== undefined && isEnded(report.state))) return report
  const journal = Journal.open(journalPath(id))
  try {
    if (report === undefined) journal.append({ type: 'begin', id, spec, bootId: 'recovered', engine: 'recovered' })
    const step = lastStep(entries)
    const job = jobContext(id, spec, shell, journal, new AbortController().signal)
    const undone = await job.step('recover', { after: step }, () => undo(job, entries))
    const failure: Failure = cancelWasAsked(id)
      ? { kind: 'cancelled', what: step }
      : { kind: 'interrupted', job: spec.kind, step }
    const final = endReport(id, undone, failure)
    endJob(journal, final)
    return final
  } catch (error) {
    journal.append({ type: 'note', text: `recovery did not get through: ${JSON.stringify(failureOf(error))}` })
    throw error
  } finally {
    journal.close()
  }
}

function openJobs(): string[] {
  return jobIds().filter((id) => {
    const report = readReport(id)
    return report !== undefined && !isEnded(report.state)
  })
}

/** The killed engine's last children may hold the lock for a moment longer. */
async function lockWithin(vm: string, vmName: string, id: string): Promise<VmLock> {
  const deadline = Date.now() + LOCK_WITHIN_MS
  for (;;) {
    try {
      return await lockVm(vm, vmName, `recovery of job ${id}`)
    } catch (error) {
      if (!isFailure(error, 'vm-busy') || Date.now() > deadline) throw error
      await sleep(200)
    }
  }
}
