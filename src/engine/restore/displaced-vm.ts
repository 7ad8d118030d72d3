import { existsSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { isEnded } from '../../shared/model/job.ts'
import type { Uuid } from '../../shared/model/ids.ts'
import type { Shell } from '../../shared/shell.ts'
import { blockJobInfo } from '../../libvirt/block-jobs.ts'
import { jobInfo } from '../../libvirt/domain-jobs.ts'
import { setDiskSource } from '../../libvirt/domain-xml-edit.ts'
import { isDrive, isThrownAway, parseDomain, type DomainXml, type XmlDisk } from '../../libvirt/domain-xml.ts'
import { domainInfo, domainState, domainXml } from '../../libvirt/domains.ts'
import { tpmFolder } from '../../libvirt/host.ts'
import { isOfAMoment, stateToStart } from '../evidence/owners-state.ts'
import { managedSavePath } from '../../libvirt/save-image.ts'
import { lstatOrNone } from '../../store/point-files.ts'
import { identityOf } from '../evidence/file-identity.ts'
import { resolvedPath, usersOf, type ImageUser, type ImageUsers } from '../evidence/image-users.ts'
import { isSidecar, SIDECAR_MARK } from '../capture/capture-plan.ts'
import { readReport } from '../jobs/job-directory.ts'
import type { DisplacedVm, Rename } from './restore-plan.ts'

/** A VM that is to make way, as libvirt and its files are now. */
export interface VmInTheWay {
  readonly vm: DisplacedVm
  /** Images of it that are not renamed, and why. */
  readonly stays: readonly { readonly path: string; readonly because: string }[]
  /** Why it must not be touched now, in words. */
  readonly refusals: readonly string[]
  /** Media that its definition names and that are gone: it would not start again as it is. */
  readonly goneMedia: readonly string[]
}

export interface LookRequest {
  readonly jobId: string
  /** Disks of it that the point holds too; the others are its owner's to keep. Undefined: it is quite another VM. */
  readonly targets: ReadonlySet<string> | undefined
  /** Stays in use by the VM that comes. */
  readonly attached: ReadonlySet<string>
  /** What the point names and does not hold: it is nobody's to put aside, whatever becomes of it. */
  readonly leftOut?: ReadonlySet<string>
  readonly users: ImageUsers
  /** Jobs of it that could not be put right are set aside by this restore. */
  readonly setsJobsAside: boolean
}

/** What of a VM would be renamed aside. Nothing that any other VM, or another image, needs where it is. */
export async function lookAtVmInTheWay(shell: Shell, uuid: Uuid, request: LookRequest): Promise<VmInTheWay> {
  const state = await domainState(shell, uuid)
  const isActive = state !== undefined && state.state !== 'shut off'
  const definition = await startableDefinition(shell, uuid)
  const next = parseDomain(definition)
  const now = isActive ? parseDomain(await domainXml(shell, uuid)) : undefined
  const { autostart, persistent } = await domainInfo(shell, uuid)
  const images = await sortImages(uuid, imagesOf(next, now), request)
  const works = now === undefined ? [] : await libvirtsWork(shell, now, request.setsJobsAside)
  // A pause of a job of libvirt's may have ended with that since.
  const atRest = state !== undefined && isOfAMoment(state) ? await domainState(shell, uuid) : state
  return {
    vm: {
      uuid,
      name: next.name,
      wasActive: isActive,
      wasPaused: atRest !== undefined && stateToStart(atRest) === 'paused',
      persistent,
      autostart,
      definition,
      forThatRun: now === undefined ? [] : changesOf(now, next),
      renames: [...images.renames, ...(await stateRenames(next, request))]
    },
    stays: images.stays,
    refusals: [...onOverlays(now ?? next, request.setsJobsAside), ...works],
    goneMedia: [...new Set(goneMediaOf(next).map(({ source = '' }) => source))]
  }
}

type Images = Pick<VmInTheWay, 'stays'> & Pick<DisplacedVm, 'renames'>

/** Files that it writes to: now, or with its next start. */
function imagesOf(next: DomainXml, now: DomainXml | undefined): XmlDisk[] {
  const bySource = new Map<string, XmlDisk>()
  for (const disk of [...next.disks, ...(now?.disks ?? [])].map(lastingImage)) {
    const { type, device, source, readOnly, shareable } = disk
    if (type === 'file' && device === 'disk' && !readOnly && !shareable && source !== undefined)
      bySource.set(source, disk)
  }
  return [...bySource.values()]
}

/** The overlay of a transient disk goes as its VM stops: there is nothing of it to keep, but the image below. */
const lastingImage = (disk: XmlDisk): XmlDisk => (isThrownAway(disk) ? { ...disk, source: disk.below?.source } : disk)

/** Disks, media and network cards that a VM has, or has not, while it runs, and not with its next start. */
export function changesOf(now: DomainXml, next: DomainXml): string[] {
  const [has, starts] = [devicesOf(now), devicesOf(next)]
  return [
    ...[...has].filter(([device, it]) => differs(it, starts.get(device))).map(([device, it]) => device + inWords(it)),
    ...[...starts.keys()].filter((device) => !has.has(device)).map((device) => `no ${device}`)
  ].sort()
}

interface Device {
  readonly kind: 'disk' | 'network card'
  readonly source: string | undefined
}

/** Of a card from a pool only the definition says where it is plugged. */
const differs = (now: Device, next: Device | undefined): boolean =>
  next === undefined ||
  (now.source !== next.source && (now.kind === 'disk' || (now.source !== undefined && next.source !== undefined)))

const inWords = ({ kind, source }: Device): string =>
  source === undefined ? (kind === 'disk' ? ' (empty)' : '') : ` (${source})`

const devicesOf = ({ disks, interfaces }: DomainXml): ReadonlyMap<string, Device> =>
  new Map<string, Device>([
    ...disks.map(lastingImage).map(({ target, source }) => [target, { kind: 'disk', source }] as const),
    ...interfaces.flatMap(({ mac, source }) =>
      mac === undefined ? [] : [[`network card ${mac}`, { kind: 'network card', source }] as const]
    )
  ])

/** Whether its owner has changed one that runs since it was looked at. */
export async function isChangedForNow(shell: Shell, { uuid, definition, forThatRun }: DisplacedVm): Promise<boolean> {
  const now = parseDomain(await domainXml(shell, uuid))
  return changesOf(now, parseDomain(definition)).join() !== forThatRun.join()
}

/** What starts it again. For a VM without a definition of its own libvirt shows the one that it runs with. */
export async function startableDefinition(shell: Shell, uuid: Uuid): Promise<string> {
  const definition = await domainXml(shell, uuid, { inactive: true, securityInfo: true })
  return parseDomain(definition).disks.reduce(
    (xml, disk) =>
      isThrownAway(disk) && disk.below !== undefined
        ? setDiskSource(xml, disk.target, { path: disk.below.source, format: disk.below.format })
        : xml,
    definition
  )
}

async function sortImages(uuid: Uuid, disks: readonly XmlDisk[], request: LookRequest): Promise<Images> {
  const renames: Rename[] = []
  const stays: { path: string; because: string }[] = []
  const [attached, leftOut] = await Promise.all([request.attached, request.leftOut ?? []].map(filesAt))
  for (const disk of disks) {
    const { source: path = '', target } = disk
    const [needed] = (await usersOf(request.users, path)).filter((user) => user.uuid !== uuid || user.isBase === true)
    const [file = path] = await filesAt([path])
    if (attached?.has(file) === true) continue
    if (needed !== undefined) stays.push({ path, because: neededBy(needed) })
    else if (leftOut?.has(file) === true) stays.push({ path, because: 'the point has left it out' })
    else if (request.targets?.has(target) === false) stays.push({ path, because: `${target} is not in the point` })
    else {
      renames.push(...(await renameOf(path, request.jobId, disk)))
      stays.push(...(await behindLink(path)))
    }
  }
  return { renames, stays }
}

/** One file may have more than one path. */
const filesAt = async (paths: Iterable<string>): Promise<ReadonlySet<string>> =>
  new Set(await Promise.all([...paths].map(resolvedPath)))

const neededBy = ({ vm, by }: ImageUser): string => `VM ${vm} needs it (${by})`

/** What a link leads to is no concern of what takes the link's place. */
export async function behindLink(path: string): Promise<{ path: string; because: string }[]> {
  const real = await realpath(path).catch(() => path)
  const isLink = (await lstatOrNone(path))?.isSymbolicLink() === true
  return isLink ? [{ path: real, because: `${path} is a symbolic link to it, and the link alone makes way` }] : []
}

/** What follows the name of a file that made way. */
export const KEPT_MARK = '.kept-'

/** Beside the original: what is kept aside is renamed, never copied. None where there is nothing. */
export async function renameOf(path: string, jobId: string, disk?: XmlDisk): Promise<Rename[]> {
  const file = await identityOf(path)
  if (file === undefined) return []
  const image = disk && { target: disk.target, format: disk.format === 'raw' ? ('raw' as const) : ('qcow2' as const) }
  return [{ from: path, to: `${path}${KEPT_MARK}${jobId}`, file, ...image }]
}

/** Firmware variables, managed save and TPM go with it: by name or UUID the next VM would find them. */
async function stateRenames(domain: DomainXml, { jobId, users }: LookRequest): Promise<Rename[]> {
  const { uuid, name, nvram } = domain
  const variables = nvram?.type === 'file' ? nvram.path : undefined
  const shared = variables !== undefined && (await usersOf(users, variables, uuid)).length > 0
  const paths = [...(variables === undefined || shared ? [] : [variables]), managedSavePath(name), tpmFolder(uuid)]
  return (await Promise.all(paths.map((path) => renameOf(path, jobId)))).flat()
}

/** An overlay of ours is folded back first; but for that of a job that cannot be, and is set aside. */
const onOverlays = ({ name, disks }: DomainXml, setsJobsAside: boolean): string[] =>
  disks.flatMap(({ target, source = '' }) =>
    !isSidecar(source) || (setsJobsAside && isOfOpenJob(source))
      ? []
      : [`${target} of ${name} writes to ${source}, the overlay of a backup`]
  )

function isOfOpenJob(overlay: string): boolean {
  if (!isSidecar(overlay)) return false
  const report = readReport(overlay.slice(overlay.lastIndexOf(SIDECAR_MARK) + SIDECAR_MARK.length))
  return report !== undefined && !isEnded(report.state)
}

async function libvirtsWork(shell: Shell, { uuid, name, disks }: DomainXml, setsJobsAside: boolean): Promise<string[]> {
  const job = await jobInfo(shell, uuid)
  const found = job === undefined ? [] : [`libvirt is busy with a job of its own on ${name} (${job.operation})`]
  for (const { target, device, source } of disks) {
    if (device !== 'disk' || source === undefined || (setsJobsAside && isOfOpenJob(source))) continue
    const blockJob = await blockJobInfo(shell, uuid, target)
    if (blockJob !== undefined) found.push(`a block job (${blockJob.kind}) runs on ${target} of ${name}`)
  }
  return found
}

/** Media that its drives should hold and that are not there any more. */
export const goneMediaOf = ({ disks }: DomainXml): XmlDisk[] =>
  disks.filter(
    ({ device, type, source }) =>
      isDrive({ device }) &&
      (type === 'file' || type === 'block') &&
      source?.startsWith('/') === true &&
      !existsSync(source)
  )
