import { setTimeout as sleep } from 'node:timers/promises'
import { ofType } from '../../shared/job-report.ts'
import type { JournalEntry } from '../../shared/model/job.ts'
import type { Shell } from '../../shared/shell.ts'
import { thaw } from '../../libvirt/agent.ts'
import { abortJob, jobInfo } from '../../libvirt/domain-jobs.ts'
import { resumeDomain } from '../../libvirt/domains.ts'
import { readJournal } from '../journal/journal.ts'
import { journalPath, vmOfJob } from '../jobs/job-directory.ts'
import { BackupTrace } from './trace.ts'

const ASK_WITHIN_MS = 5000

/** True once this host is on its way down, or to a reboot. A systemd that does not say so is not. */
export async function isHostGoingDown(shell: Shell): Promise<boolean> {
  try {
    const { stdout } = await shell.run(['systemctl', 'is-system-running'], { timeoutMs: ASK_WITHIN_MS })
    return stdout.trim() === 'stopping'
  } catch {
    return false
  }
}

const LEAVE_WITHIN_MS = 10_000

/**
 * The short way out while the host goes down: the VM is set free for whoever shuts it down or saves it, and all else waits
 * for the next boot, which finds the job open. Overlays stay in place.
 */
export async function setFree(shell: Shell, id: string): Promise<void> {
  const vm = vmOfJob(id)
  if (vm === undefined) return
  const freed = freeVm(shell, vm.uuid, readJournal(journalPath(id))).catch(() => undefined)
  await Promise.race([freed, sleep(LEAVE_WITHIN_MS, undefined, { ref: false })])
}

/** Only what this job itself has begun: its own RAM capture, freeze and pause. */
async function freeVm(shell: Shell, vm: string, entries: readonly JournalEntry[]): Promise<void> {
  const announced = new Set(ofType(entries, 'step').map(({ step }) => step))
  const done = new Set(ofType(entries, 'step-done').map(({ step }) => step))
  const isUnderWay = (step: string, undoneBy = step): boolean => announced.has(step) && !done.has(undoneBy)
  if (isUnderWay('snapshot') && (await jobInfo(shell, vm))?.operation === 'snapshot') await abortJob(shell, vm)
  if (isUnderWay('freeze', 'thaw')) await thaw(shell, vm)
  if (new BackupTrace(entries).wePaused && !announced.has('save')) await resumeDomain(shell, vm)
}
