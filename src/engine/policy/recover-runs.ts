import { existsSync } from 'node:fs'
import { failureOf } from '../../shared/failure.ts'
import { describeFailure } from '../../shared/failure-words.ts'
import type { Policy, RunEntry, RunReport, RunVm } from '../../shared/model/policy.ts'
import type { Shell } from '../../shared/shell.ts'
import { bootId } from '../host-facts.ts'
import { isHeld, tryHostLock } from '../jobs/host-lock.ts'
import { endOfJob } from '../jobs/follow.ts'
import { jobDirectory, openJobs } from '../jobs/job-directory.ts'
import { needsHelp } from '../jobs/unit-state.ts'
import { isHostGoingDown } from '../recover/at-shutdown.ts'
import { noteRemovals, outcomeOf } from './backup-job.ts'
import { endRun } from './end-run.ts'
import { hook, withWarning, type Outcome } from './with-hooks.ts'
import { noteVm } from './run-context.ts'
import {
  isUnread,
  openRuns,
  readRun,
  readRunEntries,
  readRunPolicy,
  removeRun,
  runDirectory,
  runIds,
  RunJournal
} from './run-files.ts'
import { removeStaleLocks } from './stale-locks.ts'
import { ofType, runReportOf } from './run-report.ts'
import { runsFromNewest } from './runs.ts'

/**
 * Ends the runs, of one policy or of all, whose process died: their jobs are waited for, which end by themselves, VMs
 * whose `after` hook is owed get it, and the run is told of as failed. `except` is a run that is just beginning.
 *
 * @throws why one of them could not be ended, once all others are
 */
export async function recoverRuns(shell: Shell, policy?: string, except?: string): Promise<void> {
  const errors: unknown[] = []
  for (const id of openRuns()) {
    if (id === except || (policy !== undefined && !isOf(id, policy))) continue
    await recoverRun(shell, id).catch((error: unknown) => errors.push(error))
  }
  if (errors.length > 0) throw errors[0]
}

/** For the ExecStopPost of a policy's run. Its jobs end by themselves; on a host that goes down they do when it is up again. */
export async function recoverRunAtStop(shell: Shell, policy: string): Promise<void> {
  if (!(await isHostGoingDown(shell))) await recoverRuns(shell, policy)
}

/**
 * As {@link recoverRuns} for all of them, but waits for no job: a run whose jobs may still end is left for another time.
 * One that cannot be ended keeps no other back. Answers those that are left, each with the reason.
 */
export async function recoverRunsNow(shell: Shell): Promise<string[]> {
  const left: string[] = []
  for (const id of await unendedRuns()) {
    if (awaitsJob(id)) left.push(`run ${id} waits for its jobs`)
    else
      await recoverRun(shell, id).catch((error: unknown) => {
        const { title, explanation } = describeFailure(failureOf(error))
        left.push(`run ${id}: ${title}. ${explanation}`)
      })
  }
  return left
}

async function unendedRuns(): Promise<string[]> {
  const open = openRuns()
  const held = await Promise.all(open.map((id) => isHeld(`run-${id}`)))
  return open.filter((_, n) => held[n] !== true)
}

/** A job of it goes on, or the host is still at its first tries to put its VM right. */
function awaitsJob(run: string): boolean {
  const open = openJobs()
  const jobs = (readRun(run)?.vms ?? []).flatMap(({ outcome, job }) => (outcome === 'running' ? (job ?? []) : []))
  return jobs.some((job) => open.includes(job) && !needsHelp(job))
}

/** Runs, of one policy or of all, whose process lives. */
export async function goingRuns(policy?: string): Promise<RunReport[]> {
  const open = [...runsFromNewest()].filter(({ endedAt }) => endedAt === undefined)
  const going: RunReport[] = []
  for (const run of open) if (await isHeld(`run-${run.id}`)) going.push(run)
  return going.filter((run) => policy === undefined || run.policy.id === policy)
}

/** Runs that have no end and no process. */
export async function deadRuns(): Promise<RunReport[]> {
  const going = await goingRuns()
  return [...runsFromNewest()].filter((run) => run.endedAt === undefined && !going.some(({ id }) => id === run.id))
}

/** Folders of runs of which nobody can tell how they ended, or what they owe. */
export const unreadRuns = (): string[] => runIds().filter(isUnread).map(runDirectory)

const isOf = (run: string, policy: string): boolean => readRunPolicy(run)?.id === policy

async function recoverRun(shell: Shell, id: string): Promise<void> {
  const lock = await tryHostLock(`run-${id}`, `recovery of run ${id}`)
  if (lock === undefined) return
  try {
    const policy = readRunPolicy(id)
    await finish(shell, id)
    if (policy !== undefined) await removeStaleLocks(policy.id)
  } finally {
    await lock.release()
  }
}

async function finish(shell: Shell, id: string): Promise<void> {
  const policy = readRunPolicy(id)
  const entries = readRunEntries(id)
  const report = runReportOf(entries)
  // Its process died before it had said anything.
  if (policy === undefined || report === undefined) removeRun(id)
  else if (report.endedAt === undefined) await endInterrupted(shell, policy, report, entries)
}

async function endInterrupted(
  shell: Shell,
  policy: Policy,
  { id, vms }: RunReport,
  entries: readonly RunEntry[]
): Promise<void> {
  const journal = new RunJournal(id)
  const run = { id, policy, shell, journal }
  try {
    for (const vm of vms) await settle(run, vm, entries)
    await endRun(run, { state: 'failed', reason: await whyInterrupted(entries) })
  } finally {
    journal.close()
  }
}

type Recovered = Parameters<typeof endRun>[0]

async function settle(run: Recovered, vm: RunVm, entries: readonly RunEntry[]): Promise<void> {
  if (vm.outcome !== 'running' && vm.outcome !== 'waiting') return
  const owed = owesAfter(vm, entries)
  const settled = vm.outcome === 'running' || owed ? await jobsEnd(run, vm) : NOT_ITS_TURN
  noteVm(run, owed ? await withAfter(run, { vm: vm.vm, ...settled }) : { vm: vm.vm, ...settled })
}

const NOT_ITS_TURN: Outcome = { outcome: 'skipped', reason: 'the run was interrupted before its turn' }

async function jobsEnd(run: Recovered, { job, reason }: RunVm): Promise<Outcome> {
  if (job !== undefined && existsSync(jobDirectory(job))) {
    const report = await endOfJob(run.shell, job)
    noteRemovals(run, job)
    return outcomeOf(report, reason)
  }
  return { outcome: 'failed', reason: 'the run was interrupted before its backup had begun' }
}

/** Its `before` hook was begun and its `after` hook has not ended. */
function owesAfter({ vm }: RunVm, entries: readonly RunEntry[]): boolean {
  const hooks = ofType(entries, 'hook').filter((entry) => entry.vm === vm.uuid)
  const last = hooks.at(-1)
  return last !== undefined && !(last.phase === 'after' && last.done)
}

async function withAfter(run: Recovered, vm: RunVm): Promise<RunVm> {
  const { policy } = run
  const setting = { policy: policy.name, vm: vm.vm, phase: 'after', outcome: vm.outcome, point: vm.point } as const
  return { ...vm, ...withWarning(vm, await hook(run, policy.hooks?.after, setting)) }
}

async function whyInterrupted(entries: readonly RunEntry[]): Promise<NonNullable<RunReport['reason']>> {
  const begin = ofType(entries, 'begin')[0]
  return begin?.bootId === (await bootId()) ? 'interrupted: its process was ended' : 'interrupted: the host went down'
}
