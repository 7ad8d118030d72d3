import { fail } from '../../shared/failure.ts'
import type { PointTexts, PreflightItem } from '../../shared/engine-protocol.ts'
import type { RestoreMode, RestoreSpec } from '../../shared/model/job.ts'
import type { Manifest } from '../../shared/model/point.ts'
import type { Shell } from '../../shared/shell.ts'
import { copyDomain } from '../../libvirt/copy-domain.ts'
import { setNvramPath } from '../../libvirt/domain-xml-edit.ts'
import { parseDomain, type DomainXml } from '../../libvirt/domain-xml.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { Answers, type Asking, type NeedsRequest } from './answers.ts'
import { checkCopy } from './check-copy.ts'
import { checkDevices } from './check-devices.ts'
import { checkFirmware, checkMachine, processorMisfit } from './check-machine.ts'
import { checkPlacement } from './check-placement.ts'
import { checkPorts } from './check-ports.ts'
import { checkRoom } from './check-room.ts'
import { Checklist } from './checklist.ts'
import { findConflicts, orphansOf, PREFLIGHT } from './conflicts.ts'
import { addMissingDisks, editDisks, type DiskEdits } from './edit-disks.ts'
import { Hardware } from './hardware.ts'
import { accessRules } from './image-access.ts'
import { attachedFiles, fateRequest } from './left-out.ts'
import { placeDisks } from './place-disks.ts'
import { nvramOfCopy, planNvram, planTpm } from './plan-firmware.ts'
import { planNetworks } from './plan-networks.ts'
import { sourceAt, sourceFor, type PlanSource } from './plan-source.ts'
import type { RestoreDisk, RestorePlan } from './restore-plan.ts'

/** Looks, decides and refuses; changes nothing. */
export async function planRestore(job: JobContext<RestoreSpec>, dir: string, manifest: Manifest): Promise<RestorePlan> {
  const list = new Checklist()
  const plan = await makePlan(job.shell, job.spec, job.id, await sourceAt(job.shell, dir, manifest), list)
  list.requireNoProblem()
  for (const { state, text } of list.items) if (state === 'warning') job.warn(text)
  return plan
}

/** The same checks as a list to show, for a restore that nobody has begun; its point may still be elsewhere. */
export async function preflightRestore(shell: Shell, spec: RestoreSpec, texts?: PointTexts): Promise<PreflightItem[]> {
  const list = new Checklist()
  await makePlan(shell, spec, PREFLIGHT, await sourceFor(shell, spec, texts, list), list)
  return list.items
}

async function makePlan(
  shell: Shell,
  spec: RestoreSpec,
  jobId: string,
  source: PlanSource,
  list: Checklist
): Promise<RestorePlan> {
  const { manifest, dir } = source
  const { copy } = spec
  const guest = guestOf(source)
  const answers = new Answers(spec, list)
  await checkMachine(shell, { domain: guest.next, xml: source.definition }, answers)
  await checkFirmware({ domain: guest.next, xml: source.definition }, variablesBytes(manifest), answers)
  if (copy !== undefined) await checkCopy(shell, copy, spec, guest.next, list)
  const asked = await fateRequest(shell, spec, manifest)
  const way = { ...asked, jobId, attached: await attachedFiles(guest.all, asked) }
  const displaced = copy === undefined ? await findConflicts(shell, spec, way, list) : []
  const isSameHost = manifest.host.machineId === asked.machineId
  const rules = await accessRules(shell, guest.next.virtType, manifest, isSameHost)
  const disks = placeDisks(spec, jobId, manifest, displaced, rules.accessOf)
  await checkRoom(source, disks, list, jobId === PREFLIGHT ? undefined : jobId)
  const freed = displaced.flatMap(({ renames }) => renames.map(({ from }) => from))
  const ownNvram = copy && nvramOfCopy(copy.uuid)
  const nvram = planNvram(manifest, jobId, freed, ownNvram)
  const tpm = planTpm(manifest, copy?.uuid ?? manifest.vm.uuid, jobId)
  const asking = askingOf(spec, source, guest)
  const hardware = new Hardware()
  await checkNeeds(shell, { asking, displaced, isCopy: copy !== undefined }, hardware, answers)
  const networks = await planNetworks(shell, source.host, asking, hardware, answers)
  const edit = hostPaths(nvram?.path ?? ownNvram, answers)
  const edits = await editDisks(guest.next, disks, asked, list)
  const ramEdits = guest.ram && (await editDisks(guest.ram, disks, asked, list))
  const mode = await chooseMode(shell, spec, source, ramEdits, answers)
  if (mode.modeReason !== undefined) list.warning('mode', mode.modeReason)
  return {
    vm: copy?.uuid ?? manifest.vm.uuid,
    vmName: copy?.name ?? manifest.vm.name,
    ...(copy && { copyOf: manifest.vm }),
    ...mode,
    pointDir: dir,
    disks,
    ...(nvram && { nvram }),
    ...(tpm && { tpm }),
    ...(rules.firmware && { firmwareAccess: rules.firmware }),
    displaced,
    orphans: await orphansOf(copy?.name ?? manifest.vm.name, tpm?.path, displaced, jobId),
    networks,
    ...definedAs(spec, source, mode.mode, edit(edits.apply(source.definition)), disks, list),
    ...(mode.mode === 'resume' && ramEdits && memoryOf(source, (xml) => edit(ramEdits.apply(xml)))),
    runsAfterwards: mode.mode === 'resume' && manifest.stateBefore === 'paused' ? 'paused' : 'running',
    autostart: copy === undefined && manifest.autostart,
    hasAgent: guest.next.agent !== 'absent',
    takenAt: manifest.takenAt
  }
}

/** What the VM would start with, and what its RAM goes by. Both are of the manifest's VM. */
interface PointGuest {
  readonly next: DomainXml
  readonly ram: DomainXml | undefined
  readonly all: readonly DomainXml[]
}

function guestOf({ manifest, definition, memoryDefinition }: PlanSource): PointGuest {
  const next = sameVm(manifest, parseDomain(definition), 'domain.xml')
  const ram =
    memoryDefinition === undefined ? undefined : sameVm(manifest, parseDomain(memoryDefinition), 'memory.save')
  return { next, ram, all: ram === undefined ? [next] : [next, ram] }
}

/** A definition or RAM image of another VM in a point is never followed. @throws `point-unsafe` */
function sameVm(manifest: Manifest, domain: DomainXml, file: string): DomainXml {
  if (domain.uuid === manifest.vm.uuid && domain.name === manifest.vm.name) return domain
  return fail({ kind: 'point-unsafe', point: manifest.id, file, detail: 'it is of another VM than the manifest' })
}

/** What the VM is started with: its next definition, and that of its RAM where it is to go on from there. */
const askingOf = ({ mode }: RestoreSpec, source: PlanSource, { next, ram }: PointGuest): Asking[] => [
  { xml: source.definition, domain: next },
  ...(mode === 'resume' && ram !== undefined && source.memoryDefinition !== undefined
    ? [{ xml: source.memoryDefinition, domain: ram }]
    : [])
]

async function checkNeeds(shell: Shell, request: NeedsRequest, hardware: Hardware, answers: Answers): Promise<void> {
  await checkPorts(shell, request, hardware, answers)
  await checkDevices(shell, request, hardware, answers)
  await checkPlacement(request, hardware, answers)
}

/** Of the firmware's variables in the point. */
const variablesBytes = ({ nvram, files }: Manifest): number | undefined =>
  files.find(({ path }) => path === nvram?.file)?.sizeBytes

const hostPaths =
  (nvram: string | undefined, answers: Answers) =>
  (xml: string): string => {
    const edited = answers.apply(xml)
    return nvram === undefined ? edited : setNvramPath(edited, nvram)
  }

/**
 * A VM that resumes has the disks that its RAM knows; what was plugged into it while it ran is not part of its definition,
 * as it was not before. One that boots gets all of the point's disks.
 */
function definedAs(
  { copy }: RestoreSpec,
  { memoryDefinition }: PlanSource,
  mode: RestoreMode,
  definition: string,
  disks: readonly RestoreDisk[],
  list: Checklist
): Pick<RestorePlan, 'definition' | 'bootDefinition'> {
  const whole = addMissingDisks(definition, disks, memoryDefinition, mode === 'resume' ? new Checklist() : list)
  if (mode !== 'resume') return { definition: copy === undefined ? whole : copyDomain(whole, copy) }
  return { definition, ...(whole !== definition && { bootDefinition: whole }) }
}

/** The RAM image and its own definition. Nothing while it is still elsewhere. */
function memoryOf(
  { manifest, memoryDefinition, dir, isHere }: PlanSource,
  edit: (xml: string) => string
): Pick<RestorePlan, 'memory' | 'memoryXml'> {
  if (manifest.memory === undefined || memoryDefinition === undefined || !isHere) return {}
  return { memory: `${dir}/${manifest.memory.file}`, memoryXml: edit(memoryDefinition) }
}

/** Without RAM, with other disks than it knows, or on another CPU, there is only a boot. */
async function chooseMode(
  shell: Shell,
  { mode }: RestoreSpec,
  { manifest, memoryDefinition, host, isHere }: PlanSource,
  edits: DiskEdits | undefined,
  answers: Answers
): Promise<Pick<RestorePlan, 'mode' | 'modeReason'>> {
  if (mode !== 'resume') return { mode }
  const boot = (because: string): Pick<RestorePlan, 'mode' | 'modeReason'> => ({
    mode: 'boot',
    modeReason: `${because}, so the VM is booted`
  })
  if (manifest.memory === undefined) return boot('The point holds no RAM')
  if (edits === undefined || memoryDefinition === undefined)
    return isHere ? boot('This host cannot read the RAM image of the point') : { mode }
  const [misfit] = edits.misfits
  if (misfit !== undefined) return boot(`RAM only fits all of its disks, and ${misfit}`)
  const [changed] = answers.misfits
  if (changed !== undefined) return boot(`RAM is not resumed: ${changed}`)
  const processor = await processorMisfit(
    shell,
    { domain: parseDomain(memoryDefinition), definition: memoryDefinition, host },
    answers.list
  )
  return processor === undefined ? { mode } : boot(`RAM is not resumed: ${processor}`)
}
