import { failureOf } from '../../shared/failure.ts'
import { describeFailure } from '../../shared/failure-words.ts'
import { policyPath } from '../../shared/host-paths.ts'
import type { Policy, RunReport } from '../../shared/model/policy.ts'
import type { Shell } from '../../shared/shell.ts'
import { firstPolicies, type PolicyListing, type PolicyState } from '../../shared/views/policy-view.ts'
import { nextRunAt } from '../../shared/schedule/next-run.ts'
import { withHostLock } from '../jobs/host-lock.ts'
import { knowStore, requireKnownStore } from '../retention/known-stores.ts'
import { channelsView } from '../tell/channels.ts'
import { ensureTellTimer } from '../tell/tell-timer.ts'
import { listOutbox } from '../tell/tell.ts'
import { hostTimeZone } from '../tell/host-time.ts'
import { checkCalendar } from './calendar-check.ts'
import { readParallel, writeParallel } from './host-rules.ts'
import { isPolicyThere, policyFiles, readPolicy, removePolicyFile, writePolicy } from './policy-file.ts'
import { idsWithUnits, removeUnits, timerStates, writeUnits, type TimerState } from './policy-units.ts'
import { removeRun } from './run-files.ts'
import { runsFromNewest } from './runs.ts'

/** Everything about policies but their history. */
export async function listPolicies(shell: Shell): Promise<PolicyListing> {
  const { policies: all, broken } = await policyFiles()
  const { shown: policies, ...more } = firstPolicies(all)
  const timers = await timerStates(
    shell,
    policies.map(({ id }) => id)
  )
  const lastRuns = newestRuns(policies)
  const states = policies.map((policy) => stateOf(policy, timers.get(policy.id), lastRuns.get(policy.id)))
  return {
    policies: await Promise.all(states),
    ...more,
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
  const next = nextOf(policy, timer)
  return {
    policy,
    ...(next !== undefined && { nextRunAt: next }),
    ...(lastRun && { lastRun }),
    ...(problem !== undefined && { problem })
  }
}

/** systemd's own word; reckoned where it has none because a run goes on, or where a pause lies before it. */
function nextOf(policy: Policy, timer: TimerState | undefined): string | undefined {
  const now = new Date()
  const isPaused = policy.pausedUntil !== undefined && Date.parse(policy.pausedUntil) > now.getTime()
  return (isPaused ? undefined : timer?.nextRunAt) ?? nextRunAt(policy, hostTimeZone(), now)
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
    if (acceptStore || !(await isPauseOnly(policy))) await knowStore(policy.store, acceptStore)
    await writePolicy(saved)
    const isArmedAnew = await writeUnits(shell, saved)
    // What was due before its timer was armed has not been missed.
    const armed = isArmedAnew ? { ...saved, changedAt: new Date().toISOString() } : saved
    if (isArmedAnew) await writePolicy(armed)
    await ensureTellTimer(shell)
    return armed
  })
}

/** A policy can be paused, and go on, while its store is away. */
async function isPauseOnly(policy: Policy): Promise<boolean> {
  if (!isPolicyThere(policy.id)) return false
  const before = await readPolicy(policy.id).catch(() => undefined)
  if (before === undefined || before.pausedUntil === policy.pausedUntil) return false
  const { isDeepStrictEqual } = await import('node:util')
  return isDeepStrictEqual(withoutPause(before), withoutPause(policy))
}

const withoutPause = ({ pausedUntil: _, changedAt: __, ...rest }: Policy): unknown => rest

/** Takes policy, units and ended runs off the host. A run that goes on ends by itself and then removes its own traces. */
export function removePolicy(shell: Shell, id: string): Promise<{ removed: string[] }> {
  return withHostLock('policies', `removal of policy ${id}`, async () => {
    const wasThere = isPolicyThere(id)
    await removePolicyFile(id)
    const units = await removeUnits(shell, id, () => hasOpenRun(id))
    const runs = removeEndedRuns(id)
    await ensureTellTimer(shell)
    return { removed: [...(wasThere ? [policyPath(id)] : []), ...units, ...runs] }
  })
}

const hasOpenRun = (id: string): boolean =>
  [...runsFromNewest()].some((run) => run.policy.id === id && run.endedAt === undefined)

/** Behind the removal of the policy's file: a run that ends later sees that it is gone. */
function removeEndedRuns(id: string): string[] {
  const ended = [...runsFromNewest()].filter((run) => run.policy.id === id && run.endedAt !== undefined)
  for (const run of ended) removeRun(run.id)
  return ended.map((run) => `run ${run.id}`)
}

export async function setParallel(parallel: number): Promise<Record<string, never>> {
  await writeParallel(parallel)
  return {}
}

/** After an update of the engine units name the new one; what a removal that was cut short has left goes. Safe to do again. */
export async function refreshPolicies(shell: Shell): Promise<void> {
  await withHostLock('policies', 'a look after the policies', async () => {
    const { policies, broken } = await policyFiles()
    for (const policy of policies) await writeUnits(shell, policy)
    const known = [...policies.map(({ id }) => policyPath(id)), ...broken.map(({ path }) => path)]
    for (const id of idsWithUnits())
      if (!known.includes(policyPath(id))) await removeUnits(shell, id, () => hasOpenRun(id))
    await ensureTellTimer(shell)
  })
}
