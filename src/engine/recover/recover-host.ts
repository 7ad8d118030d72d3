import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { fail } from '../../shared/failure.ts'
import type { JobReport } from '../../shared/model/job.ts'
import type { Shell } from '../../shared/shell.ts'
import { recoverRunsNow } from '../policy/recover-runs.ts'
import { deadJobs } from '../jobs/unit-state.ts'
import { recoverAll } from './recover.ts'
import { standDown } from '../jobs/recover-units.ts'

/**
 * For the host's own unit: at boot, when a job has died, and by the timer until nothing is left.
 *
 * @throws if something is left, which keeps the timer going
 */
export async function recoverHost(shell: Shell): Promise<void> {
  await guestsAreUp(shell)
  const { isComplete } = await recoverEverything(shell)
  // A job that died while the timer was still there, and this unit at work, has asked for both in vain.
  if (!isComplete || (await deadJobs(shell)).length > 0)
    fail({ kind: 'usage', message: 'something is left that could not be put right yet' })
}

/** Jobs first, since runs wait for theirs. The timer goes when nothing is left. */
export async function recoverEverything(shell: Shell): Promise<{ reports: readonly JobReport[]; isComplete: boolean }> {
  const { reports, isComplete } = await recoverAll(shell)
  const runs = await recoverRunsNow(shell)
  if (isComplete && runs) await standDown(shell)
  return { reports, isComplete: isComplete && runs }
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
