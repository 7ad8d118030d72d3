import { fail } from '../../shared/failure.ts'
import type { RestoreSpec } from '../../shared/model/job.ts'
import type { Manifest } from '../../shared/model/point.ts'
import type { Uuid } from '../../shared/model/ids.ts'
import type { Shell } from '../../shared/shell.ts'
import { domainByName, domainState } from '../../libvirt/domains.ts'
import { managedSavePath } from '../../libvirt/save-image.ts'
import type { ImageUsers } from '../evidence/image-users.ts'
import { vmHolder } from '../jobs/vm-lock.ts'
import type { Checklist } from './checklist.ts'
import { KEPT_MARK, lookAtVmInTheWay, renameOf, type VmInTheWay } from './displaced-vm.ts'
import type { DisplacedVm, Rename, RestoreDisk } from './restore-plan.ts'

/** In place of a job's id, where nothing is done but looking. */
export const PREFLIGHT = 'preflight'

/** What a look for VMs in the way goes by. */
export interface WayRequest {
  readonly manifest: Manifest
  readonly jobId: string
  /** Files that the VM that comes goes on using where they are. */
  readonly attached: ReadonlySet<string>
  readonly users: () => Promise<ImageUsers>
  /** VMs of the point's UUID or name: each makes way, or there is no restore. */
  readonly makingWay: () => Promise<readonly Uuid[]>
}

/** VMs of the point's UUID or name, as they are now. */
export async function vmsInTheWay(shell: Shell, request: WayRequest): Promise<VmInTheWay[]> {
  const { manifest, jobId, attached, users } = request
  const targets = new Set(manifest.disks.map(({ target }) => target))
  const leftOut = new Set((manifest.leftOut ?? []).map(({ source }) => source))
  const found: VmInTheWay[] = []
  for (const uuid of await request.makingWay()) {
    const isSame = uuid === manifest.vm.uuid
    found.push(
      await lookAtVmInTheWay(shell, uuid, {
        jobId,
        targets: isSame ? targets : undefined,
        attached,
        leftOut,
        users: await users(),
        setsJobsAside: isSame
      })
    )
  }
  return found
}

/** Of VMs of the point's UUID or name. */
export async function uuidsInTheWay(shell: Shell, { vm }: Pick<Manifest, 'vm'>): Promise<Uuid[]> {
  const byUuid = (await domainState(shell, vm.uuid)) === undefined ? undefined : vm.uuid
  const byName = await domainByName(shell, vm.name)
  return [...new Set([byUuid, byName].filter((each) => each !== undefined))]
}

/** VMs of the point's UUID or name: each must make way, which only `--replace` allows. */
export async function findConflicts(
  shell: Shell,
  spec: RestoreSpec,
  request: WayRequest,
  list: Checklist
): Promise<DisplacedVm[]> {
  const found = await vmsInTheWay(shell, request)
  if (found.length === 0) list.ok('existing VM', 'no VM of this UUID or name')
  for (const each of found) {
    if (!spec.replace) refuseUnasked(spec, request.manifest, each.vm, list)
    else await tellOf(each, request, list)
  }
  return found.map(({ vm }) => vm)
}

function refuseUnasked(spec: RestoreSpec, manifest: Manifest, { uuid, name }: DisplacedVm, list: Checklist): void {
  const because = uuid === manifest.vm.uuid ? 'uuid' : 'name'
  list.problem(
    'existing VM',
    `a VM of this ${because} exists here: ${name}`,
    'restore with --replace, or to another host',
    { kind: 'vm-exists', name, uuid, host: spec.hostName, because },
    { uuid, name }
  )
}

async function tellOf(
  { vm, stays, refusals, goneMedia }: VmInTheWay,
  request: WayRequest,
  list: Checklist
): Promise<void> {
  const { uuid, name } = vm
  list.warning('existing VM', `VM ${name} will be stopped and replaced; its disks and definition are kept aside`, {
    vm: { uuid, name }
  })
  for (const { path, because } of stays) list.warning('existing VM', `${path} stays where it is: ${because}`)
  if (vm.wasActive)
    for (const medium of goneMedia)
      list.warning(
        'existing VM',
        `${name} names the medium ${medium}, which is gone: should this restore fail, it is started again without`
      )
  for (const detail of refusals)
    list.problem('existing VM', detail, 'wait for its end, or see stillpoint doctor', {
      kind: 'foreign-work',
      vm: name,
      detail
    })
  await refuseBusy(vm, request, list)
}

/** What gets another name, and which images of it nothing of the point takes the place of: those alone are a warning. */
export function tellRenames(
  renames: readonly Rename[],
  disks: readonly Pick<RestoreDisk, 'path'>[],
  jobId: string,
  list: Checklist
): void {
  for (const { from, to, target } of renames) {
    const aside = jobId === PREFLIGHT ? `${from}${KEPT_MARK}…` : to
    if (target === undefined || disks.some(({ path }) => path === from))
      list.ok('existing VM', `${from} makes way, and is kept as ${aside}`)
    else
      list.warning(
        'existing VM',
        `${from} (disk ${target} of the VM that makes way) is kept as ${aside}, and nothing of the point takes its place`
      )
  }
}

/** The VM's own job has its lock already. */
async function refuseBusy(
  { uuid, name }: DisplacedVm,
  { manifest, jobId }: WayRequest,
  list: Checklist
): Promise<void> {
  if (uuid === manifest.vm.uuid && jobId !== PREFLIGHT) return
  const holder = await vmHolder(uuid)
  if (holder !== undefined)
    list.problem('existing VM', `${name} is busy with ${holder.by} since ${holder.since}`, 'wait for its end', {
      kind: 'vm-busy',
      vm: name,
      ...holder
    })
}

/** What lies where libvirt would take it for this VM's, though no VM here has it: another's RAM, another's TPM. */
export async function orphansOf(
  name: string,
  tpmPath: string | undefined,
  displaced: readonly DisplacedVm[],
  jobId: string
): Promise<Rename[]> {
  const freed = displaced.flatMap(({ renames }) => renames.map(({ from }) => from))
  const paths = [managedSavePath(name), tpmPath].filter((path) => path !== undefined && !freed.includes(path))
  return (await Promise.all(paths.map((path) => renameOf(path ?? '', jobId)))).flat()
}

/**
 * Looks once more, under the locks of all of them, at the VMs that make way, right before they do.
 *
 * @throws `foreign-work` if they are other ones than were planned, or something has come between
 */
export async function lookAgain(
  shell: Shell,
  request: WayRequest,
  planned: readonly DisplacedVm[]
): Promise<DisplacedVm[]> {
  const found = await vmsInTheWay(shell, request)
  const refuse = (detail: string): never => fail({ kind: 'foreign-work', vm: request.manifest.vm.name, detail })
  for (const { vm, refusals } of found) {
    if (!planned.some(({ uuid }) => uuid === vm.uuid)) refuse(`a VM called ${vm.name} (${vm.uuid}) has appeared here`)
    for (const detail of refusals) refuse(detail)
  }
  return found.map(({ vm }) => vm)
}
