import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { fail, isFailure } from '../../shared/failure.ts'
import { allowsMethod, STATES_FOR } from '../../shared/method-states.ts'
import type { BackupSpec } from '../../shared/model/job.ts'
import type { Method } from '../../shared/model/point.ts'
import type { Shell } from '../../shared/shell.ts'
import { agentAnswers } from '../../libvirt/agent.ts'
import { blockJobInfo } from '../../libvirt/block-jobs.ts'
import { jobInfo, maxDowntimeMs } from '../../libvirt/domain-jobs.ts'
import { domainInfo, domainState, domainXml } from '../../libvirt/domains.ts'
import { parseDomain, type DomainXml } from '../../libvirt/domain-xml.ts'
import { hostVersions, tpmFolder } from '../../libvirt/host.ts'
import { qemuNameOf } from '../../libvirt/network-source.ts'
import { imageInfo, servedImageInfo, type ImageInfo } from '../../libvirt/qemu-img.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { isSidecar, SIDECAR_MARK, type CaptureDisk, type CapturePlan } from './capture-plan.ts'
import { cautionOnLiveMemory } from './emulated.ts'
import { requireRoom } from './require-room.ts'

const FALLBACK_FOLDER = '/var/lib/libvirt/images'

/** Looks, decides and refuses; changes nothing. */
export async function planBackup(job: JobContext<BackupSpec>): Promise<CapturePlan> {
  const { shell, spec } = job
  const state =
    (await domainState(shell, spec.vm)) ??
    fail({ kind: 'not-found', what: 'vm', name: spec.vmName, where: spec.hostName })
  const isOff = state.state === 'shut off'
  const inactive = await domainXml(shell, spec.vm, { inactive: true, securityInfo: true })
  const domain = parseDomain(isOff ? inactive : await domainXml(shell, spec.vm))
  const chosen = await withCaution(shell, domain, chooseMethod(spec, domain, state.state))
  await refuseForeignWork(shell, spec, domain, isOff)
  const { taken, excluded } = selectDisks(job, domain, chosen.method)
  const disks = await Promise.all(taken.map((disk) => captureDisk(shell, job.id, disk)))
  const info = await domainInfo(shell, spec.vm)
  const tpmDir = domain.tpm === undefined ? undefined : tpmFolder(spec.vm)
  const maxDowntime = isOff ? undefined : await maxDowntimeMs(shell, spec.vm)
  const plan: CapturePlan = {
    vm: spec.vm,
    vmName: domain.name,
    ...chosen,
    stateBefore: stateBefore(spec, state.state),
    persistent: info.persistent,
    autostart: info.autostart,
    ramBytes: domain.memoryBytes,
    disks,
    excluded,
    ...(domain.nvram?.path !== undefined && { nvram: domain.nvram.path }),
    ...(tpmDir !== undefined && existsSync(tpmDir) && { tpmDir }),
    agent: domain.agent === 'absent' ? 'none' : (await agentAnswers(shell, spec.vm)) ? 'answered' : 'silent',
    ...(maxDowntime !== undefined && { maxDowntimeMs: maxDowntime }),
    definition: inactive,
    pointDir: `${spec.store}/${spec.vm}/${job.id}`
  }
  await requireRoom(job, plan)
  return plan
}

type Chosen = Pick<CapturePlan, 'method' | 'methodReason'>

async function withCaution(shell: Shell, { virtType }: DomainXml, chosen: Chosen): Promise<Chosen> {
  if (chosen.method !== 'live') return chosen
  const caution = cautionOnLiveMemory(virtType, (await hostVersions(shell)).qemu)
  return caution === undefined ? chosen : { ...chosen, methodReason: `${chosen.methodReason}; ${caution}` }
}

type State = CapturePlan['stateBefore']

function stateBefore(spec: BackupSpec, state: string): State {
  if (state === 'idle') return 'running'
  const known: readonly string[] = ['running', 'paused', 'shut off', 'crashed', 'pmsuspended'] satisfies State[]
  return known.includes(state)
    ? (state as State)
    : fail({ kind: 'vm-state', vm: spec.vmName, state, wanted: 'running, paused or shut off' })
}

/** The method asked for, if the VM's state and devices allow it; else the best that they allow. */
export function chooseMethod(
  spec: BackupSpec,
  domain: Pick<DomainXml, 'devicesWithoutSavableState'>,
  state: string
): { method: Method; methodReason: string } {
  const best = bestMethod(domain.devicesWithoutSavableState, state)
  if (spec.method === undefined || spec.method === best.method) return best
  refuseMethod(spec, spec.method, domain.devicesWithoutSavableState, state)
  return { method: spec.method, methodReason: 'asked for' }
}

function bestMethod(devices: readonly string[], state: string): { method: Method; methodReason: string } {
  if (state === 'shut off') return { method: 'offline', methodReason: 'the VM is shut off' }
  if (devices.length > 0)
    return { method: 'disk', methodReason: `the state of these devices cannot be saved: ${devices.join(', ')}` }
  if (state === 'paused') return { method: 'classic', methodReason: 'the VM is paused: it stands still anyway' }
  if (state === 'running' || state === 'idle') return { method: 'live', methodReason: 'the VM is running' }
  return { method: 'disk', methodReason: `the VM is ${state}` }
}

function refuseMethod({ vmName: vm }: BackupSpec, method: Method, devices: readonly string[], state: string): void {
  if (!allowsMethod(state, method))
    fail({ kind: 'vm-state', vm, state, wanted: `${STATES_FOR[method].join(' or ')}, for method ${method}` })
  if ((method === 'live' || method === 'classic') && devices.length > 0)
    fail({ kind: 'state-not-savable', vm, devices })
}

async function refuseForeignWork(shell: Shell, spec: BackupSpec, domain: DomainXml, isOff: boolean): Promise<void> {
  const refuse = (detail: string): never => fail({ kind: 'foreign-work', vm: spec.vmName, detail })
  for (const { source, target } of domain.disks)
    if (source !== undefined && isSidecar(source)) refuse(`${target} still writes to ${source} of an earlier job`)
  if (isOff) return
  const job = await jobInfo(shell, spec.vm)
  if (job !== undefined) refuse(`libvirt is busy with a job of its own (${job.operation})`)
  for (const { target, device, source } of domain.disks) {
    if (device !== 'disk' || source === undefined) continue
    const blockJob = await blockJobInfo(shell, spec.vm, target)
    if (blockJob !== undefined) refuse(`a block job (${blockJob.kind}) runs on ${target}`)
  }
}

type XmlDisk = DomainXml['disks'][number]

function selectDisks(
  job: JobContext<BackupSpec>,
  domain: DomainXml,
  method: Method
): { taken: XmlDisk[]; excluded: string[] } {
  const { includeDisks, excludeDisks = [], vmName } = job.spec
  const disks = domain.disks.filter(({ device }) => device === 'disk' || device === 'lun')
  const named = [...(includeDisks ?? []), ...excludeDisks]
  for (const name of named)
    if (!disks.some(({ target }) => target === name)) fail({ kind: 'not-found', what: 'disk', name, where: vmName })
  const wanted = (disk: XmlDisk): boolean =>
    (includeDisks?.includes(disk.target) ?? true) && !excludeDisks.includes(disk.target)
  const taken = disks.filter((disk) => wanted(disk) && !isLeftOut(job, disk, method))
  return {
    taken,
    excluded: domain.disks.map(({ target }) => target).filter((target) => !taken.some((disk) => disk.target === target))
  }
}

/** Disks that nobody wants in a backup, or that QEMU cannot hold still. Said, never silent. */
function isLeftOut(job: JobContext<BackupSpec>, disk: XmlDisk, method: Method): boolean {
  const reason = leftOutBecause(disk, method)
  if (reason !== undefined) job.warn(`Disk ${disk.target} is not in the point: ${reason}`)
  return reason !== undefined
}

function leftOutBecause(disk: XmlDisk, method: Method): string | undefined {
  if (disk.source === undefined) return 'it has no source'
  if (disk.network !== undefined) {
    const name = qemuNameOf(disk.network, disk.format)
    if ('unsupported' in name) return name.unsupported
  } else if (disk.type !== 'file' && disk.type !== 'block') return `sources of type ${disk.type} are not supported yet`
  if (disk.device === 'lun') return 'it is passed through as a LUN'
  if (disk.shareable && method !== 'offline') return 'other VMs may write to it, so it cannot be held still'
  return undefined
}

async function captureDisk(shell: Shell, jobId: string, disk: XmlDisk): Promise<CaptureDisk> {
  const { source = '', format } = disk
  const image = networkImage(disk)
  const info = image === undefined ? await imageInfo(shell, source, { format }) : await servedInfo(shell, disk, image)
  const folder = disk.type === 'file' ? dirname(source) : FALLBACK_FOLDER
  const name = disk.type === 'file' ? source.slice(folder.length + 1) : disk.target
  return {
    target: disk.target,
    source,
    format,
    type: disk.type === 'block' || disk.type === 'network' ? disk.type : 'file',
    ...(image !== undefined && { image }),
    virtualSizeBytes: info.virtualSizeBytes,
    allocatedBytes: disk.type === 'file' ? info.actualSizeBytes : info.virtualSizeBytes,
    sidecar: `${folder}/${name}${SIDECAR_MARK}${jobId}`
  }
}

function networkImage({ network, format }: XmlDisk): string | undefined {
  const name = network && qemuNameOf(network, format)
  return name !== undefined && 'image' in name ? name.image : undefined
}

/** The VM is the server's client already; many servers take one only. Better known before anything is touched. */
async function servedInfo(shell: Shell, { target, source = '', format }: XmlDisk, image: string): Promise<ImageInfo> {
  return servedImageInfo(shell, image, { format }).catch((error: unknown) => {
    if (!isFailure(error, 'timeout', 'command-failed')) throw error
    return fail({
      kind: 'preflight',
      problems: [
        {
          text: `The server of ${target} (${source}) does not let a second reader in`,
          fix: `Let it take more than one client (qemu-nbd --shared=2), or leave the disk out (--exclude ${target}).`
        }
      ]
    })
  })
}
