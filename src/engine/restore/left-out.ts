import { existsSync } from 'node:fs'
import type { RestoreSpec } from '../../shared/model/job.ts'
import type { Uuid } from '../../shared/model/ids.ts'
import type { Manifest } from '../../shared/model/point.ts'
import type { Shell } from '../../shared/shell.ts'
import { haveOneMachineId } from '../../shared/model/machine-id.ts'
import { isThrownAway, parseDomain, type DomainXml, type XmlDisk } from '../../libvirt/domain-xml.ts'
import { domainState, domainXml } from '../../libvirt/domains.ts'
import { isLocked, servedImageInfo } from '../../libvirt/qemu-img.ts'
import { volumePath } from '../../libvirt/volumes.ts'
import { identityOf } from '../evidence/file-identity.ts'
import { imageUsers, openersOf, usersOf, type ImageUser, type ImageUsers } from '../evidence/image-users.ts'
import { machineId } from '../host-facts.ts'
import { uuidsInTheWay } from './conflicts.ts'

/** What becomes of a disk that the guest had and that the point does not hold. */
export type Fate =
  /**
   * It stays attached where it is, and nobody touches its file at `path`. `isUnchanged`: as it was at the instant of the
   * point. `insteadOf`: what the VM that is here has by now as this disk.
   */
  | { readonly kind: 'attached'; readonly path: string; readonly isUnchanged: boolean; readonly insteadOf?: string }
  | { readonly kind: 'removed'; readonly because: string }

export interface FateRequest {
  readonly spec: RestoreSpec
  readonly manifest: Manifest
  /** The machine id of this host. */
  readonly machineId: string
  readonly users: () => Promise<ImageUsers>
  /** Disks that the VM of the point's UUID has on this host: now, and with its next start. */
  readonly present: () => Promise<readonly XmlDisk[]>
  /** VMs whose files are free then: one that was made anew since has the name of the point's VM, and its disks. */
  readonly makingWay: () => Promise<readonly Uuid[]>
  /** Where a disk with a source lies on this host; a name for what lies on a server. Undefined: no pool here has its volume. */
  readonly pathOf: (disk: XmlDisk) => Promise<string | undefined>
  /** Whether somebody has an image open for writing who is not of this host. */
  readonly isHeld: (path: string, format: string) => Promise<boolean>
  /** Whether QEMU's tools of this host can read what a server has by this name. */
  readonly isServed: (image: string) => Promise<boolean>
  /** Media that are not here, and that the point has. */
  readonly brought?: ReadonlySet<string>
}

/** All images of the host, and the VM's own disks, are looked at once, and only when something depends on it. */
export async function fateRequest(shell: Shell, spec: RestoreSpec, manifest: Manifest): Promise<FateRequest> {
  const users = once(() => imageUsers(shell))
  const present = once(() => disksOf(shell, manifest.vm.uuid))
  const makingWay = once(async () => (spec.copy === undefined ? uuidsInTheWay(shell, manifest) : []))
  const pathOf = ({ source, volume }: XmlDisk): Promise<string | undefined> =>
    volume === undefined ? Promise.resolve(source) : volumePath(shell, volume)
  const isHeld = async (path: string, format: string): Promise<boolean> =>
    (await openersOf(path)).length === 0 && (await isLocked(shell, path, format)) === true
  const isServed = (image: string): Promise<boolean> =>
    servedImageInfo(shell, image, { format: 'raw' }).then(
      () => true,
      () => false
    )
  return { spec, manifest, machineId: await machineId(), users, present, makingWay, pathOf, isHeld, isServed }
}

function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined
  return () => (asked ??= ask())
}

async function disksOf(shell: Shell, uuid: Uuid): Promise<XmlDisk[]> {
  if ((await domainState(shell, uuid)) === undefined) return []
  const definitions = [await domainXml(shell, uuid), await domainXml(shell, uuid, { inactive: true })]
  return definitions.flatMap((xml) => parseDomain(xml).disks)
}

/** On the host that it was taken on, the VM keeps what it had: most such disks were left out on purpose. */
async function fateOf(disk: XmlDisk, request: FateRequest): Promise<Fate> {
  const { spec, manifest, users } = request
  const removed = (because: string): Fate => ({ kind: 'removed', because })
  const { source } = disk
  if (source === undefined) return { kind: 'attached', path: '', isUnchanged: true }
  const path = await request.pathOf(disk)
  const elsewhere = await stayedElsewhere(disk, path, request)
  if (elsewhere !== undefined) return removed(elsewhere)
  if (spec.copy !== undefined && !disk.readOnly) return removed('the original has it, and would write to it too')
  if (path === undefined) return removed(`no pool here has its volume (${source})`)
  if (path.startsWith('/') && !existsSync(path)) return removed(`${path} is not here any more`)
  const making = await request.makingWay()
  const inTheWay = (await usersOf(await users(), path)).find((user) => forbidsWriting(user, disk, making))
  if (inTheWay !== undefined && !disk.readOnly) return removed(neededBy(inTheWay))
  if (await isHeldElsewhere(disk, path, request))
    return removed(`somebody has ${path} open for writing, perhaps on another host`)
  const insteadOf = await presentInstead(disk, request)
  return {
    kind: 'attached',
    path,
    isUnchanged: await isUnchanged(path, disk, manifest),
    ...(insteadOf !== undefined && { insteadOf })
  }
}

/**
 * Elsewhere a file of the same path is another file, unless it was written to last in the very same moment: then it is the
 * one, as on a shared file system or on a host that was rebuilt. A disk on a server may be in use by the VM that still runs
 * there, which only its owner knows. Undefined: it did not stay elsewhere.
 */
async function stayedElsewhere(
  disk: XmlDisk,
  path: string | undefined,
  { spec, manifest, machineId }: FateRequest
): Promise<string | undefined> {
  if (haveOneMachineId(manifest.host.machineId, machineId)) return undefined
  if (spec.attachDisks?.includes(disk.target) === true) return undefined
  return path === undefined || !(await isUnchanged(path, disk, manifest))
    ? `it stayed on ${manifest.host.name}`
    : undefined
}

/** As on a file system that hosts share, also for the host that it was taken on: the VM may run elsewhere since. */
const isHeldElsewhere = async (
  { shareable, format }: XmlDisk,
  path: string,
  { isHeld }: FateRequest
): Promise<boolean> => !shareable && path.startsWith('/') && isHeld(path, format)

/** What an image is based on nobody may write to, not even the VM that it once was the disk of. */
const forbidsWriting = ({ uuid, isBase }: ImageUser, { shareable }: XmlDisk, makingWay: readonly string[]): boolean =>
  isBase === true || (!makingWay.includes(uuid) && !shareable)

const neededBy = ({ vm, by, isBase }: ImageUser): string =>
  isBase === true ? `another image of VM ${vm} is based on it (${by})` : `VM ${vm} has it (${by})`

/** Another image that the VM has by now as this disk. Undefined: it is the same, or there is none. */
async function presentInstead({ target, source }: XmlDisk, { present }: FateRequest): Promise<string | undefined> {
  const now = (await present()).filter((disk) => disk.target === target && !isThrownAway(disk))
  return now.some((disk) => disk.source === source) ? undefined : now[0]?.source
}

/** What was not noted when the point was taken cannot be told. */
export async function isUnchanged(
  path: string,
  { target, source }: Pick<XmlDisk, 'target' | 'source'>,
  { leftOut = [] }: Pick<Manifest, 'leftOut'>
): Promise<boolean> {
  const noted = leftOut.find((disk) => disk.target === target && disk.source === source)?.modifiedNs
  return noted !== undefined && (await identityOf(path))?.modifiedNs === noted
}

export interface LeftOut {
  readonly disk: XmlDisk
  readonly fate: Fate
}

/** What becomes of each disk of a definition that the point does not hold. */
export async function fatesOf(domain: DomainXml, request: FateRequest): Promise<LeftOut[]> {
  const fates: LeftOut[] = []
  for (const disk of leftOutOf(domain, request.manifest)) fates.push({ disk, fate: await fateOf(disk, request) })
  return fates
}

/** Files that the VM goes on using where they are. */
export async function attachedFiles(domains: readonly DomainXml[], request: FateRequest): Promise<ReadonlySet<string>> {
  const files = new Set<string>()
  for (const domain of domains) for (const path of filesThatStay(await fatesOf(domain, request))) files.add(path)
  return files
}

export const filesThatStay = (fates: readonly LeftOut[]): string[] =>
  fates.flatMap(({ fate }) => (fate.kind === 'attached' && fate.path !== '' ? [fate.path] : []))

/** A medium in a drive is none. */
const leftOutOf = ({ disks }: DomainXml, manifest: Manifest): XmlDisk[] =>
  disks.filter(
    ({ target, device }) =>
      (device === 'disk' || device === 'lun') && !manifest.disks.some((disk) => disk.target === target)
  )
