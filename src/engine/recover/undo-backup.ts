import { setTimeout as sleep } from 'node:timers/promises'
import { describeFailure } from '../../shared/failure-words.ts'
import { failureOf } from '../../shared/failure.ts'
import type { JournalEntry } from '../../shared/model/job.ts'
import { sizeBytesOf } from '../../shared/model/point.ts'
import { quoted } from '../../shared/quoted.ts'
import type { Shell } from '../../shared/shell.ts'
import { blockJobAbort, blockJobInfo } from '../../libvirt/block-jobs.ts'
import { abortJob, jobInfo, type DomainJobOperation } from '../../libvirt/domain-jobs.ts'
import { domainState } from '../../libvirt/domains.ts'
import { readManifest } from '../../store/manifest.ts'
import { dropUnfinished } from '../../store/point-store.ts'
import { copyPaths, memoryPath, PLAN_STEP, type CaptureDisk, type CapturePlan } from '../capture/capture-plan.ts'
import { mirrorOf } from '../capture/classic.ts'
import { commitOverlay } from '../capture/commit-overlay.ts'
import { commitExtraOverlays, overlayCase } from '../capture/commit-overlays.ts'
import { beginThaw, endFreeze } from '../capture/guest-freeze.ts'
import { allowFormerPause } from '../capture/live.ts'
import { lateEntries } from '../capture/late-journal.ts'
import { notedIn, type Noted } from '../capture/noted.ts'
import { COMMIT_LATE_STEP, commitLateAgain, together } from '../capture/stray-overlay.ts'
import { openersOf } from '../evidence/image-users.ts'
import { isThere } from '../evidence/presence.ts'
import { removeIfProven, shown } from '../evidence/removal.ts'
import { keep, removable, type Kept, type Verdict } from '../evidence/verdict.ts'
import { historySince, isStillSaved } from '../evidence/vm-history.ts'
import { isSameProcess, vmProcess } from '../evidence/vm-process.ts'
import { bootId } from '../host-facts.ts'
import type { JobContext } from '../jobs/job-context.ts'
import type { Undone } from '../jobs/job-end.ts'
import { requireKnownStore } from '../retention/known-stores.ts'
import { lookAtDisk } from '../vm.ts'
import { answers } from './answers.ts'
import { bringStateBack, heedOwner, tryHalted } from './bring-state-back.ts'
import { domainJobIsOver } from './domain-job-over.ts'
import { libvirtAnswers } from './libvirt-answers.ts'
import { runProgram, type UndoStep } from './program.ts'
import { startAfterFault } from './start-after-fault.ts'
import { BackupTrace } from './trace.ts'

/**
 * Undoes a backup: ends its jobs in libvirt, thaws, commits overlays, removes mirrors, brings the VM into the state it was
 * in, drops the half point. A point that was complete already stays.
 */
export async function undoBackup(job: JobContext, entries: readonly JournalEntry[]): Promise<Undone> {
  const { work, trace } = hearing(job, [...entries, ...lateEntries(job.id)])
  const begun = trace()
  const { plan } = begun
  if (plan === undefined)
    return { end: 'undone', kept: await runProgram(job, [...lateSteps(job, begun), startAfterFault(job, entries)]) }
  if (plan.method !== 'offline') {
    await libvirtAnswers(job.shell, plan.vm)
    await heedOwner(work, plan, begun, await domainState(job.shell, plan.vm))
  }
  const steps = plan.method === 'offline' ? [] : stepsFor(work, plan, trace)
  const kept = await runProgram(job, [...steps, pointStep(job, plan, begun)])
  return { end: (await committed(plan)) === undefined ? 'undone' : 'was-finished', kept }
}

/** What is known of a job by now. */
type TraceNow = () => BackupTrace

/**
 * An undo may take hours: what is done within its steps counts for those that come later, also where it cannot be written
 * down.
 */
function hearing(job: JobContext, entries: readonly JournalEntry[]): { work: JobContext; trace: TraceNow } {
  const heard = [...entries]
  const now = (): Pick<JournalEntry, 'n' | 'at'> => ({ n: heard.length, at: new Date().toISOString() })
  const step: JobContext['step'] = async (name, data, go) => {
    heard.push({ ...now(), type: 'step', step: name, data })
    const result = await job.step(name, data, go)
    heard.push({ ...now(), type: 'step-done', step: name, ms: 0 })
    return result
  }
  return { work: { ...job, step }, trace: () => new BackupTrace(heard) }
}

/** Killed while it put its VM on its own images again, before it had begun with its own work. */
const lateSteps = (job: JobContext, trace: BackupTrace): UndoStep[] =>
  trace.pending(COMMIT_LATE_STEP) ? [{ name: 'undo.late', work: () => commitLateAgain(job, trace) }] : []

const nothing = (work: Promise<unknown>): Promise<undefined> => work.then(() => undefined)

/**
 * Each looks for itself whether there is something to do; disks and state of a VM wait for nothing but libvirt's own job. What
 * needs no store comes before what asks it.
 */
function stepsFor(job: JobContext, plan: CapturePlan, trace: TraceNow): UndoStep[] {
  const { shell } = job
  const end: UndoStep = { name: 'undo.job', work: () => nothing(endMemoryJob(shell, plan, trace())) }
  const needs = [end.name]
  const wasFrozen = trace().announced('freeze')
  return [
    ...(wasFrozen ? [{ name: 'undo.thaw', work: () => nothing(beginThaw(job, plan)) }] : []),
    end,
    { name: 'undo.run', needs, work: () => nothing(runMeanwhile(job, plan, trace)) },
    { name: 'undo.copies', work: () => nothing(dropCopies(shell, plan, trace())) },
    ...diskSteps(job, plan, trace).map((disk) => ({ ...disk, needs })),
    { name: 'undo.extra', needs, work: async () => commitExtra(job, plan, await notedIn(trace())) },
    { name: 'undo.state', needs, work: () => bringStateBack(job, plan, trace()) },
    ...(wasFrozen ? [{ name: 'undo.thawed', work: () => endFreeze(job, plan) }] : []),
    { name: 'undo.pause', work: () => nothing(allowFormerPause(shell, plan)) }
  ]
}

function diskSteps(job: JobContext, plan: CapturePlan, trace: TraceNow): UndoStep[] {
  if (plan.method === 'classic')
    return plan.disks.map((disk) => ({
      name: `undo.mirror.${disk.target}`,
      work: () => endMirror(job.shell, plan, disk, trace())
    }))
  let until: number | undefined
  return plan.disks.map((disk) => ({
    name: commitStep(disk),
    async work() {
      if (await isThere(disk.sidecar)) {
        until ??= performance.now() + START_WITHIN_MS
        await runFirst(job, plan, trace, until)
      }
      return commitOverlay(overlayCase(job, plan, disk, await notedIn(trace())))
    }
  }))
}

/**
 * Commits may take hours, and so may a store: a VM that loses nothing by it runs on its overlays meanwhile, and one that we
 * paused goes on. What does not succeed yet is done, and said, behind them. False then.
 */
async function runMeanwhile(job: JobContext, plan: CapturePlan, trace: TraceNow): Promise<boolean> {
  try {
    const now = await domainState(job.shell, plan.vm)
    const isTried = await tryHalted(job, plan, trace(), now)
    // RAM is loaded behind the mirrors: they were those of another QEMU.
    if (!isTried && (plan.method !== 'classic' || now?.state === 'paused')) await bringStateBack(job, plan, trace())
    return true
  } catch (error) {
    job.note(`It does not run yet: ${String(error)}`)
    return false
  }
}

/** What a VM needs to start may come a while after a boot: a bridge, a mount, libvirt's networks. */
const START_WITHIN_MS = 30_000
const MOST_SELDOM_MS = 10_000

/** A VM that is off when the commit of a disk begins is off until that is over: so it is tried for longer before. */
async function runFirst(job: JobContext, plan: CapturePlan, trace: TraceNow, until: number): Promise<void> {
  for (let waitMs = 500; !(await runMeanwhile(job, plan, trace)); waitMs = Math.min(2 * waitMs, MOST_SELDOM_MS)) {
    if (performance.now() + waitMs > until) return
    await sleep(waitMs)
  }
}

const commitStep = ({ target }: CaptureDisk): string => `undo.commit.${target}`

/**
 * A client that is killed does not end what libvirtd does for it. The RAM of a live capture is given up; a `restore` of the
 * classic method is waited for, since the VM is on its way through the file. What others do is never aborted.
 *
 * @throws as `domainJobIsOver`
 */
async function endMemoryJob(shell: Shell, plan: CapturePlan, trace: BackupTrace): Promise<void> {
  const isPast = trace.done('undo.job') || trace.bootId !== (await bootId())
  await domainJobIsOver(
    plan.vmName,
    () => jobInfo(shell, plan.vm),
    async (operation) => {
      const ours = ownership(operation, plan, trace, isPast)
      if (ours === 'to abort') await abortJob(shell, plan.vm).catch(() => undefined)
      return ours !== 'not ours'
    }
  )
}

/** `isPast`: what this job had begun in libvirt was ended before, or by a boot of the host. */
function ownership(
  operation: DomainJobOperation,
  plan: CapturePlan,
  trace: BackupTrace,
  isPast: boolean
): 'to abort' | 'to wait for' | 'not ours' {
  if (operation === 'restore' && plan.method === 'classic' && trace.pending('undo.state')) return 'to wait for'
  if (isPast) return 'not ours'
  if (operation === 'snapshot' && plan.method !== 'classic' && trace.pending('snapshot')) return 'to abort'
  if (operation === 'save' && plan.method === 'classic' && trace.pending('save')) return 'to abort'
  if (operation === 'restore' && plan.method === 'classic' && trace.pending('restore')) return 'to wait for'
  return 'not ours'
}

/** Makes room before overlays are committed: a full file system may be why we are here. RAM may still be needed. */
async function dropCopies(shell: Shell, plan: CapturePlan, trace: BackupTrace): Promise<void> {
  await answers(shell, plan.pointDir)
  if ((await committed(plan)) !== undefined) return
  const made = shown("it lies in this job's unfinished point")
  for (const path of copyPaths(plan)) await removeIfProven(shell, { path, made, content: shown('it is a copy') })
  if (trace.announced('save')) return
  await removeIfProven(shell, { path: memoryPath(plan), made, content: shown('its VM never stopped for it') })
}

async function endMirror(
  shell: Shell,
  plan: CapturePlan,
  disk: CaptureDisk,
  trace: BackupTrace
): Promise<Kept | undefined> {
  if (!(await isThere(disk.sidecar))) return undefined
  const info = await blockJobInfo(shell, plan.vm, disk.target).catch(() => undefined)
  if (info?.kind === 'copy' && (await openersOf(disk.sidecar)).length > 0)
    await blockJobAbort(shell, plan.vm, disk.target)
  const isCopy = (): Promise<Verdict> => isStillMirror(shell, plan, disk, trace)
  const verdict = await removeIfProven(shell, { ...mirrorOf(disk), content: isCopy })
  return verdict.kind === 'keep' ? verdict : undefined
}

/** What its VM went over to is the VM's disk, whoever told it to. Once it has its own image for certain, that is no more. */
async function isStillMirror(shell: Shell, plan: CapturePlan, disk: CaptureDisk, trace: BackupTrace): Promise<Verdict> {
  if (trace.done('end-mirror')) return removable('its VM was seen to have its own image when the mirror ended')
  const now = await lookAtDisk(shell, plan.vm, disk.target)
  const process = await vmProcess(plan.vm)
  if (isSameProcess(trace.before.process, process) && now.live === disk.source && now.nodes[0] === disk.node)
    return removable('its VM runs on its own image, and always has')
  if (now.defined === disk.source && !now.isActive) return removable('its VM is off, and starts with its own image')
  return keep(
    disk.sidecar,
    `nothing shows that ${plan.vmName} has not gone over to it`,
    `qemu-img info ${quoted(disk.sidecar)}`
  )
}

/** Disks that came between plan and snapshot: libvirt took them along, to overlays that it named after the snapshot. */
async function commitExtra(job: JobContext, plan: CapturePlan, noted: Noted): Promise<Kept | undefined> {
  const { kept, errors } = await commitExtraOverlays(job, plan, noted)
  if (errors.length > 0) throw errors[0]
  return together(kept)
}

async function committed(plan: CapturePlan): Promise<{ id: string; sizeBytes: number } | undefined> {
  if (!(await isThere(`${plan.pointDir}/manifest.json`))) return undefined
  const manifest = await readManifest(plan.pointDir)
  return { id: manifest.id, sizeBytes: sizeBytesOf(manifest) }
}

/** Of a VM that is off and was not seen to run again: its RAM may be in the half point alone. */
async function onlyRam(shell: Shell, plan: CapturePlan, trace: BackupTrace): Promise<Kept | undefined> {
  const path = memoryPath(plan)
  if (plan.method !== 'classic' || !trace.announced('save') || !(await isThere(path))) return undefined
  const now = await domainState(shell, plan.vm)
  if (now !== undefined && now.state !== 'shut off') return undefined
  const history = await historySince(plan.vmName, trace.beforeSave.log)
  if (history !== undefined && !isStillSaved(history)) return undefined
  return keep(
    path,
    `it may be all that there is of the RAM of ${plan.vmName}, which is off`,
    `virsh restore ${quoted(path)}   # if the VM has not run since; then have the host looked after again`,
    `rm ${quoted(path)}   # if it has`
  )
}

/** A folder that was made and is not there may be back with its store. What is in it may be a whole point. */
async function pointOutOfSight(
  job: JobContext,
  { pointDir }: CapturePlan,
  trace: BackupTrace
): Promise<Kept | undefined> {
  if (!trace.done(PLAN_STEP) || (await isThere(pointDir))) return undefined
  const { store } = job.spec
  const away = await requireKnownStore(store).then(() => undefined, failureOf)
  if (away === undefined) return undefined
  const because = `the store of this job is not there as it was (${describeFailure(away).title})`
  if (trace.announced('commit'))
    return keep(
      pointDir,
      `nothing shows whether this point is complete: ${because}`,
      `ls ${quoted(`${pointDir}/manifest.json`)}   # once it is mounted: if this is there, the point is whole and is listed`
    )
  job.warn(`What was written of the point stays in ${pointDir}, for doctor to remove once it is mounted: ${because}`)
  return undefined
}

/** The half point goes only when the VM needs nothing of it any more; a whole one stays. */
function pointStep(job: JobContext, plan: CapturePlan, trace: BackupTrace): UndoStep {
  return {
    name: 'undo.point',
    needs: plan.method === 'classic' ? ['undo.state'] : [],
    async work() {
      await answers(job.shell, plan.pointDir)
      const point = await committed(plan)
      if (point === undefined)
        return (
          (await onlyRam(job.shell, plan, trace)) ??
          (await pointOutOfSight(job, plan, trace)) ??
          nothing(dropUnfinished(plan.pointDir))
        )
      job.fact({ point: point.id, sizeBytes: point.sizeBytes })
      job.warn('The job did not get to its end by itself, but its point is complete')
      return undefined
    }
  }
}
