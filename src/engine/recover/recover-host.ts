import { setTimeout as sleep } from 'node:timers/promises'
import { fail } from '../../shared/failure.ts'
import type { JobReport } from '../../shared/model/job.ts'
import type { Shell } from '../../shared/shell.ts'
import { recoverRunsNow } from '../policy/recover-runs.ts'
import { deadJobs } from '../jobs/unit-state.ts'
import { isAnythingOpen } from './anything-open.ts'
import { LOOK_AGAIN_MS, recoverAll } from './recover.ts'
import { armWatch, standDown } from '../jobs/recover-units.ts'

/**
 * For the host's own unit: at boot, when a job has died, and by the timers until nothing is open.
 *
 * @throws if something is left, which keeps the timer going
 */
export async function recoverHost(shell: Shell): Promise<void> {
  await guestsAreUp(shell)
  const { isComplete, runsLeft } = await recoverEverything(shell)
  await standDownIfAllHasEnded(shell)
  const message = ['something is left that could not be put right yet', ...runsLeft].join('; ')
  // One may have died since, or while the timer that its unit asks for was active.
  if (!isComplete || (await deadJobs(shell)).length > 0) fail({ kind: 'usage', message })
}

/** Runs wait for their jobs, each for its own. */
export async function recoverEverything(
  shell: Shell,
  { lookAgainMs = LOOK_AGAIN_MS } = {}
): Promise<{ reports: readonly JobReport[]; isComplete: boolean; runsLeft: readonly string[] }> {
  const over = new AbortController()
  const beside = recoverRunsMeanwhile(shell, lookAgainMs, over.signal)
  const { reports, isComplete } = await recoverAll(shell, { lookAgainMs }).finally(() => over.abort())
  await beside
  const runsLeft = await recoverRunsNow(shell)
  return { reports, isComplete: isComplete && runsLeft.length === 0, runsLeft }
}

/**
 * What lives may die with nobody left to tell of it, so the timers stay while anything is open. Who begins something writes
 * its folder first and then arms the watch: one that came in between is seen here, or arms it behind this.
 */
async function standDownIfAllHasEnded(shell: Shell): Promise<void> {
  if (!isAnythingOpen()) await standDown(shell)
  // Also where somebody else has stopped it.
  if (isAnythingOpen()) await armWatch(shell)
}

/** A run owes its VMs their `after` hooks, whatever takes hours with another VM. */
async function recoverRunsMeanwhile(shell: Shell, everyMs: number, over: AbortSignal): Promise<void> {
  for (;;) {
    await sleep(everyMs, undefined, { signal: over }).catch(() => undefined)
    if (over.aborted) return
    // What does not get through now is asked once more at the end.
    await recoverRunsNow(shell).catch(() => undefined)
  }
}

const GUESTS_WITHIN_MS = 60_000

/**
 * At boot libvirt-guests starts what it had saved or shut down: those VMs are better found running than half started. It
 * is not waited for any longer than that, since it may hang for reasons of its own.
 */
async function guestsAreUp(shell: Shell): Promise<void> {
  const deadline = performance.now() + GUESTS_WITHIN_MS
  const question = ['systemctl', 'show', '-p', 'ActiveState', '--value', 'libvirt-guests.service'] as const
  while (performance.now() < deadline && (await shell.run(question)).stdout.trim() === 'activating') await sleep(500)
}
