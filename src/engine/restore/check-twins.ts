import { autostartLine } from '../../shared/held-autostart.ts'
import type { RestoreSpec } from '../../shared/model/job.ts'
import type { Manifest } from '../../shared/model/point.ts'
import { forShell } from '../../shared/model/restore-choice.ts'
import { isActive, type TwinVm } from '../../shared/model/twin-vm.ts'
import { isShared, mountAt } from '../room/file-systems.ts'
import type { Checklist } from './checklist.ts'
import type { DisplacedVm, RestorePlan } from './restore-plan.ts'

/** What of a twin may be on this host too. */
export interface TwinRequest {
  readonly spec: RestoreSpec
  readonly manifest: Manifest
  /** Disks that the point does not hold, and that the VM goes on writing to. */
  readonly attached: ReadonlySet<string>
  readonly displaced: readonly Pick<DisplacedVm, 'name' | 'renames'>[]
  /** Whether somebody has an image open for writing who is not of this host. */
  readonly isHeld: (path: string, format: string) => Promise<boolean>
}

/** The same VM on other hosts, as the core has asked them: two have one name and the same addresses. A copy has neither. */
export async function checkTwins(request: TwinRequest, list: Checklist): Promise<void> {
  const { spec, manifest } = request
  const { twins, originAway, copy } = spec
  if (copy !== undefined) return
  for (const twin of twins ?? []) {
    tellTwin(twin, spec, list)
    refuseSharedDisks(twin, request, list)
    await refuseToPutAside(twin, request, list)
  }
  if (originAway !== undefined) tellOriginAway(originAway, spec, manifest, list)
  if (twins?.length === 0 && originAway === undefined) list.ok('twin', 'no other host that answers has this VM running')
  const held = autostartOf(spec, manifest).heldAutostart
  if (held !== undefined)
    list.warning(
      'autostart',
      `Autostart is left off until ${spec.vmName} is gone from ${held.host}. Then: ${autostartLine(spec.hostName, spec.vmName)}`
    )
}

/** Started with its host as it was, unless that makes two of it. Whether a host that is silent still has it nobody knows. */
export function autostartOf(
  { twins = [], copy }: RestoreSpec,
  manifest: Manifest
): Pick<RestorePlan, 'autostart' | 'heldAutostart'> {
  const isWanted = copy === undefined && manifest.autostart
  const [twin] = twins
  if (!isWanted || twin === undefined) return { autostart: isWanted }
  return { autostart: false, heldAutostart: { host: twin.host, machineId: twin.machineId } }
}

function tellTwin(twin: TwinVm, { vm, mode }: RestoreSpec, list: Checklist): void {
  const { host, name, state } = twin
  const stop = `on ${host}: virsh shutdown ${vm}`
  if (!isActive(twin))
    list.unmet('twin', false, {
      text: `VM ${name} is on ${host} too, shut off, and starts with that host: then two with the same name and addresses run`,
      fix: `keep it from starting there (on ${host}: virsh autostart --disable ${vm})`
    })
  else if (mode === 'define')
    list.unmet('twin', false, {
      text: `VM ${name} is on ${host} too, and is ${state} there: two with the same addresses disturb each other in the network`,
      fix: `shut it down there before this one is started (${stop})`
    })
  else
    list.unmet('twin', false, {
      text: `VM ${name} is on ${host} too, and is ${state} there: two with the same addresses disturb each other in the network, and what it has done there since this point is not in this one`,
      fix: `shut it down there first (${stop}); or restore a second VM with addresses of its own (${forShell(['--mode', 'copy', '--name', `${name}-copy`])}), or define this one and start it later (--mode define)`
    })
}

/** Locks of QEMU are seen on few shared file systems, and on no shared device: what its host says is. */
function refuseSharedDisks({ host, name, images }: TwinVm, { spec, attached }: TwinRequest, list: Checklist): void {
  for (const path of images.filter((image) => attached.has(image)))
    list.unmet('twin', spec.mode !== 'define', {
      text: `${path}, which is not in the point and stays attached, is the disk that ${name} on ${host} writes to: two VMs would destroy what is on it`,
      fix: `shut that one down first, or restore without that disk (--attach names it, or it lies where both hosts see it)`
    })
}

/** What makes way here may be the very file that the twin runs on: by its lock, else by where it lies, which shows less. */
async function refuseToPutAside(
  { host, name, images }: TwinVm,
  { displaced, isHeld }: TwinRequest,
  list: Checklist
): Promise<void> {
  for (const { from, format } of displaced.flatMap(({ renames }) => renames)) {
    if (format === undefined || !images.includes(from)) continue
    const held = await isHeld(from, format)
    const mount = held ? undefined : await mountAt(from)
    if (!held && (mount === undefined || !isShared(mount))) continue
    list.unmet('twin', held, {
      text: `${from}, which makes way here with the VM that is replaced, ${held ? 'is' : 'lies where other hosts may see it, and may be'} the disk that ${name} on ${host} writes to`,
      fix: 'shut that one down first, or restore to another host'
    })
  }
}

function tellOriginAway(host: string, { vm, vmName }: RestoreSpec, { autostart }: Manifest, list: Checklist): void {
  const here = autostart ? ' The one here starts with its host, as it did.' : ''
  list.unmet('twin', false, {
    text: `${host}, where this point was taken, does not answer: whether ${vmName} runs there nobody can tell.${here} If ${host} comes back and starts it as well, two with the same name and addresses run`,
    fix: `should ${host} come back, keep it from the network until it is shut off there (virsh shutdown ${vm}) and does not start with it (virsh autostart --disable ${vm})`
  })
}
