import { fail } from '../../shared/failure.ts'
import type { PointTexts, PreflightItem } from '../../shared/engine-protocol.ts'
import type { RestoreMode, RestoreSpec } from '../../shared/model/job.ts'
import type { Manifest } from '../../shared/model/point.ts'
import type { Shell } from '../../shared/shell.ts'
import { copyDomain } from '../../libvirt/copy-domain.ts'
import { hasDisk, removeDisk, setBootPaths, setNvramPath, setTpmStateToDefault } from '../../libvirt/domain-xml-edit.ts'
import { parseDomain, type DomainXml } from '../../libvirt/domain-xml.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { attachedItems, hostRules } from './allowed.ts'
import { Answers, type Asking, type NeedsRequest } from './answers.ts'
import { checkCopy } from './check-copy.ts'
import { checkDevices } from './check-devices.ts'
import { checkFirmware, checkMachine, processorMisfit } from './check-machine.ts'
import { checkPlacement } from './check-placement.ts'
import { checkPorts, itemsListening } from './check-ports.ts'
import { checkRoom } from './check-room.ts'
import { checkSecrets } from './check-secrets.ts'
import { Checklist } from './checklist.ts'
import { findConflicts, orphansOf, PREFLIGHT } from './conflicts.ts'
import { addMissingDisks, editDisks, type DiskEdits } from './edit-disks.ts'
import { formerFolders, imagesTakenHere } from './former-folders.ts'
import { Hardware } from './hardware.ts'
import { accessRules } from './image-access.ts'
import { ImageFolders } from './image-folders.ts'
import { attachedFiles, fateRequest } from './left-out.ts'
import { placeDisks, tellPlaces, tellWriters } from './place-disks.ts'
import { isMedium, nvramOfCopy, planBoot, planNvram, planTpm } from './plan-firmware.ts'
import { planNetworks } from './plan-networks.ts'
import { tellWriters as tellWritersOfPoint } from './point-guard.ts'
import { tellOrders, withoutForeignMedia } from './point-orders.ts'
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
  requireAsked(spec, manifest)
  if (source.isHere) await tellWritersOfPoint(spec.store, dir, manifest, list)
  const guest = guestOf(source)
  const answers = new Answers(spec, list)
  await checkMachine(shell, { domain: guest.next, xml: source.definition }, answers)
  await checkFirmware({ domain: guest.next, xml: source.definition }, variablesBytes(manifest), answers)
  if (copy !== undefined) await checkCopy(shell, copy, spec, guest.next, list)
  const asked = await fateRequest(shell, spec, manifest)
  const way = { ...asked, jobId, attached: await attachedFiles(guest.all, asked) }
  const displaced = copy === undefined ? await findConflicts(shell, spec, way, list) : []
  const isSameHost = manifest.host.machineId === asked.machineId
  const rules = await accessRules(
    shell,
    { virtType: guest.next.virtType, definition: source.definition },
    manifest,
    isSameHost
  )
  const folders = new ImageFolders(shell, asked.users)
  const former = await formerFolders(manifest, { folders, takenHere: imagesTakenHere(manifest.id) })
  const disks = placeDisks(spec, jobId, manifest, displaced, { former, accessOf: rules.accessOf })
  tellPlaces(disks, former, spec, list)
  await tellWriters(disks, list)
  await checkRoom(shell, source, disks, list, jobId === PREFLIGHT ? undefined : jobId)
  const freed = displaced.flatMap(({ renames }) => renames.map(({ from }) => from))
  const ownNvram = copy && nvramOfCopy(copy.uuid)
  const nvram = planNvram(manifest, jobId, freed, ownNvram)
  const tpm = planTpm(manifest, copy?.uuid ?? manifest.vm.uuid, jobId)
  const boot = planBoot(manifest, copy?.uuid ?? manifest.vm.uuid, jobId)
  for (const { file, formerPath, path } of boot)
    list.warning(
      'boot files',
      isMedium(file)
        ? `The medium ${formerPath} is not here: ${path} is written from the point`
        : `${formerPath}, which the VM is started with, is not here: ${path} is written from the point`
    )
  const asking = askingOf(spec, source, guest)
  const hardware = new Hardware()
  await checkNeeds(
    shell,
    { asking, displaced, brought: boot.map(({ formerPath }) => formerPath), isCopy: copy !== undefined },
    hardware,
    answers
  )
  const networks = await planNetworks(shell, source.host, asking, new Set(spec.allow), hardware, answers)
  const edit = hostPaths({ nvram: nvram?.path ?? ownNvram, answers, boot, hasTpm: tpm !== undefined })
  const brought = { ...asked, brought: new Set(boot.map(({ formerPath }) => formerPath)) }
  const edits = await editDisks(guest.next, disks, brought, list)
  const ramEdits = guest.ram && (await editDisks(guest.ram, disks, brought, list))
  const files = [...boot, ...(nvram === undefined ? [] : [nvram])].map(({ path, file }) => ({
    path,
    from: source.isHere ? `${dir}/${file}` : undefined
  }))
  const allow = [...(spec.allow ?? []), ...listenersChosen(asking, answers)]
  const host = await hostRules(shell, { ...spec, allow }, folders, {
    manifest,
    attached: attachedItems(source.definition, spec.attachDisks),
    emulator: answers.emulator,
    disks,
    media: new Set(boot.flatMap(({ file, path }) => (isMedium(file) ? [path] : []))),
    files: nvram === undefined ? [...files, { path: ownNvram, from: undefined }] : files
  })
  const mode = await chooseMode(shell, spec, source, ramEdits, answers)
  if (mode.modeReason !== undefined) list.warning('mode', mode.modeReason)
  const definition = await withoutForeignMedia(edit(edits.apply(source.definition)), host, list)
  const memoryXml =
    mode.mode === 'resume' && ramEdits && source.memoryDefinition !== undefined
      ? await withoutForeignMedia(edit(ramEdits.apply(source.memoryDefinition)), host, list)
      : undefined
  const defined = definedAs(source, mode.mode, definition, disks, list)
  const next = [defined.definition, ...(defined.bootDefinition === undefined ? [] : [defined.bootDefinition])]
  await tellOrders({ next, ram: memoryXml }, host, list)
  const plan: RestorePlan = {
    vm: copy?.uuid ?? manifest.vm.uuid,
    vmName: copy?.name ?? manifest.vm.name,
    ...(copy && { copyOf: manifest.vm }),
    ...mode,
    pointDir: dir,
    disks,
    ...(nvram && { nvram }),
    ...(tpm && { tpm }),
    boot,
    ...(rules.firmware && { firmwareAccess: rules.firmware }),
    displaced,
    orphans: await orphansOf(copy?.name ?? manifest.vm.name, tpm?.path, displaced, jobId),
    networks,
    ...defined,
    // After the look at what it asks: what a copy changes are names of its own.
    ...(copy && { definition: copyDomain(defined.definition, copy) }),
    ...(memoryXml !== undefined && memoryOf(source, memoryXml)),
    runsAfterwards: mode.mode === 'resume' && manifest.stateBefore === 'paused' ? 'paused' : 'running',
    autostart: copy === undefined && manifest.autostart,
    hasAgent: guest.next.agent !== 'absent',
    takenAt: manifest.takenAt
  }
  await checkSecrets(shell, plan, source.host, list)
  return plan
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
  const isName = !/[/\p{Cc}]|^\.{0,2}$/u.test(domain.name)
  if (!isName)
    return fail({
      kind: 'point-unsafe',
      point: manifest.id,
      file,
      detail: 'the name of its VM is a path, and none of a VM'
    })
  if (domain.uuid === manifest.vm.uuid && domain.name === manifest.vm.name) return domain
  return fail({ kind: 'point-unsafe', point: manifest.id, file, detail: 'it is of another VM than the manifest' })
}

/** The lock, the report and what is called replaced go by the order's VM. @throws `point-unsafe` for the point of another */
function requireAsked({ vm, point }: RestoreSpec, manifest: Manifest): void {
  if (manifest.vm.uuid !== vm)
    fail({ kind: 'point-unsafe', point, file: 'manifest.json', detail: 'it is of another VM than the one asked for' })
}

/** What the VM is started with: its next definition, and that of its RAM where it is to go on from there. */
const askingOf = ({ mode }: RestoreSpec, source: PlanSource, { next, ram }: PointGuest): Asking[] => [
  { xml: source.definition, domain: next },
  ...(mode === 'resume' && ram !== undefined && source.memoryDefinition !== undefined
    ? [{ xml: source.memoryDefinition, domain: ram }]
    : [])
]

/** Not what was chosen at another restore: a point gives no orders by that either. */
function listenersChosen(asking: readonly Asking[], answers: Answers): string[] {
  const chosen = answers.choices.listen()
  return chosen?.isAsked === true ? asking.flatMap(({ xml }) => itemsListening(answers.apply(xml), chosen.value)) : []
}

async function checkNeeds(shell: Shell, request: NeedsRequest, hardware: Hardware, answers: Answers): Promise<void> {
  await checkPorts(shell, request, hardware, answers)
  await checkDevices(shell, request, hardware, answers)
  await checkPlacement(request, hardware, answers)
}

/** Of the firmware's variables in the point. */
const variablesBytes = ({ nvram, files }: Manifest): number | undefined =>
  files.find(({ path }) => path === nvram?.file)?.sizeBytes

interface HostPaths extends Pick<RestorePlan, 'boot'> {
  readonly nvram: string | undefined
  readonly answers: Answers
  readonly hasTpm: boolean
}

const hostPaths =
  ({ nvram, answers, boot, hasTpm }: HostPaths) =>
  (xml: string): string => {
    const edits = [
      (each: string) => answers.apply(each),
      (each: string) => (nvram === undefined ? each : setNvramPath(each, nvram)),
      (each: string) => (hasTpm ? setTpmStateToDefault(each) : each),
      (each: string) => setBootPaths(each, new Map(boot.map(({ formerPath, path }) => [formerPath, path])))
    ]
    return edits.reduce((edited, edit) => edit(edited), xml)
  }

/**
 * A VM that resumes has the disks that its RAM knows; what was plugged into it while it ran is not part of its definition,
 * as it was not before. One that boots gets all of the point's disks.
 */
function definedAs(
  { manifest, memoryDefinition }: PlanSource,
  mode: RestoreMode,
  definition: string,
  disks: readonly RestoreDisk[],
  list: Checklist
): Pick<RestorePlan, 'definition' | 'bootDefinition'> {
  const whole = addMissingDisks(definition, disks, memoryDefinition, mode === 'resume' ? new Checklist() : list)
  if (mode !== 'resume') return { definition: whole }
  const next = (manifest.pluggedDisks ?? [])
    .filter((target) => hasDisk(definition, target))
    .reduce(removeDisk, definition)
  return { definition: next, ...(whole !== next && { bootDefinition: whole }) }
}

/** The RAM image and its own definition. Nothing while it is still elsewhere. */
function memoryOf({ manifest, dir, isHere }: PlanSource, memoryXml: string): Pick<RestorePlan, 'memory' | 'memoryXml'> {
  if (manifest.memory === undefined || !isHere) return {}
  return { memory: `${dir}/${manifest.memory.file}`, memoryXml }
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
