import { setTimeout as sleep } from 'node:timers/promises'
import { fail, isFailure, type Failure } from '../../shared/failure.ts'
import { isEnded, vmOf, type JobReport, type JournalEntry } from '../../shared/model/job.ts'
import type { Shell } from '../../shared/shell.ts'
import { Journal, readJournal } from '../journal/journal.ts'
import { jobContext, type JobContext } from '../jobs/job-context.ts'
import {
  cancelWasAsked,
  forgetJob,
  isEmptyJob,
  journalPath,
  readReport,
  readSpec,
  vmOfJob
} from '../jobs/job-directory.ts'
import { lastStep, reportOf } from '../../shared/job-report.ts'
import { endJob, endReport, finalReport, type Undone } from '../jobs/job-end.ts'
import { removeDeadFiles } from '../jobs/private-files.ts'
import { noteTrouble } from '../jobs/trouble.ts'
import { deadJobs, isAlive, troubledReport } from '../jobs/unit-state.ts'
import { forgetClaim } from '../room/claims.ts'
import { lockVm, type VmLock } from '../jobs/vm-lock.ts'
import { asidenessOf } from './set-aside.ts'
import { sinceLastPlan } from './trace.ts'
import { undoBackup } from './undo-backup.ts'
import { undoRestore } from './undo-restore.ts'
import { whatIsLeft } from './what-is-left.ts'

/** Puts back what the journal says the job has changed, by what libvirt reports now. Safe to do again at any moment. */
export async function undo(job: JobContext, entries: readonly JournalEntry[]): Promise<Undone> {
  const deaf = { ...job, signal: new AbortController().signal }
  return job.spec.kind === 'backup' ? undoBackup(deaf, entries) : undoRestore(deaf, entries)
}

/** How a look after all dead jobs of a host went. */
export interface Pass {
  /** Of each: as it ended, or why it could not be put right yet. */
  readonly reports: readonly JobReport[]
  /** False if something has to be tried again. */
  readonly isComplete: boolean
}

export const LOOK_AGAIN_MS = 10_000

/**
 * Ends every job of this host that has no end and no process: at boot, by the timer, or when asked. VMs go side by side,
 * and what keeps one back keeps no other back: while one of them takes its hours, those that die meanwhile are begun with,
 * and those that could not be put right are tried again, each beside what takes longer than it took to fail: where nothing
 * does, this ends, and the timer comes again, with what engine the host has by then. Of one VM the youngest goes first: what
 * it did lies over what older ones did.
 */
export async function recoverAll(shell: Shell, { lookAgainMs = LOOK_AGAIN_MS } = {}): Promise<Pass> {
  const inHand = new Map<string, { readonly since: number; readonly pass: Promise<void> }>()
  const last = new Map<string, VmPass>()
  const reports = new Map<string, JobReport>()
  const passOver = async (vm: string, ids: readonly string[]): Promise<void> => {
    const since = performance.now()
    const pass = await recoverInTurn(shell, ids).finally(() => inHand.delete(vm))
    for (const report of pass.reports) reports.set(report.id, report)
    last.set(vm, passBehind(last.get(vm), pass, since, lookAgainMs))
  }
  const isDue = (vm: string): boolean => {
    const [now, { failures, notBefore, tookMs }] = [performance.now(), last.get(vm) ?? NONE_YET]
    return failures === 0 || (now >= notBefore && [...inHand.values()].some(({ since }) => now - since > tookMs))
  }
  const begin = (dead: readonly string[]): void => {
    for (const [vm, ids] of byVm(dead))
      if (!inHand.has(vm) && isDue(vm)) inHand.set(vm, { since: performance.now(), pass: passOver(vm, ids) })
  }
  begin(await deadJobs(shell))
  while (inHand.size > 0) {
    if (await within(lookAgainMs, Promise.all([...inHand.values()].map(({ pass }) => pass)))) continue
    begin(await deadJobs(shell).catch(() => []))
  }
  const oldestFirst = [...reports.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
  return { reports: oldestFirst, isComplete: [...last.values()].every(({ failures }) => failures === 0) }
}

/** How the last pass over one VM's jobs went. */
interface VmPass {
  /** So many in a row did not get through. */
  readonly failures: number
  readonly notBefore: number
  readonly tookMs: number
}

const NONE_YET: VmPass = { failures: 0, notBefore: 0, tookMs: 0 }

/** Tried again much as the timer would, which cannot while a pass over others goes on: 10, 20, 40, 80 seconds later, then every two minutes. */
function passBehind(
  { failures: before }: VmPass = NONE_YET,
  { isComplete }: Pass,
  since: number,
  unitMs: number
): VmPass {
  if (isComplete) return NONE_YET
  const failures = before + 1
  const now = performance.now()
  return { failures, notBefore: now + unitMs * Math.min(2 ** (failures - 1), 12), tookMs: now - since }
}

/** The youngest first. */
function byVm(ids: readonly string[]): Map<string, string[]> {
  const jobs = new Map<string, string[]>()
  for (const id of ids) {
    const vm = vmOfJob(id)?.uuid ?? id
    jobs.set(vm, [id, ...(jobs.get(vm) ?? [])])
  }
  return jobs
}

/** False if it goes on. */
async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  const over = new AbortController()
  const late = sleep(ms, false, { signal: over.signal }).catch(() => false)
  try {
    return await Promise.race([work.then(() => true), late])
  } finally {
    over.abort()
  }
}

async function recoverInTurn(shell: Shell, ids: readonly string[]): Promise<Pass> {
  const reports: JobReport[] = []
  for (const [done, id] of ids.entries()) {
    try {
      const report = await recoverJob(shell, id)
      if (report !== undefined) reports.push(report)
    } catch (error) {
      const waiting = isFailure(error, 'vm-busy') ? [] : ids.slice(done)
      return { reports: [...reports, ...waiting.flatMap((each) => troubledReport(each) ?? [])], isComplete: false }
    }
  }
  return { reports, isComplete: true }
}

const LOCK_WITHIN_MS = 30_000

/**
 * Recovery of one job that is dead. Returns its final report; undefined if there was nothing of it.
 *
 * @throws `vm-busy` while another process works for this VM, or on this very job; else why it could not be put right
 */
export async function recoverJob(shell: Shell, id: string): Promise<JobReport | undefined> {
  const report = readReport(id)
  if (report !== undefined && isEnded(report.state)) return report
  if (await isAlive(shell, id))
    fail({ kind: 'vm-busy', vm: vmOfJob(id)?.name ?? '', by: `job ${id}`, since: report?.startedAt ?? 'just now' })
  return recoverFromUnit(shell, id)
}

/** As {@link recoverJob}, from the job's own unit, whose engine is gone. */
export async function recoverFromUnit(shell: Shell, id: string): Promise<JobReport | undefined> {
  const vm = vmOfJob(id)
  if (vm === undefined) {
    forgetEmpty(id)
    return undefined
  }
  const lock = await lockWithin(vm.uuid, vm.name, id)
  try {
    return await finish(shell, id)
  } finally {
    await lock.release()
  }
}

/** Its engine died before the order was there; or the order is of an engine that knows more than we do. */
function forgetEmpty(id: string): void {
  if (!isEmptyJob(id))
    fail({ kind: 'bad-output', what: `the order of job ${id}`, detail: 'this engine does not understand it' })
  forgetJob(id)
}

/** Undoes a job and writes its end. The caller holds the VM's lock. @throws why it could not be put right, which is noted */
export async function finish(shell: Shell, id: string): Promise<JobReport | undefined> {
  let entries: readonly JournalEntry[] = []
  await removeDeadFiles()
  try {
    entries = readJournal(journalPath(id))
    return await finishFrom(shell, id, entries)
  } catch (error) {
    noteTrouble(id, await whatIsLeft(shell, id, entries, error, whyEnded(id, entries)))
    throw error
  }
}

function whyEnded(id: string, entries: readonly JournalEntry[]): Failure {
  const step = lastStep(entries)
  if (cancelWasAsked(id)) return { kind: 'cancelled', what: step }
  return { kind: 'interrupted', job: readSpec(id)?.kind ?? 'backup', step }
}

async function finishFrom(shell: Shell, id: string, entries: readonly JournalEntry[]): Promise<JobReport | undefined> {
  const report = reportOf(entries)
  if (report !== undefined && isEnded(report.state)) return report
  const spec = readSpec(id)
  if (spec === undefined) {
    forgetEmpty(id)
    return undefined
  }
  const journal = Journal.open(journalPath(id), { unlike: sinceLastPlan(entries) })
  journal.forgive()
  try {
    if (report === undefined) journal.append({ type: 'begin', id, spec, bootId: 'recovered', engine: 'recovered' })
    const aside = asidenessOf(id, vmOf(spec).uuid)
    const job = jobContext(id, spec, shell, journal, new AbortController().signal)
    const undone =
      aside === undefined
        ? await job.step('recover', { after: lastStep(entries) }, () => undo(job, entries))
        : undefined
    journal.flush()
    const final =
      undone === undefined ? finalReport(id, 'failed-needs-you', aside) : endReport(id, undone, whyEnded(id, entries))
    endJob(journal, final)
    await forgetClaim(id)
    return final
  } finally {
    journal.close()
  }
}

/** The killed engine's last children may hold the lock for a moment longer. */
async function lockWithin(vm: string, vmName: string, id: string): Promise<VmLock> {
  const deadline = performance.now() + LOCK_WITHIN_MS
  for (;;) {
    try {
      return await lockVm(vm, vmName, `recovery of job ${id}`)
    } catch (error) {
      if (!isFailure(error, 'vm-busy') || performance.now() > deadline) throw error
      await sleep(200)
    }
  }
}
