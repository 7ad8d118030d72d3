import { fail } from '../../shared/failure.ts'
import { pauseMsOf, type Pause } from '../../shared/model/pause.ts'
import type { BackupSpec } from '../../shared/model/job.ts'
import { MANIFEST_VERSION, sizeBytesOf, type Manifest, type Method } from '../../shared/model/point.ts'
import { commitPoint, syncFiles } from '../../store/point-store.ts'
import { removeIfProven, shown } from '../evidence/removal.ts'
import type { Kept } from '../evidence/verdict.ts'
import { noteVm, type VmBefore } from '../evidence/vm-before.ts'
import { ENGINE_VERSION } from '../version.ts'
import { hostIdentity } from '../host-facts.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { journalPath } from '../jobs/job-directory.ts'
import { readJournal } from '../journal/journal.ts'
import { endOurPause } from '../recover/bring-state-back.ts'
import { startWhatFaultsEnded } from '../recover/start-after-fault.ts'
import { memoryPath, PLAN_STEP, type CapturePlan } from './capture-plan.ts'
import type { Captured } from './captured.ts'
import { captureClassic } from './classic.ts'
import { collectSmallFiles } from './collect.ts'
import { commitOverlays } from './commit-overlays.ts'
import { captureDisk } from './disk.ts'
import { runAgainAfterFault, traceOf } from './keep-running.ts'
import { captureLive, isTooBusy } from './live.ts'
import { justHeld } from './noted.ts'
import { captureOffline } from './offline.ts'
import { lookAtOriginals, type Originals } from './originals.ts'
import { beginOwnPoint } from './own-point.ts'
import { isOutdated, planBackup } from './plan-backup.ts'
import { whyUnsavable } from './unsavable.ts'

type Capture = (job: JobContext<BackupSpec>, plan: CapturePlan, before: VmBefore) => Promise<Captured>

const METHODS: Record<Method, Capture> = {
  live: captureLive,
  disk: captureDisk,
  classic: captureClassic,
  offline: captureOffline
}

/**
 * Takes one point. Nothing of the VM is touched before the plan is in the journal. Answers what of the VM had to be left as
 * it is though the point is complete.
 *
 * @throws also if the point is complete and its VM is not yet as it was: then recovery goes on
 */
export async function backUp(job: JobContext<BackupSpec>): Promise<readonly Kept[]> {
  const plan = await planOnceItRuns(job)
  const before = await noteVm(plan.vm, plan.vmName)
  job.fact({ method: plan.method, methodReason: plan.methodReason })
  const originals = await lookAtOriginals(job.shell, plan)
  await job.step(PLAN_STEP, { plan, before }, () => beginOwnPoint(job, plan))
  const pauses: Pause[] = []
  const startedAt = new Date().toISOString()
  const pause = (each: Pause): void => {
    pauses.push(each)
    job.pause(each)
  }
  const { captured, plan: done } = await capture({ ...job, pause }, plan, before)
  const takenAt = pauses.at(-1)?.startedAt ?? startedAt
  const manifest = await job.step('collect', {}, () =>
    completeManifest(job, done, captured, originals, takenAt, pauses)
  )
  await job.step('commit', {}, async () => {
    await syncFiles(
      plan.pointDir,
      manifest.files.map(({ path }) => path)
    )
    await commitPoint(plan.pointDir, manifest)
  })
  job.fact({ point: manifest.id, sizeBytes: sizeBytesOf(manifest) })
  const { kept, errors } = captured.loose ?? { kept: [], errors: [] }
  if (errors.length > 0) throw errors[0]
  const off = plan.method === 'offline' ? undefined : await job.step('state', {}, () => runAgainAfterFault(job, plan))
  return off === undefined ? kept : [...kept, off]
}

/** A VM that ran when the job began and is off by the time that it is planned may have met a fault: then it runs first. */
async function planOnceItRuns(job: JobContext<BackupSpec>): Promise<CapturePlan> {
  const plan = await planBackup(job)
  if (plan.method !== 'offline') return plan
  return (await startWhatFaultsEnded(job, readJournal(journalPath(job.id)))) ? planBackup(job) : plan
}

const MOST_PLANS = 3

/** Where the first plan does not lead to a point another one may: in another way, or of the disks that the VM has by then. */
async function capture(
  job: JobContext<BackupSpec>,
  plan: CapturePlan,
  before: VmBefore,
  plans = 1
): Promise<{ captured: Captured; plan: CapturePlan }> {
  try {
    return { captured: await METHODS[plan.method](job, plan, before), plan }
  } catch (error) {
    const way = otherWay(job.spec, plan, error)
    if (way === undefined || plans === MOST_PLANS) throw error
    await endOurPause(job, plan.vm, traceOf(job))
    await requireOwnImages(job, plan, before)
    await dropMemory(job, plan)
    if (way.warning !== undefined) job.warn(way.warning)
    const next = { ...(await planBackup({ ...job, spec: { ...job.spec, method: way.method } })), ...way.reason }
    job.fact({ method: next.method, methodReason: next.methodReason })
    const nextBefore = await noteVm(next.vm, next.vmName)
    await job.step(PLAN_STEP, { plan: next, before: nextBefore }, () => Promise.resolve())
    return capture(job, next, nextBefore, plans + 1)
  }
}

interface OtherWay {
  readonly method: Method
  readonly reason?: Pick<CapturePlan, 'methodReason'>
  readonly warning?: string
}

/** Undefined: the job ends with this error. */
export function otherWay(
  { onBusy, method, policy }: BackupSpec,
  plan: CapturePlan,
  error: unknown
): OtherWay | undefined {
  if (isOutdated(error)) return { method: plan.method, reason: { methodReason: plan.methodReason } }
  if (isTooBusy(error) && onBusy === 'disk') {
    const methodReason = 'the VM rewrote its RAM too fast for the pause budget, and the job asks for a disk point then'
    return { method: 'disk', reason: { methodReason }, warning: `Disks only: ${methodReason}` }
  }
  const unsavable = plan.method === 'disk' ? undefined : whyUnsavable(error, filesOf(plan))
  if (unsavable === undefined) return undefined
  // A policy's wish gives way, as with devices that its definition shows; a person's gets an answer.
  if (method !== undefined && policy === undefined)
    fail({ kind: 'state-not-savable', vm: plan.vmName, devices: [], because: unsavable.because }, error)
  const methodReason = `its RAM cannot be saved: ${unsavable.because}`
  return {
    method: 'disk',
    reason: { methodReason },
    ...(!unsavable.isKnown && { warning: `Disks only: ${methodReason}` })
  }
}

const filesOf = (plan: CapturePlan): string[] => [memoryPath(plan), ...plan.disks.map(({ sidecar }) => sidecar)]

/** The snapshot was given up, but may have got through in that very moment. */
async function requireOwnImages(job: JobContext, plan: CapturePlan, before: VmBefore): Promise<void> {
  const { kept, errors } = await commitOverlays(job, plan, {
    ...justHeld(before, undefined),
    placed: traceOf(job).placed
  })
  if (errors.length > 0) throw errors[0]
  for (const { path, because } of kept) fail({ kind: 'foreign-work', vm: plan.vmName, detail: `${path}: ${because}` })
}

/** What was written of the RAM of a VM that went on running is of no use to anybody. */
async function dropMemory(job: JobContext, plan: CapturePlan): Promise<void> {
  const made = shown("it lies in this job's unfinished point")
  await removeIfProven(job.shell, { path: memoryPath(plan), made, content: shown('its VM went on running') })
}

/** What is not there is not spoken of: an engine that does not know the word yet would call the point damaged. */
export const manifestDisks = (
  plan: Pick<CapturePlan, 'excluded' | 'plugged'>,
  captured: Pick<Captured, 'disks'>,
  originals: Originals
): Pick<Manifest, 'disks' | 'excludedDisks' | 'leftOut' | 'pluggedDisks'> => ({
  disks: captured.disks.map(({ disk }) => ({ ...disk, ...originals.accessOf(disk.target) })),
  excludedDisks: plan.excluded,
  leftOut: [...originals.leftOut],
  ...(plan.plugged.length > 0 && { pluggedDisks: plan.plugged })
})

async function completeManifest(
  job: JobContext<BackupSpec>,
  plan: CapturePlan,
  captured: Captured,
  originals: Originals,
  takenAt: string,
  pauses: readonly Pause[]
): Promise<Manifest> {
  const identity = await hostIdentity(job.shell)
  const head: Omit<Manifest, 'files'> = {
    format: 'stillpoint-point',
    version: MANIFEST_VERSION,
    id: job.id,
    jobId: job.id,
    takenAt,
    vm: { uuid: plan.vm, name: plan.vmName },
    host: { name: job.spec.hostName, machineId: identity.machineId },
    ...(job.spec.policy && { policy: job.spec.policy }),
    method: plan.method,
    methodReason: plan.methodReason,
    stateBefore: plan.stateBefore,
    persistent: plan.persistent,
    autostart: plan.autostart,
    ...manifestDisks(plan, captured, originals),
    ...(captured.memory && { memory: { file: captured.memory.path, ramBytes: plan.ramBytes } }),
    pauses: [...pauses],
    pauseMs: pauseMsOf(pauses),
    ...(captured.qemuDowntimeMs !== undefined && { qemuDowntimeMs: captured.qemuDowntimeMs }),
    agent: captured.froze === true ? 'froze' : plan.agent,
    versions: { libvirt: identity.libvirt, qemu: identity.qemu, engine: ENGINE_VERSION },
    warnings: [...job.warnings]
  }
  const small = await collectSmallFiles(job, plan, captured, head)
  const { files, ...named } = small
  const images = captured.disks.map(({ file }) => file)
  return {
    ...head,
    ...named,
    files: [...images, ...(captured.memory ? [captured.memory] : []), ...files],
    warnings: [...job.warnings]
  }
}
