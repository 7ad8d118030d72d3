import { describeFailure } from '../../shared/failure-words.ts'
import { failureOf } from '../../shared/failure.ts'
import type { Policy, RunReport, Told } from '../../shared/model/policy.ts'
import { runSeverity } from '../../shared/run-words.ts'
import type { Shell } from '../../shared/shell.ts'
import { policyFiles } from '../policy/policy-file.ts'
import { hostTimeZone } from './host-time.ts'
import { readChannels, TELL_FILES, type TellFiles } from './channels-file.ts'
import { deliverNow, flushOutbox, post } from './deliver.ts'
import type { SilentVm } from './message.ts'
import { messageOfRun } from './run-message.ts'
import { isSilenceDue, postDigests, postSilence, type Due } from './tell-due.ts'
import { lookForSilence } from './look-for-silence.ts'
import { nextRunAt } from '../../shared/schedule/next-run.ts'
import { oneLine } from '../../shared/safe-text.ts'
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
    const zone = hostTimeZone()
    const next = report.nextRunAt ?? nextRunAt(policy, zone, new Date())
    const message = messageOfRun({ ...report, ...(next !== undefined && { nextRunAt: next }) }, zone)
    const items = await post(message, channels, policy.tell.mailTo, files)
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
  const { policies } = await policyFiles()
  await logged('outbox', () => flushOutbox(files))
  await logged('digests and silence', () => tellNews(shell, policies, files))
  await logged('timer', () => ensureTellTimer(shell, files))
}

async function tellNews(shell: Shell, policies: readonly Policy[], files: TellFiles): Promise<void> {
  const due: Due = { policies, channels: readChannels(files), now: new Date() }
  if (Object.keys(due.channels).length === 0 || !isSilenceDue(due, files)) return
  let silent: SilentVm[] | undefined
  await logged('silence', async () => {
    silent = await lookForSilence(shell, policies, due.now, hostTimeZone())
  })
  const items = [
    ...(silent === undefined ? [] : await postSilence(silent, due, files)),
    ...(await postDigests(silent ?? [], due, files))
  ]
  await deliverNow(items, due.channels, files)
}

/** One thing that goes wrong does not keep the host from telling another. */
async function logged(what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    console.error(oneLine(`${what}: ${describeFailure(failureOf(error)).title}: ${String(error)}`))
  }
}
