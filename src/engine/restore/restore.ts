import { chmod, copyFile, mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fail } from '../../shared/failure.ts'
import type { RestoreSpec } from '../../shared/model/job.ts'
import type { Manifest } from '../../shared/model/point.ts'
import { defineDomain, domainState, setAutostart, startDomain } from '../../libvirt/domains.ts'
import { defineNetwork, startNetwork } from '../../libvirt/networks.ts'
import { convert } from '../../libvirt/qemu-img.ts'
import { restoreDomain } from '../../libvirt/save-image.ts'
import { whileSpaceLasts, type WatchedFolder } from '../../store/free-space.ts'
import { findPoint } from '../../store/point-store.ts'
import { verifyPoint } from '../../store/verify-point.ts'
import { orWarn, type JobContext } from '../jobs/job-context.ts'
import { jobDirectory } from '../jobs/job-directory.ts'
import { releaseClaim } from '../room/claims.ts'
import { existingFolder } from '../room/file-systems.ts'
import { setClock } from './clock.ts'
import { displace, keptAside } from './displace.ts'
import { planRestore } from './plan-restore.ts'
import { placements, RESTORE_PLAN_STEP, type RestorePlan } from './restore-plan.ts'

/** Brings a VM back from a point of a store on this host. Until `displace` nothing of any VM is touched. */
export async function restore(job: JobContext<RestoreSpec>): Promise<void> {
  const began = performance.now()
  const { dir } = await findPoint([job.spec.store], job.spec.point)
  const manifest = await job.step('verify', {}, () => verified(job, dir))
  const plan = await planRestore(job, dir, manifest)
  await job.step(RESTORE_PLAN_STEP, { plan }, () => prepareNetworks(job, plan))
  await job.step('stage', {}, () =>
    whileSpaceLasts(foldersOf(plan), job.signal, (signal) => stageDisks({ ...job, signal }, plan))
  )
  await releaseClaim(job.id)
  await job.step('displace', {}, () => displace(job, plan))
  await job.step('place', {}, () => placeFiles(plan))
  await job.step('define', {}, () => define(job, plan))
  if (plan.mode !== 'define') await job.step('start', {}, () => start(job, plan))
  job.fact({
    mode: plan.mode,
    ...(plan.modeReason !== undefined && { modeReason: plan.modeReason }),
    ...(plan.mode !== 'define' && { runningMs: performance.now() - began })
  })
  await job.step('settle', {}, () => settle(job, plan))
}

async function verified(job: JobContext<RestoreSpec>, dir: string): Promise<Manifest> {
  const report = await verifyPoint(dir, job.shell, {
    onProgress: (done, total) => job.progress('checking the point', done, total),
    signal: job.signal
  })
  const [problem] = report.problems
  if (problem !== undefined) fail({ kind: 'point-damaged', point: job.spec.point, ...problem })
  return (await findPoint([job.spec.store], job.spec.point)).manifest
}

async function prepareNetworks(job: JobContext, { networks }: RestorePlan): Promise<void> {
  for (const { name, xml } of networks.define) {
    await writeFile(`${jobDirectory(job.id)}/network.xml`, xml, { mode: 0o600 })
    await defineNetwork(job.shell, `${jobDirectory(job.id)}/network.xml`)
    job.warn(`Network ${name} was missing here and was made as it was on the point's host`)
  }
  for (const name of networks.start) await startNetwork(job.shell, name)
}

/** The guests that are there must not meet a full disk while this one is written. */
const foldersOf = ({ disks }: RestorePlan): WatchedFolder[] =>
  [...new Set(disks.map(({ staged }) => dirname(staged)))].map((path) => ({
    path: existingFolder(path),
    name: path,
    forWhat: 'the disks'
  }))

/** Copies, never the point's own files: what the VM writes must not reach the point. */
async function stageDisks(job: JobContext, plan: RestorePlan): Promise<void> {
  for (const disk of plan.disks) {
    await mkdir(dirname(disk.staged), { recursive: true })
    await convert(job.shell, {
      source: { path: `${plan.pointDir}/${disk.file}`, format: 'qcow2' },
      target: { path: disk.staged, format: disk.format },
      onProgress: (fraction) =>
        job.progress(`writing ${disk.target}`, fraction * disk.virtualSizeBytes, disk.virtualSizeBytes),
      signal: job.signal
    })
  }
  if (plan.nvram !== undefined) await stageFile(`${plan.pointDir}/${plan.nvram.file}`, plan.nvram.staged)
  for (const file of plan.tpm?.files ?? [])
    await stageFile(`${plan.pointDir}/${file}`, `${plan.tpm?.staged ?? ''}/${file.replace('tpm/', '')}`)
}

async function stageFile(source: string, staged: string): Promise<void> {
  await mkdir(dirname(staged), { recursive: true, mode: 0o711 })
  await copyFile(source, staged)
  await chmod(staged, 0o600)
}

async function placeFiles(plan: RestorePlan): Promise<void> {
  for (const { staged, path } of placements(plan)) await rename(staged, path)
}

async function define(job: JobContext, plan: RestorePlan): Promise<void> {
  const path = `${jobDirectory(job.id)}/definition.xml`
  await writeFile(path, plan.definition, { mode: 0o600 })
  await defineDomain(job.shell, path)
}

const RESUME_WITHIN_MS = 3_600_000

async function start(job: JobContext, plan: RestorePlan): Promise<void> {
  if (plan.mode === 'resume') await resumeOrBoot(job, plan)
  else await startDomain(job.shell, plan.vm)
  const now = await domainState(job.shell, plan.vm)
  if (now === undefined || !['running', 'paused', 'idle'].includes(now.state))
    fail({ kind: 'vm-state', vm: plan.vmName, state: now?.state ?? 'gone', wanted: 'running' })
}

/** A RAM image that QEMU refuses costs what was in RAM, not the VM. */
async function resumeOrBoot(job: JobContext, plan: RestorePlan): Promise<void> {
  const { memory, memoryXml } = plan
  if (memory === undefined || memoryXml === undefined) return startDomain(job.shell, plan.vm)
  const xml = `${jobDirectory(job.id)}/memory.xml`
  await writeFile(xml, memoryXml, { mode: 0o600 })
  try {
    await restoreDomain(job.shell, memory, { xml, state: plan.runsAfterwards, timeoutMs: RESUME_WITHIN_MS })
  } catch (error) {
    if (job.signal.aborted) throw error
    const modeReason = `the RAM could not be resumed here: ${error instanceof Error ? error.message : String(error)}`
    plan.mode = 'boot'
    plan.modeReason = modeReason
    job.warn(`Booted from the point's disks instead; ${modeReason}`)
    await startDomain(job.shell, plan.vm)
  }
}

export async function settle(job: JobContext, plan: RestorePlan): Promise<void> {
  await orWarn(job, 'Autostart could not be set', () => setAutostart(job.shell, plan.vm, plan.autostart))
  if (plan.mode !== 'define') await setClock(job, plan)
  const kept = keptAside(plan)
  if (kept.length > 0) job.fact({ keptAside: kept })
}
