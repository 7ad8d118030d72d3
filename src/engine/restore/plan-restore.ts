import { readFile } from 'node:fs/promises'
import { existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import * as z from 'zod'
import { fail } from '../../shared/failure.ts'
import type { PreflightItem } from '../../shared/engine-protocol.ts'
import type { RestoreMode, RestoreSpec } from '../../shared/model/job.ts'
import { sizeBytesOf, type Manifest } from '../../shared/model/point.ts'
import type { Shell } from '../../shared/shell.ts'
import { ejectMedia, removeDisk, setDiskSource, setNvramPath } from '../../libvirt/domain-xml-edit.ts'
import { parseDomain, type DomainXml } from '../../libvirt/domain-xml.ts'
import { bridgeExists, machineIsSupported, tpmFolder } from '../../libvirt/host.ts'
import { networkState } from '../../libvirt/networks.ts'
import { saveImageXml } from '../../libvirt/save-image.ts'
import { findPoint, requireGood } from '../../store/point-store.ts'
import { freeBytesAt } from '../../store/file-io.ts'
import { SIDECAR_MARK } from '../capture/capture-plan.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { Checklist } from './checklist.ts'
import { asideOf, findConflicts } from './conflicts.ts'
import { placeDisks } from './place-disks.ts'
import type { RestoreDisk, RestorePlan } from './restore-plan.ts'

const NVRAM_FOLDER = '/var/lib/libvirt/qemu/nvram'

/** Looks, decides and refuses; changes nothing. */
export async function planRestore(job: JobContext<RestoreSpec>, dir: string, manifest: Manifest): Promise<RestorePlan> {
  const list = new Checklist()
  const plan = await makePlan(job.shell, job.spec, job.id, dir, manifest, list)
  list.requireNoProblem()
  for (const { state, text } of list.items) if (state === 'warning') job.warn(text)
  return plan
}

/** The same checks as a list to show, for a restore that nobody has begun. */
export async function preflightRestore(shell: Shell, spec: RestoreSpec): Promise<PreflightItem[]> {
  const list = new Checklist()
  const { dir } = await findPoint([spec.store], spec.point)
  await makePlan(shell, spec, 'preflight', dir, await requireGood(dir), list)
  return list.items
}

async function makePlan(
  shell: Shell,
  spec: RestoreSpec,
  jobId: string,
  dir: string,
  manifest: Manifest,
  list: Checklist
): Promise<RestorePlan> {
  const definition = await readFile(`${dir}/domain.xml`, 'utf8')
  const domain = sameVm(manifest, parseDomain(definition), 'domain.xml')
  await checkMachine(shell, domain, list)
  if (domain.hasQemuCommandline)
    list.problem(
      'definition',
      'it passes arguments of its own to QEMU',
      'read domain.xml of the point, and restore by RESTORE.md if you trust it'
    )
  const displaced = await findConflicts(shell, spec, jobId, manifest, list)
  const disks = placeDisks(spec, jobId, manifest, displaced)
  await checkRoom(disks, manifest, list)
  const networks = await planNetworks(shell, dir, domain, list)
  const edits = editsFor(domain, disks, list)
  const freed = displaced.flatMap(({ renames }) => renames.map(({ from }) => from))
  const nvram = planNvram(manifest, jobId, freed)
  const tpm = planTpm(manifest, jobId)
  const edit = (xml: string): string =>
    nvram === undefined ? edits.apply(xml) : setNvramPath(edits.apply(xml), nvram.path)
  const { mode, modeReason } = chooseMode(spec, manifest, edits.removed)
  const memory = mode === 'resume' && manifest.memory !== undefined ? `${dir}/${manifest.memory.file}` : undefined
  const memoryXml = memory === undefined ? undefined : await saveImageXml(shell, memory)
  if (memoryXml !== undefined) sameVm(manifest, parseDomain(memoryXml), 'memory.save')
  if (modeReason !== undefined) list.warning('mode', modeReason)
  return {
    vm: manifest.vm.uuid,
    vmName: manifest.vm.name,
    mode,
    ...(modeReason !== undefined && { modeReason }),
    pointDir: dir,
    disks,
    ...(nvram && { nvram }),
    ...(tpm && { tpm }),
    displaced,
    orphans: tpm !== undefined && existsSync(tpm.path) && !freed.includes(tpm.path) ? [asideOf(tpm.path, jobId)] : [],
    networks,
    definition: edit(definition),
    ...(memory !== undefined && { memory }),
    ...(memoryXml !== undefined && { memoryXml: edit(memoryXml) }),
    runsAfterwards: mode === 'resume' && manifest.stateBefore === 'paused' ? 'paused' : 'running',
    autostart: manifest.autostart,
    hasAgent: domain.agent !== 'absent',
    takenAt: manifest.takenAt
  }
}

/** A definition or RAM image of another VM in a point is never followed. @throws `point-unsafe` */
function sameVm(manifest: Manifest, domain: DomainXml, file: string): DomainXml {
  if (domain.uuid === manifest.vm.uuid && domain.name === manifest.vm.name) return domain
  return fail({ kind: 'point-unsafe', point: manifest.id, file, detail: 'it is of another VM than the manifest' })
}

async function checkMachine(shell: Shell, domain: DomainXml, list: Checklist): Promise<void> {
  if (await machineIsSupported(shell, domain)) list.ok('machine type', `${domain.machine} is known here`)
  else
    list.problem(
      'machine type',
      `this host's QEMU does not know machine type ${domain.machine}`,
      'install a QEMU that does, or restore to another host'
    )
}

/** Without RAM, or with a disk less than the guest had, there is only a boot. */
function chooseMode(
  spec: RestoreSpec,
  manifest: Manifest,
  removed: readonly string[]
): { mode: RestoreMode; modeReason?: string } {
  if (spec.mode !== 'resume') return { mode: spec.mode }
  if (manifest.memory === undefined) return { mode: 'boot', modeReason: 'The point holds no RAM, so the VM is booted' }
  if (removed.length > 0)
    return {
      mode: 'boot',
      modeReason: `RAM only fits all of its disks, and ${removed.join(', ')} is not in the point; so the VM is booted`
    }
  return { mode: 'resume' }
}

/** What changes in a definition, and in the RAM image's own: paths of this host. */
function editsFor(
  domain: DomainXml,
  disks: readonly RestoreDisk[],
  list: Checklist
): { apply(xml: string): string; removed: string[] } {
  const others = domain.disks.filter(({ target }) => !disks.some((disk) => disk.target === target))
  const removed = others.filter(({ device }) => device === 'disk' || device === 'lun').map(({ target }) => target)
  const empty = others.filter(
    ({ device, type, source }) =>
      (device === 'cdrom' || device === 'floppy') && type === 'file' && source !== undefined && !existsSync(source)
  )
  for (const target of removed) list.warning('disks', `Disk ${target} is not in the point and is left out of the VM`)
  for (const { target, source = '' } of empty)
    list.warning('disks', `The medium in ${target} (${source}) is not here; the drive is left empty`)
  const apply = (xml: string): string => {
    let edited = xml
    for (const { target, path, format } of disks) edited = setDiskSource(edited, target, { path, format })
    for (const target of removed) edited = removeDisk(edited, target)
    for (const { target } of empty) edited = ejectMedia(edited, target)
    return edited
  }
  return { apply, removed }
}

function planNvram(manifest: Manifest, jobId: string, freed: readonly string[]): RestorePlan['nvram'] {
  if (manifest.nvram === undefined) return undefined
  const { file, originalPath } = manifest.nvram
  const isFree = freed.includes(originalPath) || !existsSync(originalPath)
  const path =
    isFree && originalPath.startsWith(`${NVRAM_FOLDER}/`)
      ? originalPath
      : `${NVRAM_FOLDER}/${manifest.vm.uuid}-${manifest.id}.fd`
  return { file, path, staged: `${path}${SIDECAR_MARK}${jobId}` }
}

function planTpm(manifest: Manifest, jobId: string): RestorePlan['tpm'] {
  const path = tpmFolder(manifest.vm.uuid)
  return manifest.tpm && { files: manifest.tpm.files, path, staged: `${path}${SIDECAR_MARK}${jobId}` }
}

async function checkRoom(disks: readonly RestoreDisk[], manifest: Manifest, list: Checklist): Promise<void> {
  const sizes = new Map(manifest.files.map(({ path, sizeBytes }) => [path, sizeBytes]))
  const needs = new Map<number, { folder: string; bytes: number }>()
  for (const { path, file } of disks) {
    const folder = existingFolder(path)
    const { dev } = statSync(folder)
    const need = needs.get(dev) ?? { folder, bytes: 0 }
    needs.set(dev, { ...need, bytes: need.bytes + (sizes.get(file) ?? 0) })
  }
  for (const { folder, bytes } of needs.values()) {
    const freeBytes = await freeBytesAt(folder)
    const failure = { kind: 'no-room', path: folder, forWhat: 'the disks', neededBytes: bytes, freeBytes } as const
    if (freeBytes >= bytes) list.ok('room', `${folder} has room for the disks`)
    else
      list.problem(
        'room',
        `${folder} has too little room for the disks`,
        'free some room there, or name another folder',
        failure
      )
  }
  if (needs.size === 0) list.ok('room', `${sizeBytesOf(manifest)} bytes`)
}

function existingFolder(path: string): string {
  let folder = dirname(path)
  while (!existsSync(folder)) folder = dirname(folder)
  return folder
}

const HostFile = z.object({ networks: z.array(z.object({ name: z.string(), xml: z.string() })) })

async function planNetworks(
  shell: Shell,
  dir: string,
  domain: DomainXml,
  list: Checklist
): Promise<RestorePlan['networks']> {
  const known = HostFile.safeParse(JSON.parse(await readFile(`${dir}/host.json`, 'utf8')))
  const networks: { define: { name: string; xml: string }[]; start: string[] } = { define: [], start: [] }
  for (const name of sourcesOf(domain, 'network')) {
    const state = await networkState(shell, name)
    const kept = known.success ? known.data.networks.find((network) => network.name === name) : undefined
    if (state === undefined && kept === undefined)
      list.problem('networks', `network ${name} does not exist here`, `make it with virsh net-define`)
    else list.ok('networks', `network ${name} ${state ?? 'will be made'}`)
    if (state === undefined && kept !== undefined) networks.define.push(kept)
    if (state !== 'active') networks.start.push(name)
  }
  for (const name of sourcesOf(domain, 'bridge'))
    if (!bridgeExists(name))
      list.problem('networks', `bridge ${name} does not exist here`, `make it, then restore again`)
  return networks
}

const sourcesOf = (domain: DomainXml, kind: string): string[] => [
  ...new Set(domain.interfaces.flatMap(({ type, source }) => (type === kind && source !== undefined ? [source] : [])))
]
