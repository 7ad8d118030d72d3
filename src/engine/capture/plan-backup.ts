import { fail, isFailure } from '../../shared/failure.ts'
import { allowsMethod, STATES_FOR } from '../../shared/method-states.ts'
import type { BackupSpec } from '../../shared/model/job.ts'
import type { Method } from '../../shared/model/point.ts'
import type { Shell } from '../../shared/shell.ts'
import { agentAnswers } from '../../libvirt/agent.ts'
import { bootFilesTaken, firmwareLimits } from '../../libvirt/backup-limits.ts'
import { blockJobInfo } from '../../libvirt/block-jobs.ts'
import { jobInfo, maxDowntimeMs } from '../../libvirt/domain-jobs.ts'
import { domainInfo, domainState, domainXml } from '../../libvirt/domains.ts'
import { parseDomain, withoutSavableState, type DomainXml } from '../../libvirt/domain-xml.ts'
import { hostVersions, tpmFolder } from '../../libvirt/host.ts'
import { imageInfo } from '../../libvirt/qemu-img.ts'
import { managedSaveXml } from '../../libvirt/save-image.ts'
import { mountBelow } from '../evidence/presence.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { warningOfUnseen } from '../retention/between-hosts.ts'
import { isSidecar, originalName, type CaptureDisk, type CapturePlan } from './capture-plan.ts'
import { isNotThere, lookAtFile } from './copy-at-rest.ts'
import { cautionOnLiveMemory } from './emulated.ts'
import { mediaOf } from './media.ts'
import { planDisks } from './plan-disks.ts'
import { changesSinceLastPoint } from './changed-disks.ts'
import { differingDisks, pointDefinition } from './point-definition.ts'
import { requireRoom } from './require-room.ts'
import { savedMemory } from './saved-memory.ts'

/** Looks, decides and refuses; changes nothing. */
export async function planBackup(job: JobContext<BackupSpec>): Promise<CapturePlan> {
  const { shell, spec } = job
  const state =
    (await domainState(shell, spec.vm)) ??
    fail({ kind: 'not-found', what: 'vm', name: spec.vmName, where: spec.hostName })
  const isOff = state.state === 'shut off'
  const definition = await domainXml(shell, spec.vm, { inactive: true, securityInfo: true })
  const saved = isOff ? await managedSaveXml(shell, spec.vm) : undefined
  const running = saved ?? (isOff ? definition : await domainXml(shell, spec.vm, { securityInfo: true }))
  const domain = parseDomain(running)
  const chosen = await withCaution(shell, domain, chooseMethod(spec, domain, state.state))
  await refuseForeignWork(job, domain, isOff)
  const disks = await planDisks(job, domain, chosen.method)
  const targets = [...disks.disks, ...disks.still].map(({ target }) => target)
  const info = await domainInfo(shell, spec.vm)
  const kept = pointDefinition(definition, running, targets)
  const maxDowntime = isOff ? undefined : await maxDowntimeMs(shell, spec.vm)
  const savedRam = saved === undefined ? undefined : await savedMemory(domain.name)
  const plan: CapturePlan = {
    vm: spec.vm,
    vmName: domain.name,
    ...chosen,
    ...(savedRam && { methodReason: `${chosen.methodReason}, and libvirt has saved its RAM`, savedMemory: savedRam }),
    stateBefore: stateBefore(spec, state.state),
    persistent: info.persistent,
    // Off for now is not how its owner wants it: a restore of this point asks anew.
    autostart: info.autostart || domain.heldAutostart !== undefined,
    ramBytes: domain.memoryBytes,
    ...disks,
    disks: await Promise.all(disks.disks.map(withMount)),
    ...(await hostFilesOf(job, domain)),
    boot: bootFilesOf(parseDomain(definition), domain),
    media: spec.media === true ? await mediaOf(job, domain) : [],
    agent: domain.agent === 'absent' ? 'none' : (await agentAnswers(shell, spec.vm)) ? 'answered' : 'silent',
    ...(maxDowntime !== undefined && { maxDowntimeMs: maxDowntime }),
    definition,
    seen: seenIn(domain),
    pointDefinition: kept.xml,
    plugged: [...kept.plugged],
    ...(!isOff && { running }),
    pointDir: `${spec.store}/${spec.vm}/${job.id}`
  }
  await requireRoom(job, plan)
  await sayWhatToKnow(job, plan, domain, running)
  return plan
}

/** Firmware variables and TPM state that are files of this host. */
export async function hostFilesOf(
  job: Pick<JobContext, 'shell' | 'signal'>,
  { uuid, nvram, tpm, tpmState }: DomainXml
): Promise<Pick<CapturePlan, 'nvram' | 'tpmDir' | 'tpmInto'>> {
  const tpmDir = tpmState === undefined ? tpmFolder(uuid) : tpmState.path
  const isFolder = tpm === 'emulator' && tpmState?.type !== 'file' && (await mayBeThere(job, tpmDir))
  return {
    ...(nvram !== undefined && nvram.type !== 'network' && { nvram: nvram.path }),
    ...(isFolder && { tpmDir, ...(tpmState && { tpmInto: tpmState.version === '1.2' ? 'tpm1.2' : 'tpm2' }) })
  }
}

/** Also where nobody answers: whoever takes its files says what becomes of them. */
const mayBeThere = ({ shell, signal }: Pick<JobContext, 'shell' | 'signal'>, path: string): Promise<boolean> =>
  lookAtFile(shell, path, { signal }).then(
    () => true,
    (error: unknown) => {
      if (isFailure(error, 'io')) return !isNotThere(error)
      throw error
    }
  )

/** Those that it runs with too: QEMU opens them also to go on from RAM. */
function bootFilesOf(next: DomainXml, now: DomainXml): CapturePlan['boot'] {
  const byPath = new Map([...bootFilesTaken(next), ...bootFilesTaken(now)].map((each) => [each.path, each]))
  return [...byPath.values()].map(({ role, path }) => ({ role, originalPath: path }))
}

async function withMount(disk: CaptureDisk): Promise<CaptureDisk> {
  const mountPoint = await mountBelow(disk.sidecar)
  return { ...disk, ...(mountPoint !== undefined && { mountPoint }) }
}

const CHANGED = 'its disks are not those any more that the backup was planned for'

/** Disks come and go while a guest is frozen and tools get ready. @throws `foreign-work`, for which `isOutdated` asks */
export async function requireCurrent(shell: Shell, plan: CapturePlan): Promise<void> {
  const seen = seenIn(parseDomain(await domainXml(shell, plan.vm)))
  if (seen.join('\n') !== plan.seen.join('\n')) isOutdatedNow(plan)
}

/** @throws `foreign-work`, for which `isOutdated` asks */
export const isOutdatedNow = ({ vmName }: CapturePlan): never =>
  fail({ kind: 'foreign-work', vm: vmName, detail: CHANGED })

/** Also where libvirt takes its overlays as they are, and a disk came for which there is none. */
export const isOutdated = (error: unknown): boolean =>
  (isFailure(error, 'foreign-work') && error.failure.detail === CHANGED) ||
  (isFailure(error, 'command-failed') && /: missing existing file for disk /.test(error.failure.stderr))

/** Media of drives may change: who takes them into the point looks at the drives again. */
const seenIn = ({ disks }: DomainXml): string[] =>
  disks.map(({ target, device, source = '', nodes: [node = ''] }) =>
    [device, target, ...(device === 'disk' ? [source, node] : [])].join(' ')
  )

/** What does not stand in the way of a backup and may stand in the way of its use. */
async function sayWhatToKnow(
  job: JobContext<BackupSpec>,
  plan: CapturePlan,
  domain: DomainXml,
  running: string
): Promise<void> {
  for (const difference of differingDisks(plan.definition, running)) job.warn(difference)
  if (plan.stateBefore === 'shut off' && running !== plan.definition && plan.savedMemory === undefined)
    job.warn('libvirt has saved the RAM of the VM, but its image was not found: the point holds the disks only')
  for (const limit of firmwareLimits(domain)) job.warn(limit)
  if (domain.qemuExtensions.length > 0)
    job.warn(
      `Restoring this VM will need a yes: its definition passes settings to QEMU past libvirt (qemu:${domain.qemuExtensions.join(', qemu:')})`
    )
  for (const text of await changesSinceLastPoint(job.shell, plan)) job.warn(text)
  const unseen = await warningOfUnseen(job.spec.store)
  if (unseen !== undefined) job.warn(unseen)
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
  domain: Pick<DomainXml, 'devicesWithoutSavableState' | 'disks'>,
  state: string
): { method: Method; methodReason: string } {
  const devices = withoutSavableState(domain)
  if (state === 'pmsuspended') asleep(spec)
  const best = bestMethod(devices, state)
  if (spec.method === undefined || spec.method === best.method) return best
  refuseMethod(spec, spec.method, devices, state)
  return { method: spec.method, methodReason: 'asked for' }
}

/** libvirt takes no snapshot of a guest that sleeps, and QEMU cannot save its RAM. */
const asleep = ({ vmName: vm }: BackupSpec): never =>
  fail({ kind: 'vm-state', vm, state: 'pmsuspended', wanted: 'awake (virsh dompmwakeup), or shut off' })

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

/** Overlays of jobs that are over, block jobs and jobs of libvirt: nobody else's work is put in danger. */
async function refuseForeignWork(job: JobContext<BackupSpec>, domain: DomainXml, isOff: boolean): Promise<void> {
  const { shell, spec } = job
  const refuse = (detail: string): never => fail({ kind: 'foreign-work', vm: spec.vmName, detail })
  for (const { source = '', target } of domain.disks) {
    if (!isSidecar(source)) continue
    if (await standsAlone(shell, source)) job.warn(renameAdvice(target, source))
    else refuse(`${target} still writes to ${source} of an earlier job`)
  }
  if (isOff) return
  const libvirtJob = await jobInfo(shell, spec.vm)
  if (libvirtJob !== undefined) refuse(`libvirt is busy with a job of its own (${libvirtJob.operation})`)
  for (const { target, device, source } of domain.disks) {
    if (device !== 'disk' || source === undefined) continue
    const blockJob = await blockJobInfo(shell, spec.vm, target)
    if (blockJob !== undefined) refuse(`a block job (${blockJob.kind}) runs on ${target}`)
  }
}

/** An overlay became the VM's whole disk, for instance by a migration that copied storage: only its name is ours. */
const standsAlone = async (shell: Shell, path: string): Promise<boolean> =>
  (await imageInfo(shell, path, { format: 'qcow2' })).backingFile === undefined

const renameAdvice = (target: string, path: string): string =>
  `The image of ${target} has the name of an overlay (${path}), perhaps since a migration, but is the whole disk, and is backed up as such. When the VM is off it can get its name back: mv it to ${originalName(path)}, and name that with virsh edit`
