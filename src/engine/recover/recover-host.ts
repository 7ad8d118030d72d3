import { setTimeout as sleep } from 'node:timers/promises'
import { fail } from '../../shared/failure.ts'
import type { JobReport } from '../../shared/model/job.ts'
import type { Shell } from '../../shared/shell.ts'
import { recoverRunsNow } from '../policy/recover-runs.ts'
import { deadJobs } from '../jobs/unit-state.ts'
import { LOOK_AGAIN_MS, recoverAll } from './recover.ts'
import { beginRecovery, standDown } from '../jobs/recover-units.ts'

/**
 * For the host's own unit: at boot, when a job has died, and by the timer until nothing is left.
 *
 * @throws if something is left, which keeps the timer going
 */
export async function recoverHost(shell: Shell): Promise<void> {
  await guestsAreUp(shell)
  const { isComplete, runsLeft } = await recoverEverything(shell)
  const message = ['something is left that could not be put right yet', ...runsLeft].join('; ')
  if (!isComplete) fail({ kind: 'usage', message })
}

/** Runs wait for their jobs, each for its own. The timer goes when nothing is left. */
export async function recoverEverything(
  shell: Shell,
  { lookAgainMs = LOOK_AGAIN_MS } = {}
): Promise<{ reports: readonly JobReport[]; isComplete: boolean; runsLeft: readonly string[] }> {
  const over = new AbortController()
  const beside = recoverRunsMeanwhile(shell, lookAgainMs, over.signal)
  const { reports, isComplete } = await recoverAll(shell, { lookAgainMs }).finally(() => over.abort())
  await beside
  const runsLeft = await recoverRunsNow(shell)
  return { reports, isComplete: isComplete && runsLeft.length === 0 && (await nothingIsLeft(shell)), runsLeft }
}

/** A job that died while the timer was still there, and its unit at work, has asked for both in vain: then they begin anew. */
async function nothingIsLeft(shell: Shell): Promise<boolean> {
  await standDown(shell)
  if ((await deadJobs(shell)).length === 0) return true
  await beginRecovery(shell)
  return false
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
