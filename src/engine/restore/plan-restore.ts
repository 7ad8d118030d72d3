import { existsSync } from 'node:fs'
import { fail } from '../../shared/failure.ts'
import type { PointTexts, PreflightItem } from '../../shared/engine-protocol.ts'
import type { RestoreMode, RestoreSpec } from '../../shared/model/job.ts'
import type { Manifest } from '../../shared/model/point.ts'
import type { Shell } from '../../shared/shell.ts'
import { copyDomain } from '../../libvirt/copy-domain.ts'
import { setNvramPath } from '../../libvirt/domain-xml-edit.ts'
import { parseDomain, type DomainXml } from '../../libvirt/domain-xml.ts'
import { machineIsSupported } from '../../libvirt/host.ts'
import { saveImageXml } from '../../libvirt/save-image.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { checkCopy } from './check-copy.ts'
import { checkRoom } from './check-room.ts'
import { Checklist } from './checklist.ts'
import { asideOf, findConflicts } from './conflicts.ts'
import { editDisks } from './edit-disks.ts'
import { placeDisks } from './place-disks.ts'
import { nvramOfCopy, planNvram, planTpm } from './plan-firmware.ts'
import { planNetworks } from './plan-networks.ts'
import { sourceAt, sourceFor, type PlanSource } from './plan-source.ts'
import type { RestorePlan } from './restore-plan.ts'

/** Looks, decides and refuses; changes nothing. */
export async function planRestore(job: JobContext<RestoreSpec>, dir: string, manifest: Manifest): Promise<RestorePlan> {
  const list = new Checklist()
  const plan = await makePlan(job.shell, job.spec, job.id, await sourceAt(dir, manifest), list)
  list.requireNoProblem()
  for (const { state, text } of list.items) if (state === 'warning') job.warn(text)
  return plan
}

/** The same checks as a list to show, for a restore that nobody has begun; its point may still be elsewhere. */
export async function preflightRestore(shell: Shell, spec: RestoreSpec, texts?: PointTexts): Promise<PreflightItem[]> {
  const list = new Checklist()
  await makePlan(shell, spec, 'preflight', await sourceFor(spec, texts, list), list)
  return list.items
}

async function makePlan(
  shell: Shell,
  spec: RestoreSpec,
  jobId: string,
  source: PlanSource,
  list: Checklist
): Promise<RestorePlan> {
  const { manifest, definition, dir } = source
  const domain = sameVm(manifest, parseDomain(definition), 'domain.xml')
  await checkMachine(shell, domain, list)
  const { copy } = spec
  if (copy !== undefined) await checkCopy(shell, copy, spec, domain, list)
  const displaced = copy === undefined ? await findConflicts(shell, spec, jobId, manifest, list) : []
  const disks = placeDisks(spec, jobId, manifest, displaced)
  await checkRoom(source, disks, list, jobId === 'preflight' ? undefined : jobId)
  const networks = await planNetworks(shell, source.host, domain, list)
  const edits = editDisks(domain, disks, list)
  const freed = displaced.flatMap(({ renames }) => renames.map(({ from }) => from))
  const ownNvram = copy && nvramOfCopy(copy.uuid)
  const nvram = planNvram(manifest, jobId, freed, ownNvram)
  const tpm = planTpm(manifest, copy?.uuid ?? manifest.vm.uuid, jobId)
  const nvramPath = nvram?.path ?? ownNvram
  const edit = (xml: string): string =>
    nvramPath === undefined ? edits.apply(xml) : setNvramPath(edits.apply(xml), nvramPath)
  const { mode, modeReason } = chooseMode(spec, manifest, edits.removed)
  if (modeReason !== undefined) list.warning('mode', modeReason)
  return {
    vm: copy?.uuid ?? manifest.vm.uuid,
    vmName: copy?.name ?? manifest.vm.name,
    ...(copy && { copyOf: manifest.vm }),
    mode,
    ...(modeReason !== undefined && { modeReason }),
    pointDir: dir,
    disks,
    ...(nvram && { nvram }),
    ...(tpm && { tpm }),
    displaced,
    orphans: tpm !== undefined && existsSync(tpm.path) && !freed.includes(tpm.path) ? [asideOf(tpm.path, jobId)] : [],
    networks,
    definition: copy === undefined ? edit(definition) : copyDomain(edit(definition), copy),
    ...(mode === 'resume' && (await memoryOf(shell, source, edit))),
    runsAfterwards: mode === 'resume' && manifest.stateBefore === 'paused' ? 'paused' : 'running',
    autostart: copy === undefined && manifest.autostart,
    hasAgent: domain.agent !== 'absent',
    takenAt: manifest.takenAt
  }
}

/** The RAM image and its own definition. Nothing while it is still elsewhere. */
async function memoryOf(
  shell: Shell,
  { manifest, dir, isHere }: PlanSource,
  edit: (xml: string) => string
): Promise<Pick<RestorePlan, 'memory' | 'memoryXml'>> {
  if (manifest.memory === undefined || !isHere) return {}
  const memory = `${dir}/${manifest.memory.file}`
  const xml = await saveImageXml(shell, memory)
  sameVm(manifest, parseDomain(xml), 'memory.save')
  return { memory, memoryXml: edit(xml) }
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
  if (domain.hasQemuCommandline)
    list.problem(
      'definition',
      'it passes arguments of its own to QEMU',
      'read domain.xml of the point, and restore by RESTORE.md if you trust it'
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
