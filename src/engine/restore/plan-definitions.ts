import type { RestoreMode } from '../../shared/model/job.ts'
import { isMedium } from '../../shared/model/point.ts'
import { hasDisk, removeDisk, setBootPaths, setNvramPath, setTpmStateToDefault } from '../../libvirt/domain-xml-edit.ts'
import { parseDomain } from '../../libvirt/domain-xml.ts'
import { attachedItems, hostRules, type HostRules } from './allowed.ts'
import { processorMisfit } from './check-machine.ts'
import { itemsListening } from './check-ports.ts'
import { Checklist } from './checklist.ts'
import { addMissingDisks, editDisks, type DiskEdits } from './edit-disks.ts'
import { disksHadHere } from './had-here.ts'
import type { Places } from './plan-places.ts'
import { askingOf, type PlanRequest } from './plan-request.ts'
import type { PlanSource } from './plan-source.ts'
import { tellOrders, withoutForeignMedia } from './point-orders.ts'
import type { RestoreDisk, RestorePlan } from './restore-plan.ts'

type Decided = Pick<RestorePlan, 'mode' | 'modeReason' | 'definition' | 'bootDefinition' | 'memory' | 'memoryXml'>

/** How the VM goes on here, and by which definitions: those that have been looked at, to the last letter. */
export async function planDefinitions(request: PlanRequest, places: Places): Promise<Decided> {
  const { source, guest, list } = request
  const { planned, fates } = places
  const known = { ...fates, brought: new Set(planned.boot.map(({ formerPath }) => formerPath)) }
  const edits = await editDisks(guest.next, planned.disks, known, list)
  const ramEdits = guest.ram && (await editDisks(guest.ram, planned.disks, known, list))
  const rules = await rulesFor(request, places)
  const mode = await chooseMode(request, ramEdits)
  if (mode.modeReason !== undefined) list.warning('mode', mode.modeReason)
  const finished = (xml: string, disks: DiskEdits): Promise<string> =>
    withoutForeignMedia(withHostPaths(disks.apply(xml), request, places), rules, list)
  const definition = await finished(source.definition, edits)
  const memoryXml =
    mode.mode === 'resume' && ramEdits && source.memoryDefinition !== undefined
      ? await finished(source.memoryDefinition, ramEdits)
      : undefined
  const defined = definedAs(source, mode.mode, definition, planned.disks, list)
  const next = [defined.definition, ...(defined.bootDefinition === undefined ? [] : [defined.bootDefinition])]
  await tellOrders({ next, ram: memoryXml }, rules, list)
  return { ...mode, ...defined, ...(memoryXml !== undefined && memoryOf(source, memoryXml)) }
}

/** By what the definitions are judged. What the restore itself makes and chooses is nobody's order. */
function rulesFor(request: PlanRequest, { planned, folders, ownNvram }: Places): Promise<HostRules> {
  const { shell, spec, source, answers } = request
  const { nvram, boot, disks } = planned
  const files = [...boot, ...(nvram === undefined ? [] : [nvram])].map(({ path, file }) => ({
    path,
    from: source.isHere ? `${source.dir}/${file}` : undefined
  }))
  const allow = [...(spec.allow ?? []), ...listenersChosen(request)]
  return hostRules(shell, { ...spec, allow }, folders, {
    manifest: source.manifest,
    hadHere: disksHadHere(source.manifest.id, source.manifest.vm.uuid),
    attached: attachedItems(source.definition, spec.attachDisks),
    emulator: answers.emulator,
    disks,
    media: new Set(boot.filter(isMedium).map(({ path }) => path)),
    files: nvram === undefined ? [...files, { path: ownNvram, from: undefined }] : files
  })
}

/** Not what was chosen at another restore: a point gives no orders by that either. */
function listenersChosen(request: PlanRequest): string[] {
  const { answers } = request
  const chosen = answers.choices.listen()
  if (chosen?.isAsked !== true) return []
  return askingOf(request).flatMap(({ xml }) => itemsListening(answers.apply(xml), chosen.value))
}

/** With what was answered, and with the paths of what the restore writes beside the disks. */
function withHostPaths(xml: string, { answers }: PlanRequest, { planned, ownNvram }: Places): string {
  const { nvram, tpm, boot } = planned
  const variables = nvram?.path ?? ownNvram
  const answered = answers.apply(xml)
  const withVariables = variables === undefined ? answered : setNvramPath(answered, variables)
  const withTpm = tpm === undefined ? withVariables : setTpmStateToDefault(withVariables)
  return setBootPaths(withTpm, new Map(boot.map(({ formerPath, path }) => [formerPath, path])))
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
  { shell, spec: { mode }, source, answers }: PlanRequest,
  edits: DiskEdits | undefined
): Promise<Pick<RestorePlan, 'mode' | 'modeReason'>> {
  const { manifest, memoryDefinition, host, isHere } = source
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
