import { ofType } from '../../shared/job-report.ts'
import type { JournalEntry } from '../../shared/model/job.ts'
import { domainState, startDomain } from '../../libvirt/domains.ts'
import { logPosition, type LogPosition } from '../evidence/vm-history.ts'
import { bootId } from '../host-facts.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { NO_LOG, RestoreTrace, type RestorePlan } from '../restore/restore-plan.ts'
import { howItEnded, notedVms } from './start-after-fault.ts'

/** A fault of the host or of QEMU does not keep the restored VM off. Its owner's will does. */
export async function startRestoredAfterFault(
  job: JobContext,
  plan: RestorePlan,
  entries: readonly JournalEntry[]
): Promise<void> {
  const now = await domainState(job.shell, plan.vm)
  if (now?.state !== 'shut off') return
  const [begin] = ofType(entries, 'begin')
  const boot = await bootId()
  const began = begin?.bootId ?? boot
  const log = await logSinceStart(new RestoreTrace(entries), plan, begin)
  const end = await howItEnded({ name: plan.vmName, before: { ...(log && { log }) } }, began, now)
  if (end !== 'fault') {
    job.warn(`The VM is off (${end ?? now.reason}), and was left so`)
    return
  }
  await startDomain(job.shell, plan.vm, { paused: plan.runsAfterwards === 'paused' })
  const why = began === boot ? now.reason : 'the host was started anew'
  job.warn(`The VM was found off (${why}) and was started again`)
  if (plan.mode === 'resume') job.fact({ mode: 'boot', modeReason: `it was found off once it had gone on (${why})` })
}

/** From where on libvirt's log tells of the restored VM. Undefined: it does not say how that ended. */
async function logSinceStart(
  { logAtStart }: RestoreTrace,
  { vm, vmName }: RestorePlan,
  begin: Extract<JournalEntry, { type: 'begin' }> | undefined
): Promise<LogPosition | undefined> {
  if (logAtStart === undefined) return notedVms(begin).find(({ uuid }) => uuid === vm)?.before.log
  if (logAtStart !== NO_LOG) return logAtStart
  const now = await logPosition(vmName)
  return now && { ...now, sizeBytes: 0 }
}
