import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { fail, isFailure } from '../../shared/failure.ts'
import type { JournalEntry } from '../../shared/model/job.ts'
import { sizeBytesOf } from '../../shared/model/point.ts'
import type { Shell } from '../../shared/shell.ts'
import { thaw } from '../../libvirt/agent.ts'
import { blockJobAbort, blockJobInfo } from '../../libvirt/block-jobs.ts'
import { abortJob, jobInfo } from '../../libvirt/domain-jobs.ts'
import { createDomain, domainState, resumeDomain, startDomain } from '../../libvirt/domains.ts'
import { restoreDomain } from '../../libvirt/save-image.ts'
import { readManifest } from '../../store/manifest.ts'
import { dropUnfinished } from '../../store/point-store.ts'
import { CapturePlan, memoryPath, PLAN_STEP } from '../capture/capture-plan.ts'
import { foldBack, removeUnlessInUse } from '../capture/fold-back.ts'
import { allowFormerPause } from '../capture/live.ts'
import { disarmThawGuard } from '../capture/thaw-guard.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { jobDirectory } from '../jobs/job-directory.ts'
import type { Undone } from '../jobs/job-end.ts'
import { ofType } from '../../shared/job-report.ts'

/**
 * Undoes a backup: ends its jobs in libvirt, thaws, folds overlays back, removes mirrors, brings the VM into the state it
 * was in, drops the half point. A point that was complete already stays.
 */
export async function undoBackup(job: JobContext, entries: readonly JournalEntry[]): Promise<Undone> {
  const trace = new Trace(entries)
  const { plan } = trace
  if (plan === undefined) return { end: 'undone', kept: [] }
  if (plan.method !== 'offline') await putVmRight(job, plan, trace)
  return finishPoint(job, plan)
}

async function putVmRight(job: JobContext, plan: CapturePlan, trace: Trace): Promise<void> {
  const { shell } = job
  await libvirtAnswers(shell, plan.vm)
  await endMemoryJob(shell, plan.vm, trace)
  if (trace.announced('freeze')) await endFreeze(job, plan, trace)
  if (!(await isCommitted(plan))) await dropCopies(plan, trace)
  for (const disk of plan.disks) {
    if (plan.method === 'classic') await endMirror(shell, plan.vm, disk.target, disk.sidecar)
    await foldBack(shell, plan, disk, (target, done, total) => job.progress(`folding back ${target}`, done, total))
  }
  await bringStateBack(job, plan, trace)
  await allowFormerPause(shell, plan)
}

/** Where the agent does not answer now, the guard stays and tries once more. */
async function endFreeze({ shell, id }: JobContext, { vm }: CapturePlan, trace: Trace): Promise<void> {
  if (!trace.done('thaw'))
    await thaw(shell, vm).then(
      () => disarmThawGuard(shell, id),
      () => undefined
    )
  else await disarmThawGuard(shell, id)
}

/** What the journal announced; only announced things can have happened. */
class Trace {
  readonly plan: CapturePlan | undefined
  private readonly steps: ReadonlySet<string>
  private readonly finished: ReadonlySet<string>

  constructor(entries: readonly JournalEntry[]) {
    const steps = ofType(entries, 'step')
    const plan = steps.find(({ step }) => step === PLAN_STEP)?.data?.['plan']
    this.plan = plan === undefined ? undefined : CapturePlan.parse(plan)
    this.steps = new Set(steps.map(({ step }) => step))
    this.finished = new Set(ofType(entries, 'step-done').map(({ step }) => step))
  }

  announced(step: string): boolean {
    return this.steps.has(step)
  }

  done(step: string): boolean {
    return this.finished.has(step)
  }
}

const LIBVIRT_WITHIN_MS = 90_000

/** After a boot, or a restart of libvirtd, it may take a while. */
export async function libvirtAnswers(shell: Shell, vm: string): Promise<void> {
  const deadline = Date.now() + LIBVIRT_WITHIN_MS
  for (;;) {
    try {
      await domainState(shell, vm)
      return
    } catch (error) {
      if (!isFailure(error, 'command-failed', 'timeout') || Date.now() > deadline) throw error
      await sleep(500)
    }
  }
}

const JOB_END_WITHIN_MS = 600_000

/**
 * A client that is killed does not end what libvirtd does for it. The RAM of a live capture is given up; a `save` and a
 * `restore` of the classic method are waited for, since the VM is on its way through the file.
 */
async function endMemoryJob(shell: Shell, vm: string, trace: Trace): Promise<void> {
  const deadline = Date.now() + JOB_END_WITHIN_MS
  const giveUp = trace.announced('snapshot') || (trace.announced('save') && !trace.done('save'))
  while ((await jobInfo(shell, vm)) !== undefined) {
    if (giveUp) await abortJob(shell, vm).catch(() => undefined)
    if (Date.now() > deadline) fail({ kind: 'timeout', what: 'end of the job in libvirt', afterMs: JOB_END_WITHIN_MS })
    await sleep(100)
  }
}

/** Makes room before overlays are folded back: a full file system may be why we are here. RAM may still be needed. */
async function dropCopies(plan: CapturePlan, trace: Trace): Promise<void> {
  await rm(`${plan.pointDir}/disks`, { recursive: true, force: true })
  if (!trace.announced('save')) await rm(memoryPath(plan), { force: true })
}

async function endMirror(shell: Shell, vm: string, target: string, mirror: string): Promise<void> {
  const info = await blockJobInfo(shell, vm, target).catch(() => undefined)
  if (info?.kind === 'copy') await blockJobAbort(shell, vm, target)
  await removeUnlessInUse(shell, vm, mirror)
}

/** Reasons for which a VM that ran is off by its owner's will. */
const OWNERS_WILL = ['shutdown', 'destroyed']

async function bringStateBack(job: JobContext, plan: CapturePlan, trace: Trace): Promise<void> {
  const { shell } = job
  const now = await domainState(shell, plan.vm)
  if (now === undefined && !plan.persistent) return bringTransientBack(job, plan, trace)
  if (now === undefined || plan.stateBefore === 'shut off' || plan.stateBefore === 'crashed') return
  if (now.state === 'paused' && plan.stateBefore === 'running') return resumeUnlessOwners(job, plan, trace, now.reason)
  if (now.state !== 'shut off' && now.state !== 'crashed') return
  if (ramIsNewest(trace, now.reason)) return restoreRam(job, plan)
  if (now.state === 'shut off' && OWNERS_WILL.includes(now.reason)) return
  job.warn(`The VM was found ${now.state} (${now.reason}) and was started again`)
  await startDomain(shell, plan.vm)
}

async function resumeUnlessOwners(job: JobContext, plan: CapturePlan, trace: Trace, reason: string): Promise<void> {
  const ours = ['suspend', 'force-pause', 'restore'].some((step) => trace.announced(step))
  if (reason === 'user' && !ours) job.warn('The VM is paused, but not by this job: it was left so')
  else await resumeDomain(job.shell, plan.vm)
}

/**
 * True while the RAM file of the classic method is newer than anything the VM has done since: it was saved, and has not
 * run again. Restored later, it would not fit its disks.
 */
function ramIsNewest(trace: Trace, reason: string): boolean {
  return reason === 'saved' || (trace.done('save') && !trace.announced('restore'))
}

async function restoreRam(job: JobContext, plan: CapturePlan): Promise<void> {
  const state = plan.stateBefore === 'paused' ? 'paused' : 'running'
  try {
    await restoreDomain(job.shell, memoryPath(plan), { state })
  } catch (error) {
    job.warn(`The VM's RAM could not be restored (${String(error)}); it was booted instead`)
    await startDomain(job.shell, plan.vm)
  }
}

/** libvirt forgets a transient VM that ends; the definition in its RAM image or our copy brings it back. */
async function bringTransientBack(job: JobContext, plan: CapturePlan, trace: Trace): Promise<void> {
  if (trace.announced('save') && !trace.done('restore') && existsSync(memoryPath(plan))) return restoreRam(job, plan)
  job.warn('The transient VM was found gone and was started again')
  const definition = `${jobDirectory(job.id)}/definition.xml`
  await writeFile(definition, plan.definition, { mode: 0o600 })
  await createDomain(job.shell, definition)
}

const isCommitted = async (plan: CapturePlan): Promise<boolean> => (await committed(plan)) !== undefined

async function committed(plan: CapturePlan): Promise<{ id: string; sizeBytes: number } | undefined> {
  if (!existsSync(`${plan.pointDir}/manifest.json`)) return undefined
  const manifest = await readManifest(plan.pointDir)
  return { id: manifest.id, sizeBytes: sizeBytesOf(manifest) }
}

async function finishPoint(job: JobContext, plan: CapturePlan): Promise<Undone> {
  const point = await committed(plan)
  if (point === undefined) {
    await dropUnfinished(plan.pointDir)
    return { end: 'undone', kept: [] }
  }
  job.fact({ point: point.id, sizeBytes: point.sizeBytes })
  job.warn('The job was interrupted after its point was complete')
  return { end: 'was-finished', kept: [] }
}
