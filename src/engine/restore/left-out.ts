import { existsSync } from 'node:fs'
import type { RestoreSpec } from '../../shared/model/job.ts'
import type { Manifest } from '../../shared/model/point.ts'
import type { DomainXml, XmlDisk } from '../../libvirt/domain-xml.ts'
import { identityOf } from '../evidence/file-identity.ts'
import { usersOf, type ImageUsers } from '../evidence/image-users.ts'

/** What becomes of a disk that the guest had and that the point does not hold. */
export type Fate =
  /** It stays attached where it is, and nobody touches its file. `isUnchanged`: as it was at the instant of the point. */
  { readonly kind: 'attached'; readonly isUnchanged: boolean } | { readonly kind: 'removed'; readonly because: string }

export interface FateRequest {
  readonly spec: RestoreSpec
  readonly manifest: Manifest
  /** The machine id of this host. */
  readonly machineId: string
  readonly users: () => Promise<ImageUsers>
}

/**
 * On the host that it was taken on, the VM keeps what it had: most such disks were left out on purpose. Elsewhere a file of
 * the same path is another file, and a disk on a server may be in use by the VM that is still running there.
 */
export async function fateOf(disk: XmlDisk, request: FateRequest): Promise<Fate> {
  const { spec, manifest, machineId, users } = request
  const removed = (because: string): Fate => ({ kind: 'removed', because })
  const { source, type } = disk
  if (source === undefined) return { kind: 'attached', isUnchanged: true }
  if (manifest.host.machineId === '' || manifest.host.machineId !== machineId)
    return removed(`it stayed on ${manifest.host.name}`)
  if (spec.copy !== undefined && !disk.readOnly) return removed('the original has it, and would write to it too')
  const isHere = !source.startsWith('/') || existsSync(source)
  if (!isHere) return removed(`${source} is not here any more`)
  const [other] = (await usersOf(await users(), source)).filter(({ uuid }) => uuid !== manifest.vm.uuid)
  if (other !== undefined && !disk.readOnly && !disk.shareable) return removed(`VM ${other.vm} has it (${other.by})`)
  return { kind: 'attached', isUnchanged: type === 'file' && (await isUnchanged(source, disk.target, manifest)) }
}

/** What was not noted when the point was taken cannot be told. */
async function isUnchanged(path: string, target: string, { leftOut = [] }: Manifest): Promise<boolean> {
  const noted = leftOut.find((disk) => disk.target === target && disk.source === path)?.modifiedNs
  return noted !== undefined && (await identityOf(path))?.modifiedNs === noted
}

/** Files that the VM goes on using where they are. */
export async function attachedFiles(domains: readonly DomainXml[], request: FateRequest): Promise<ReadonlySet<string>> {
  const files = new Set<string>()
  for (const disk of domains.flatMap((domain) => leftOutOf(domain, request.manifest)))
    if (disk.source !== undefined && (await fateOf(disk, request)).kind === 'attached') files.add(disk.source)
  return files
}

/** Disks of a definition that the point does not hold. A medium in a drive is none. */
export const leftOutOf = ({ disks }: DomainXml, manifest: Manifest): XmlDisk[] =>
  disks.filter(
    ({ target, device }) =>
      (device === 'disk' || device === 'lun') && !manifest.disks.some((disk) => disk.target === target)
  )
