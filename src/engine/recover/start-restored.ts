import { ofType } from '../../shared/job-report.ts'
import type { JournalEntry, RestoreMode } from '../../shared/model/job.ts'
import { domainState, domainXml, startDomain } from '../../libvirt/domains.ts'
import { logPosition, type LogPosition } from '../evidence/vm-history.ts'
import { bootId } from '../host-facts.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { Checklist } from '../restore/checklist.ts'
import { defineAs } from '../restore/define-as.ts'
import { addMissingDisks } from '../restore/edit-disks.ts'
import { NO_LOG, RestoreTrace, type RestorePlan } from '../restore/restore-plan.ts'
import { howItEnded, notedVms } from './start-after-fault.ts'

/**
 * A fault of the host or of QEMU does not keep the restored VM off. Its owner's will does. Answers how it runs now: `define`
 * where it is off, since there is nothing to be done in it.
 */
export async function startRestoredAfterFault(
  job: JobContext,
  plan: RestorePlan,
  entries: readonly JournalEntry[]
): Promise<RestoreMode> {
  if (plan.mode === 'define') return plan.mode
  const now = await domainState(job.shell, plan.vm)
  if (now?.state !== 'shut off') return hasBooted(entries) ? 'boot' : plan.mode
  const [begin] = ofType(entries, 'begin')
  const boot = await bootId()
  const began = begin?.bootId ?? boot
  const log = await logSinceStart(new RestoreTrace(entries), plan, begin)
  const end = await howItEnded({ name: plan.vmName, before: { ...(log && { log }) } }, began, now)
  if (end !== 'fault') {
    job.warn(`The VM is off (${end ?? now.reason}), and was left so`)
    return 'define'
  }
  const why = began === boot ? now.reason : 'the host was started anew'
  // Said before: whoever finds it running afterwards cannot tell that its RAM is lost.
  if (plan.mode === 'resume' && !hasBooted(entries))
    job.fact({ mode: 'boot', modeReason: `it was found off once it had gone on (${why})` })
  if (plan.bootDefinition !== undefined) await addDisksOfRunning(job, plan)
  await startDomain(job.shell, plan.vm, { paused: plan.runsAfterwards === 'paused' })
  job.warn(`The VM was found off (${why}) and was started again`)
  return 'boot'
}

const hasBooted = (entries: readonly JournalEntry[]): boolean =>
  ofType(entries, 'fact').some(({ fact }) => fact.mode === 'boot')

/** A VM that boots has all of the point's disks, as its owner has it by now otherwise. */
async function addDisksOfRunning(job: JobContext, { vm, disks, memoryXml }: RestorePlan): Promise<void> {
  const list = new Checklist()
  const definition = await domainXml(job.shell, vm, { inactive: true, securityInfo: true })
  const whole = addMissingDisks(definition, disks, memoryXml, list)
  if (whole === definition) return
  await defineAs(job, whole)
  for (const { text } of list.items) job.warn(text)
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
