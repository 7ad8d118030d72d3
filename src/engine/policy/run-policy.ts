import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { failureOf } from '../../shared/failure.ts'
import { describeFailure } from '../../shared/failure-words.ts'
import { newTimeSortedId } from '../../shared/model/ids.ts'
import type { Policy, Pruned, RunReport, RunTrigger } from '../../shared/model/policy.ts'
import type { Shell } from '../../shared/shell.ts'
import { bootId } from '../host-facts.ts'
import { tryHostLock, type HostLock } from '../jobs/host-lock.ts'
import { armWatch } from '../jobs/recover-units.ts'
import { isHostGoingDown } from '../recover/at-shutdown.ts'
import { warningOfUnseen } from '../retention/between-hosts.ts'
import { requireKnownStore } from '../retention/known-stores.ts'
import { prune } from '../retention/prune.ts'
import { hostTimeZone } from '../tell/host-time.ts'
import { backUpVm, GONE } from './back-up-vm.ts'
import { bootedAt } from './boot-time.ts'
import { endRun } from './end-run.ts'
import { readParallel } from './host-rules.ts'
import { closing, whyNotNow } from './hours.ts'
import { due, type Timing } from './missed.ts'
import { isPolicyThere, readPolicy } from './policy-file.ts'
import { removeServiceUnit } from './policy-units.ts'
import { recoverRuns } from './recover-runs.ts'
import { entriesOf, noteVm, type RunContext } from './run-context.ts'
import { listRuns } from './runs.ts'
import { readRunPolicy, RunJournal, writeRunPolicy } from './run-files.ts'
import { runReportOf } from './run-report.ts'
import { select, vmsHere } from './select.ts'
import { workThrough } from './work-through.ts'

const OVERLAP = 'the run before was still going'
const AGAIN_AFTER_MS = 3000

/**
 * A run's own process, from its unit's start to its end. `run`: its id, of a run by hand. Two runs of one policy never
 * go side by side: one by hand waits, one of the timer is skipped, and says so.
 */
export async function runPolicy(shell: Shell, id: string, trigger: RunTrigger, run = newId()): Promise<void> {
  const own = await tryHostLock(`run-${run}`, `run ${run}`)
  const turn = await ourTurn(id, run, trigger)
  try {
    // Removed as its timer fired.
    if (!isPolicyThere(id)) {
      await removeServiceUnit(id)
      return
    }
    // One that cannot be ended is tried again by the recovery of the host, and keeps no other back.
    if (turn !== undefined) await recoverRuns(shell, id, run).catch(() => undefined)
    // Read when its turn has come: what is changed later counts for the next run.
    await begin(shell, await readPolicy(id), trigger, run, turn === undefined ? OVERLAP : undefined)
  } finally {
    await turn?.release()
    await own?.release()
  }
}

const newId = (): string => newTimeSortedId(new Date(), randomBytes)

async function ourTurn(id: string, run: string, trigger: RunTrigger): Promise<HostLock | undefined> {
  for (;;) {
    const lock = await tryHostLock(`policy-${id}`, `run ${run}`)
    if (lock !== undefined || trigger === 'timer') return lock
    await sleep(500)
  }
}

async function begin(
  shell: Shell,
  policy: Policy,
  trigger: RunTrigger,
  id: string,
  overlap: string | undefined
): Promise<void> {
  const now = new Date()
  await writeRunPolicy(id, policy)
  const report = reportAtStart(policy, trigger, id, now)
  const journal = new RunJournal(id)
  try {
    journal.append({ type: 'begin', report, bootId: await bootId() })
    const run = {
      id,
      policy,
      shell,
      journal,
      signal: stopped(shell),
      closed: closing(policy, trigger, hostTimeZone(), now)
    }
    const skipped = overlap ?? whyNotNow(policy, trigger, hostTimeZone(), now)
    if (skipped === undefined) await workAndEnd(run)
    else await endRun(run, { state: 'skipped', reason: skipped })
  } finally {
    journal.close()
  }
}

/** A host that goes down is not kept waiting for jobs: the run is ended when it is up again. */
function stopped(shell: Shell): AbortSignal {
  const abort = new AbortController()
  process.on('SIGTERM', () => {
    abort.abort()
    void isHostGoingDown(shell).then((goesDown) => goesDown && process.exit(0))
  })
  return abort.signal
}

function reportAtStart(policy: Policy, trigger: RunTrigger, id: string, now: Date): RunReport {
  return {
    id,
    policy: { id: policy.id, name: policy.name },
    host: policy.hostName,
    trigger,
    startedAt: now.toISOString(),
    state: 'running',
    ...(trigger === 'timer' ? due(policy, timingOf(policy, now)) : { missed: [], missedCount: 0 }),
    vms: [],
    told: [],
    warnings: []
  }
}

function timingOf({ id }: Policy, now: Date): Timing {
  const calendarOf = (run: RunReport): string | undefined => readRunPolicy(run.id)?.schedule.calendar
  return { timeZone: hostTimeZone(), now, bootedAt: bootedAt(), earlier: listRuns({ policy: id }), calendarOf }
}

async function workAndEnd(run: RunContext): Promise<void> {
  try {
    await armWatch(run.shell)
    await requireKnownStore(run.policy.store)
    await warnOfUnseen(run)
    await backUpAll(run)
    await pruneOld(run)
    await endRun(run, {})
  } catch (error) {
    await endRun(run, { state: 'failed', reason: describeFailure(failureOf(error)).title })
  }
}

async function warnOfUnseen({ policy, journal }: RunContext): Promise<void> {
  const text = await warningOfUnseen(policy.store)
  if (text !== undefined) journal.append({ type: 'warning', text })
}

async function backUpAll(run: RunContext): Promise<void> {
  const { vms, gone } = select(run.policy.vms, await vmsHere(run.shell))
  for (const vm of vms) noteVm(run, { vm, outcome: 'waiting' })
  for (const vm of gone) noteVm(run, { vm, outcome: 'skipped', reason: GONE })
  if (vms.length + gone.length === 0) run.journal.append({ type: 'warning', text: 'no VM of this host is meant by it' })
  await workThrough(vms, (vm) => backUpVm(run, vm), { workers: readParallel(), againAfterMs: AGAIN_AFTER_MS })
}

/** What its jobs removed before their backups, because the store was full. */
function removedForRoom(run: RunContext): Pruned {
  const removed = entriesOf(run).flatMap((entry) =>
    entry.type === 'prune' && entry.forRoomBytes !== undefined ? [{ ...entry, bytes: entry.forRoomBytes }] : []
  )
  return {
    trashed: [],
    removed: removed.map(({ point }) => point),
    memoryDropped: [],
    freedBytes: removed.reduce((sum, { bytes }) => sum + bytes, 0),
    refused: []
  }
}

const together = (before: Pruned, after: Pruned): Pruned => ({
  ...after,
  removed: [...before.removed, ...after.removed],
  freedBytes: before.freedBytes + after.freedBytes
})

/** By the rules as they are now, so that rules made milder meanwhile hold; not at all for a policy that is gone. */
async function pruneOld(run: RunContext): Promise<void> {
  const { vms = [] } = runReportOf(entriesOf(run)) ?? {}
  const fresh = vms.flatMap(({ vm, point }) => (point === undefined ? [] : [{ vm: vm.uuid, point }]))
  const forRoom = removedForRoom(run)
  if (fresh.length > 0 && isPolicyThere(run.policy.id)) {
    const { keep, excludeDisks } = await readPolicy(run.policy.id)
    const pruned = await prune(run.shell, { ...run.policy, keep, excludeDisks }, fresh, (step) => {
      run.journal.append(step)
    })
    run.journal.append({ type: 'pruned', pruned: together(forRoom, pruned) })
  } else if (forRoom.removed.length > 0) run.journal.append({ type: 'pruned', pruned: forRoom })
}
