import { describeFailure } from '../../shared/failure-words.ts'
import { failureOf } from '../../shared/failure.ts'
import type { Policy, RunReport, Told } from '../../shared/model/policy.ts'
import { runSeverity } from '../../shared/run-words.ts'
import type { Shell } from '../../shared/shell.ts'
import { readChannels, TELL_FILES, type TellFiles } from './channels-file.ts'
import { deliverNow, flushOutbox, post } from './deliver.ts'
import { hostTimeZone } from './host-time.ts'
import { messageOfRun } from './run-message.ts'
import { ensureTellTimer } from './tell-timer.ts'

export { listOutbox } from './outbox.ts'

/**
 * Tells of a run that has ended, as its policy wants it, within a minute. What does not go through waits in the outbox.
 * Never throws. What is not told at once is in the policy's next digest, if it has one.
 */
export async function tellOfRun(policy: Policy, report: RunReport, files: TellFiles = TELL_FILES): Promise<Told[]> {
  if (!isToldAtOnce(policy, report)) return []
  try {
    const channels = readChannels(files)
    const items = await post(messageOfRun(report, hostTimeZone()), channels, policy.tell.mailTo, files)
    return await deliverNow(items, channels, files)
  } catch (error) {
    const { title, explanation } = describeFailure(failureOf(error))
    return [{ channel: 'mail', ok: false, text: `${title}: ${explanation}` }]
  }
}

/** A run that was skipped because its policy is paused is what the operator asked for. */
export function isToldAtOnce({ tell, pausedUntil }: Policy, report: RunReport): boolean {
  const isPaused = pausedUntil !== undefined && Date.parse(pausedUntil) > Date.parse(report.startedAt)
  if (isPaused && report.state === 'skipped') return false
  return runSeverity(report) === 'ok' ? tell.onSuccess : tell.onFailure
}

/** For the timer: what waits in the outbox, digests that are due, VMs gone silent. */
export async function tellWhatIsDue(shell: Shell, files: TellFiles = TELL_FILES): Promise<void> {
  await flushOutbox(files)
  await ensureTellTimer(shell, files)
}
