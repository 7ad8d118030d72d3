import type { PointTexts, PreflightItem } from '../../shared/engine-protocol.ts'
import type { RestoreSpec } from '../../shared/model/job.ts'
import type { Manifest } from '../../shared/model/point.ts'
import type { Shell } from '../../shared/shell.ts'
import { copyDomain } from '../../libvirt/copy-domain.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { Answers } from './answers.ts'
import { checkCopy } from './check-copy.ts'
import { checkDevices } from './check-devices.ts'
import { checkFirmware, checkMachine } from './check-machine.ts'
import { checkPlacement } from './check-placement.ts'
import { checkPorts } from './check-ports.ts'
import { checkSecrets } from './check-secrets.ts'
import { autostartOf } from './check-twins.ts'
import { Checklist, inWords } from './checklist.ts'
import { orphansOf, PREFLIGHT, tellRenames } from './conflicts.ts'
import { Hardware } from './hardware.ts'
import { planDefinitions } from './plan-definitions.ts'
import { planNetworks } from './plan-networks.ts'
import { planPlaces, type Places } from './plan-places.ts'
import { askingOf, requestFor, type PlanRequest } from './plan-request.ts'
import { tellWriters } from './point-guard.ts'
import { sourceAt, sourceFor, type PlanSource } from './plan-source.ts'
import type { RestorePlan } from './restore-plan.ts'

/** Looks, decides and refuses; changes nothing. */
export async function planRestore(job: JobContext<RestoreSpec>, dir: string, manifest: Manifest): Promise<RestorePlan> {
  const list = new Checklist()
  const plan = await makePlan(job.shell, job.spec, job.id, await sourceAt(job.shell, dir, manifest), list)
  list.requireNoProblem()
  for (const item of list.items) if (item.state === 'warning') job.warn(inWords(item))
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
  const answers = new Answers(spec, list)
  const request = requestFor({ shell, spec, jobId, source, list, answers })
  if (source.isHere) await tellWriters(spec.store, dir, manifest, list)
  await checkHost(request)
  const places = await planPlaces(request)
  const networks = await checkNeeds(request, places)
  const decided = await planDefinitions(request, places)
  const plan: RestorePlan = {
    vm: copy?.uuid ?? manifest.vm.uuid,
    vmName: copy?.name ?? manifest.vm.name,
    ...(copy && { copyOf: manifest.vm }),
    ...decided,
    // After the look at what it asks: what a copy changes are names of its own.
    ...(copy && { definition: copyDomain(decided.definition, copy) }),
    pointDir: dir,
    ...places.planned,
    orphans: await orphansOf(copy?.name ?? manifest.vm.name, places.planned.tpm?.path, places.planned.displaced, jobId),
    networks,
    runsAfterwards: decided.mode === 'resume' && manifest.stateBefore === 'paused' ? 'paused' : 'running',
    ...autostartOf(spec, manifest),
    hasAgent: request.guest.next.agent !== 'absent',
    takenAt: manifest.takenAt
  }
  tellRenames(plan.orphans, plan.disks, jobId, list)
  await checkSecrets(shell, plan, source.host, list)
  return plan
}

/** Whether there is what any VM like this needs, wherever its disks go. */
async function checkHost({ shell, spec, source, guest, list, answers }: PlanRequest): Promise<void> {
  const next = { domain: guest.next, xml: source.definition }
  await checkMachine(shell, next, answers)
  await checkFirmware(next, variablesBytes(source.manifest), answers)
  if (spec.copy !== undefined) await checkCopy(shell, spec.copy, spec, guest.next, list)
}

/** Of the firmware's variables in the point. */
const variablesBytes = ({ nvram, files }: Manifest): number | undefined =>
  files.find(({ path }) => path === nvram?.file)?.sizeBytes

/** Whether there is what this VM asks for, once others have made way. */
async function checkNeeds(request: PlanRequest, { planned }: Places): Promise<RestorePlan['networks']> {
  const { shell, spec, source, answers } = request
  const hardware = new Hardware()
  const asking = askingOf(request)
  const brought = planned.boot.map(({ formerPath }) => formerPath)
  const needs = { asking, displaced: planned.displaced, brought, isCopy: spec.copy !== undefined }
  await checkPorts(shell, needs, hardware, answers)
  await checkDevices(shell, needs, hardware, answers)
  await checkPlacement(needs, hardware, answers)
  return planNetworks(shell, source.host, asking, new Set(spec.allow), hardware, answers)
}
