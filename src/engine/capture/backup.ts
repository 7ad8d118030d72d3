import { rm } from 'node:fs/promises'
import { pauseMsOf, type Pause } from '../../shared/model/pause.ts'
import type { BackupSpec } from '../../shared/model/job.ts'
import { MANIFEST_VERSION, sizeBytesOf, type Manifest, type Method } from '../../shared/model/point.ts'
import { beginPoint, commitPoint, syncFiles } from '../../store/point-store.ts'
import { ENGINE_VERSION } from '../version.ts'
import { hostIdentity } from '../host-facts.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { memoryPath, PLAN_STEP, type CapturePlan } from './capture-plan.ts'
import type { Captured } from './captured.ts'
import { captureClassic } from './classic.ts'
import { collectSmallFiles } from './collect.ts'
import { captureDisk } from './disk.ts'
import { foldBackAll } from './fold-back.ts'
import { captureLive, isTooBusy } from './live.ts'
import { captureOffline } from './offline.ts'
import { planBackup } from './plan-backup.ts'

const METHODS: Record<Method, (job: JobContext<BackupSpec>, plan: CapturePlan) => Promise<Captured>> = {
  live: captureLive,
  disk: captureDisk,
  classic: captureClassic,
  offline: captureOffline
}

/** Takes one point. Nothing of the VM is touched before the plan is in the journal. */
export async function backUp(job: JobContext<BackupSpec>): Promise<void> {
  const plan = await planBackup(job)
  job.fact({ method: plan.method, methodReason: plan.methodReason })
  await job.step(PLAN_STEP, { plan }, () => beginPoint(job.spec.store, plan.vm, job.id))
  const pauses: Pause[] = []
  const startedAt = new Date().toISOString()
  const pause = (each: Pause): void => {
    pauses.push(each)
    job.pause(each)
  }
  const watched = { ...job, pause }
  const { captured, plan: done } = await capture(watched, plan)
  const takenAt = pauses.at(-1)?.startedAt ?? startedAt
  const manifest = await job.step('collect', {}, () => completeManifest(job, done, captured, takenAt, pauses))
  await job.step('commit', {}, async () => {
    await syncFiles(
      plan.pointDir,
      manifest.files.map(({ path }) => path)
    )
    await commitPoint(plan.pointDir, manifest)
  })
  job.fact({ point: manifest.id, sizeBytes: sizeBytesOf(manifest) })
}

/** A guest too busy for a live point gets a disk point where the job says so. */
async function capture(
  job: JobContext<BackupSpec>,
  plan: CapturePlan
): Promise<{ captured: Captured; plan: CapturePlan }> {
  try {
    return { captured: await METHODS[plan.method](job, plan), plan }
  } catch (error) {
    if (!isTooBusy(error) || job.spec.onBusy !== 'disk') throw error
    const methodReason = 'the VM rewrote its RAM too fast for the pause budget, and the job asks for a disk point then'
    job.warn(`Disks only: ${methodReason}`)
    job.fact({ method: 'disk', methodReason })
    await foldBackAll(job, plan)
    await rm(memoryPath(plan), { force: true })
    const diskPlan: CapturePlan = { ...plan, method: 'disk', methodReason }
    return { captured: await captureDisk(job, diskPlan), plan: diskPlan }
  }
}

async function completeManifest(
  job: JobContext<BackupSpec>,
  plan: CapturePlan,
  captured: Captured,
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
    disks: captured.disks.map(({ disk }) => disk),
    excludedDisks: plan.excluded,
    ...(captured.memory && { memory: { file: captured.memory.path, ramBytes: plan.ramBytes } }),
    pauses: [...pauses],
    pauseMs: pauseMsOf(pauses),
    ...(captured.qemuDowntimeMs !== undefined && { qemuDowntimeMs: captured.qemuDowntimeMs }),
    agent: captured.froze === true ? 'froze' : plan.agent,
    versions: { libvirt: identity.libvirt, qemu: identity.qemu, engine: ENGINE_VERSION },
    warnings: [...job.warnings]
  }
  const small = await collectSmallFiles(job, plan, captured, head)
  const { files, ...firmware } = small
  const images = captured.disks.map(({ file }) => file)
  return {
    ...head,
    ...firmware,
    files: [...images, ...(captured.memory ? [captured.memory] : []), ...files],
    warnings: [...job.warnings]
  }
}
