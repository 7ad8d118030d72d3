import { mkdir, open, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fail } from '../../shared/failure.ts'
import type { RestoreSpec } from '../../shared/model/job.ts'
import type { Manifest } from '../../shared/model/point.ts'
import { parseDomain } from '../../libvirt/domain-xml.ts'
import { domainState, setAutostart, startDomain } from '../../libvirt/domains.ts'
import { noteHeldAutostart } from '../../libvirt/autostart-note.ts'
import { autostartNetwork, defineNetwork, startNetwork } from '../../libvirt/networks.ts'
import { convert } from '../../libvirt/qemu-img.ts'
import { restoreDomain } from '../../libvirt/save-image.ts'
import { copyFile } from '../../store/copy-file.ts'
import { whileSpaceLasts, type WatchedFolder } from '../../store/free-space.ts'
import { findPoint } from '../../store/point-store.ts'
import { verifyPoint } from '../../store/verify-point.ts'
import { identityOf, isSameFile } from '../evidence/file-identity.ts'
import { renameIfProven, shown } from '../evidence/removal.ts'
import { logPosition } from '../evidence/vm-history.ts'
import { orWarn, type JobContext } from '../jobs/job-context.ts'
import { jobDirectory, journalPath } from '../jobs/job-directory.ts'
import { readJournal } from '../journal/journal.ts'
import { startRestoredAfterFault } from '../recover/start-restored.ts'
import { whileReading } from '../retention/point-lock.ts'
import { releaseClaim } from '../room/claims.ts'
import { existingFolder } from '../room/file-systems.ts'
import { setClock } from './clock.ts'
import { defineAs } from './define-as.ts'
import { displace, keptAside, lookBeforeDisplacing, theOneSeen } from './displace.ts'
import { accessOfFormer, giveAccess } from './image-access.ts'
import { planRestore } from './plan-restore.ts'
import { requireSealed, seal } from './point-guard.ts'
import {
  filesAtStart,
  filesOfTpm,
  largeFiles,
  NO_LOG,
  placesOf,
  RESTORE_PLAN_STEP,
  type Placement,
  type RestoreDisk,
  type RestorePlan,
  type StagedFile
} from './restore-plan.ts'
import { releaseVms } from './vm-locks.ts'

/**
 * Brings a VM back from a point of a store on this host. Until `displace` nothing of any VM is touched. The point is held
 * all the while: what becomes of a restore that fails depends on it.
 */
export async function restore(job: JobContext<RestoreSpec>): Promise<void> {
  const { dir, manifest } = await findPoint([job.spec.store], job.spec.point, job.spec.vm)
  await whileReading(dir, () => restoreFrom(job, dir, manifest))
  await releaseVms()
}

async function restoreFrom(job: JobContext<RestoreSpec>, dir: string, listed: Manifest): Promise<void> {
  const began = performance.now()
  const sealed = await seal(job.shell, job.spec.store, dir, listed)
  const manifest = await job.step('verify', {}, () => verified(job, dir))
  const plan = await planRestore(job, dir, manifest)
  await job.step(RESTORE_PLAN_STEP, { plan }, () => prepareNetworks(job, plan))
  await job.step('stage', {}, async () =>
    whileSpaceLasts(await foldersOf(plan, manifest), job.signal, (signal) => stageFiles({ ...job, signal }, plan))
  )
  await requireSealed(job.spec.point, dir, sealed)
  await releaseClaim(job.id)
  const displacing = await lookBeforeDisplacing(job, plan, manifest)
  await job.step('displace', { ...displacing, announcesStops: true, announcesUndefines: true }, () =>
    displace(job, displacing)
  )
  const placements = await waitingFiles(plan)
  await job.step('place', { placements }, () => placeFiles(job, { ...plan, ...displacing }, placements))
  await job.step('define', {}, () => define(job, plan))
  if (plan.mode !== 'define') {
    const log = (await logPosition(plan.vmName)) ?? NO_LOG
    if (plan.mode === 'resume') await requireSealed(job.spec.point, dir, sealed)
    await job.step('start', { log }, () => start(job, plan))
  }
  job.fact({
    mode: plan.mode,
    ...(plan.modeReason !== undefined && { modeReason: plan.modeReason }),
    ...(plan.mode !== 'define' && { runningMs: performance.now() - began })
  })
  await job.step('settle', {}, async () => {
    const mode = await startRestoredAfterFault(job, plan, readJournal(journalPath(job.id)))
    await settle(job, { ...plan, ...displacing, mode })
  })
}

async function verified(job: JobContext<RestoreSpec>, dir: string): Promise<Manifest> {
  const report = await verifyPoint(dir, job.shell, {
    onProgress: (done, total) => job.progress('checking the point', done, total),
    signal: job.signal
  })
  const [problem] = report.problems
  if (problem !== undefined) fail({ kind: 'point-damaged', point: job.spec.point, ...problem })
  return (await findPoint([job.spec.store], job.spec.point, job.spec.vm)).manifest
}

async function prepareNetworks(job: JobContext, { networks }: RestorePlan): Promise<void> {
  for (const { name, xml } of networks.define) {
    await writeFile(`${jobDirectory(job.id)}/network.xml`, xml, { mode: 0o600 })
    await defineNetwork(job.shell, `${jobDirectory(job.id)}/network.xml`)
    await orWarn(job, `Network ${name} does not start with this host`, () => autostartNetwork(job.shell, name))
    job.note(`Network ${name} was made`)
  }
  for (const name of networks.start) await startNetwork(job.shell, name)
}

/** The guests that are there must not meet a full disk while this one is written. */
export function foldersOf(
  plan: Pick<RestorePlan, 'disks' | 'nvram' | 'boot' | 'tpm'>,
  manifest: Pick<Manifest, 'files'>
): Promise<WatchedFolder[]> {
  const disks = plan.disks.map(({ staged }) => ({ staged, forWhat: 'the disks' }))
  const written = [...disks, ...largeFiles(plan, manifest)]
  const folders = new Map<string, Set<string>>()
  for (const { staged, forWhat } of written)
    folders.set(dirname(staged), (folders.get(dirname(staged)) ?? new Set()).add(forWhat))
  return Promise.all(
    [...folders].map(async ([path, forWhat]) => ({
      path: await existingFolder(path),
      name: path,
      forWhat: [...forWhat].join(' and ')
    }))
  )
}

/** Copies, never the point's own files: what the VM writes must not reach the point. */
async function stageFiles(job: JobContext, plan: RestorePlan): Promise<void> {
  for (const disk of plan.disks) await stageDisk(job, plan, disk)
  for (const file of filesAtStart(plan)) {
    await stageFile(job, plan, file)
    if (plan.firmwareAccess !== undefined) await giveAccess(file.staged, plan.firmwareAccess)
  }
  for (const file of filesOfTpm(plan)) await stageFile(job, plan, file)
}

/** Root's alone from its first byte on: the file is there before anything is written to it. */
export async function stageDisk(
  job: Pick<JobContext, 'shell' | 'signal' | 'progress'>,
  plan: Pick<RestorePlan, 'pointDir' | 'vmName'>,
  disk: RestoreDisk
): Promise<void> {
  await mkdir(dirname(disk.staged), { recursive: true, mode: 0o711 })
  await (await open(disk.staged, 'wx', 0o600)).close()
  const made = await identityOf(disk.staged)
  await convert(job.shell, {
    source: { path: `${plan.pointDir}/${disk.file}`, format: 'qcow2' },
    target: { path: disk.staged, format: disk.format },
    onProgress: (fraction) =>
      job.progress(`writing ${disk.target}`, fraction * disk.virtualSizeBytes, disk.virtualSizeBytes),
    signal: job.signal
  })
  if (!isSameFile(await identityOf(disk.staged), made))
    fail({
      kind: 'foreign-work',
      vm: plan.vmName,
      detail: `somebody has put another file in the place of ${disk.staged}`
    })
}

/** A medium may be as large as a disk. */
export async function stageFile(
  job: Pick<JobContext, 'signal' | 'progress'>,
  { pointDir }: Pick<RestorePlan, 'pointDir'>,
  { file, path, staged }: StagedFile
): Promise<void> {
  await mkdir(dirname(staged), { recursive: true, mode: 0o711 })
  await copyFile(`${pointDir}/${file}`, staged, {
    signal: job.signal,
    onProgress: (done, total) => job.progress(`writing ${path}`, done, total)
  })
}

/** Each by what it is, so that it is known again at its place, and told from what was there before. */
async function waitingFiles(plan: RestorePlan): Promise<Placement[]> {
  return Promise.all(
    placesOf(plan).map(async (place) => ({
      ...place,
      file: (await identityOf(place.staged)) ?? fail({ kind: 'not-found', what: 'disk', name: place.staged })
    }))
  )
}

async function placeFiles(job: JobContext, plan: RestorePlan, placements: readonly Placement[]): Promise<void> {
  for (const { target, staged, access } of plan.disks)
    await giveAccess(staged, (await accessOfFormer(plan.displaced, plan.vm, target)) ?? access)
  for (const placement of placements) {
    const { staged, path, format } = placement
    const verdict = await renameIfProven(
      job.shell,
      {
        path: staged,
        ...(format && { format }),
        made: () => theOneSeen(staged, placement),
        content: shown('it is renamed')
      },
      path
    )
    if (verdict.kind === 'keep')
      fail({ kind: 'foreign-work', vm: plan.vmName, detail: `${verdict.path}: ${verdict.because}` })
  }
}

/** Under a UUID and a name that nobody has: one that came meanwhile is somebody's. */
async function define(job: JobContext, plan: RestorePlan): Promise<void> {
  if ((await domainState(job.shell, plan.vm)) !== undefined)
    fail({ kind: 'foreign-work', vm: plan.vmName, detail: `a VM of its UUID ${plan.vm} has appeared here` })
  await defineAs(job, plan.definition)
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
    job.fact({ mode: 'boot', modeReason })
    job.warn(`Booted from the point's disks instead; ${modeReason}`)
    if (plan.bootDefinition !== undefined) await defineAs(job, plan.bootDefinition)
    await startDomain(job.shell, plan.vm)
  }
}

export async function settle(job: JobContext, plan: RestorePlan): Promise<void> {
  await orWarn(job, 'Autostart could not be set', () => setAutostart(job.shell, plan.vm, plan.autostart))
  await noteAutostart(job, plan)
  if (plan.mode !== 'define') await setClock(job, plan)
  const kept = keptAside(plan)
  if (kept.length > 0) job.fact({ keptAside: kept })
}

/** What an earlier restore noted is in points that were taken since: it was about that VM's twin, and not about this one's. */
async function noteAutostart(job: JobContext, { vm, definition, heldAutostart }: RestorePlan): Promise<void> {
  if (heldAutostart === undefined && parseDomain(definition).heldAutostart === undefined) return
  const lacking = 'That its autostart is off for now could not be noted in the VM: nobody will be reminded of it'
  await orWarn(job, lacking, () => noteHeldAutostart(job.shell, vm, heldAutostart))
}
