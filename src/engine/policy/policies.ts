import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { fail, failureOf } from '../../shared/failure.ts'
import { describeFailure } from '../../shared/failure-words.ts'
import { policyPath, runUnit } from '../../shared/host-paths.ts'
import { newTimeSortedId } from '../../shared/model/ids.ts'
import type { Policy, RunReport } from '../../shared/model/policy.ts'
import type { Shell } from '../../shared/shell.ts'
import type { PolicyListing, PolicyState } from '../../shared/views/policy-view.ts'
import { expectZero } from '../expect-zero.ts'
import { withHostLock } from '../jobs/host-lock.ts'
import { knowStore, requireKnownStore } from '../retention/known-stores.ts'
import { channelsView } from '../tell/channels.ts'
import { listOutbox } from '../tell/tell.ts'
import { hostTimeZone } from '../time-zone.ts'
import { checkCalendar } from './calendar-check.ts'
import { readParallel, writeParallel } from './host-rules.ts'
import { isPolicyThere, policyFiles, readPolicy, removePolicyFile, writePolicy } from './policy-file.ts'
import { engine, removeUnits, serviceProperties, timerStates, writeUnits, type TimerState } from './policy-units.ts'
import { readRun, removeRun } from './run-files.ts'
import { runsFromNewest } from './runs.ts'

/** Everything about policies but their history. */
export async function listPolicies(shell: Shell): Promise<PolicyListing> {
  const { policies, broken } = await policyFiles()
  const timers = await timerStates(
    shell,
    policies.map(({ id }) => id)
  )
  const lastRuns = newestRuns(policies)
  const states = policies.map((policy) => stateOf(policy, timers.get(policy.id), lastRuns.get(policy.id)))
  return {
    policies: await Promise.all(states),
    broken: [...broken],
    timeZone: hostTimeZone(),
    parallel: readParallel(),
    channels: channelsView(),
    outbox: listOutbox()
  }
}

async function stateOf(
  policy: Policy,
  timer: TimerState | undefined,
  lastRun: RunReport | undefined
): Promise<PolicyState> {
  const problem = timer?.isRunning === true ? await storeProblem(policy.store) : 'Its timer does not run: save it again'
  return {
    policy,
    ...(timer?.nextRunAt !== undefined && { nextRunAt: timer.nextRunAt }),
    ...(lastRun && { lastRun }),
    ...(problem !== undefined && { problem })
  }
}

async function storeProblem(store: string): Promise<string | undefined> {
  try {
    await requireKnownStore(store)
    return undefined
  } catch (error) {
    const { title, explanation } = describeFailure(failureOf(error))
    return `${title}. ${explanation}`
  }
}

function newestRuns(policies: readonly Policy[]): ReadonlyMap<string, RunReport> {
  const newest = new Map<string, RunReport>()
  for (const run of runsFromNewest()) {
    if (newest.size === policies.length) break
    if (!newest.has(run.policy.id) && policies.some(({ id }) => id === run.policy.id)) newest.set(run.policy.id, run)
  }
  return newest
}

/**
 * Writes a policy and its timer, or changes them. `changedAt` of what it answers is this host's time.
 *
 * @throws `usage` if its calendar is none, `store-changed` if another store lies at its place and that is not said to be meant
 */
export async function putPolicy(shell: Shell, policy: Policy, acceptStore: boolean): Promise<Policy> {
  await checkCalendar(shell, policy.schedule.calendar)
  const saved = { ...policy, changedAt: new Date().toISOString() }
  return withHostLock('policies', `saving of ${policy.name}`, async () => {
    await knowStore(policy.store, acceptStore)
    await writePolicy(saved)
    await writeUnits(shell, saved)
    return saved
  })
}

/** Takes policy, units and ended runs off the host. A run that goes on ends by itself and then removes its own traces. */
export function removePolicy(shell: Shell, id: string): Promise<{ removed: string[] }> {
  return withHostLock('policies', `removal of policy ${id}`, async () => {
    const wasThere = isPolicyThere(id)
    await removePolicyFile(id)
    const units = await removeUnits(shell, id)
    const runs = removeEndedRuns(id)
    return { removed: [...(wasThere ? [policyPath(id)] : []), ...units, ...runs] }
  })
}

/** Behind the removal of the policy's file: a run that ends later sees that it is gone. */
function removeEndedRuns(id: string): string[] {
  const ended = [...runsFromNewest()].filter((run) => run.policy.id === id && run.endedAt !== undefined)
  for (const run of ended) removeRun(run.id)
  return ended.map((run) => `run ${run.id}`)
}

/** Starts a run by hand and returns when it has begun. If one of this policy goes on already, that is the one. */
export async function startRun(shell: Shell, id: string): Promise<{ run: string }> {
  const policy = await readPolicy(id)
  const going = [...runsFromNewest()].find((run) => run.policy.id === id && run.endedAt === undefined)
  if (going !== undefined) return { run: going.id }
  const run = newTimeSortedId(new Date(), randomBytes)
  const properties = serviceProperties(policy.id).flatMap((property) => ['-p', property])
  const options = [`--unit=${runUnit(run)}`, '--collect', '--quiet', '-p', 'Type=exec', ...properties]
  await expectZero(shell, ['systemd-run', ...options, '--', ...engine().split(' '), 'run-policy', policy.id, run])
  await begun(run)
  return { run }
}

const BEGIN_WITHIN_MS = 60_000

async function begun(run: string): Promise<void> {
  const deadline = Date.now() + BEGIN_WITHIN_MS
  while (readRun(run) === undefined) {
    if (Date.now() > deadline) fail({ kind: 'timeout', what: `start of ${runUnit(run)}`, afterMs: BEGIN_WITHIN_MS })
    await sleep(20)
  }
}

export async function setParallel(parallel: number): Promise<Record<string, never>> {
  await writeParallel(parallel)
  return {}
}
