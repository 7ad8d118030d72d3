import { addDisk, ejectMedia, hasDisk, removeDisk, setDiskSource } from '../../libvirt/domain-xml-edit.ts'
import type { DomainXml, XmlDisk } from '../../libvirt/domain-xml.ts'
import type { Checklist } from './checklist.ts'
import { missingMedia } from './gone-media.ts'
import { fatesOf, type Fate, type FateRequest } from './left-out.ts'
import type { RestoreDisk } from './restore-plan.ts'
import { haveOneMachineId } from '../../shared/model/machine-id.ts'

/** What changes in one definition: that of the next start, or the RAM's own. They may name different disks. */
export interface DiskEdits {
  apply(xml: string): string
  /** Why RAM that goes by this definition does not fit the disks that the VM would have, in words. */
  readonly misfits: readonly string[]
}

/** Paths of this host, and no medium that is gone. Each definition is judged by the disks that it names itself. */
export async function editDisks(
  domain: DomainXml,
  disks: readonly RestoreDisk[],
  asked: FateRequest,
  list: Checklist
): Promise<DiskEdits> {
  const own = disks.filter(({ target }) => domain.disks.some((disk) => disk.target === target))
  const others = domain.disks.filter(({ target }) => !disks.some((disk) => disk.target === target))
  const empty = await missingMedia({ ...domain, disks: others }, asked)
  for (const disk of empty)
    list.warning(
      'disks',
      `The medium in ${disk.target} (${placeOf(disk)}) is ${disk.network === undefined ? 'not here' : 'on a server'}; the drive is left empty`,
      disk.network && {
        fix: `if it is meant, leave it in with --attach ${disk.target}`,
        attach: disk.target
      }
    )
  const fates = await fatesOf(domain, asked)
  for (const { disk, fate } of fates) tellOf(disk, fate, asked, list)
  const removed = fates.filter(({ fate }) => fate.kind === 'removed').map(({ disk }) => disk.target)
  const apply = (xml: string): string => {
    let edited = xml
    for (const { target, path, format } of own) edited = setDiskSource(edited, target, { path, format })
    for (const target of removed) edited = removeDisk(edited, target)
    for (const { target } of empty) edited = ejectMedia(edited, target)
    return edited
  }
  return {
    apply,
    misfits: fates.flatMap(({ disk, fate }) => misfitOf(disk, fate))
  }
}

function tellOf(
  disk: XmlDisk,
  fate: Fate,
  { spec: { attachDisks = [] }, manifest, machineId }: FateRequest,
  list: Checklist
): void {
  const { target } = disk
  const source = placeOf(disk)
  if (fate.kind === 'removed' && attachDisks.includes(target))
    list.problem(
      'disks',
      `disk ${target} (${source}) cannot be attached here: ${fate.because}`,
      `make it reachable, or leave out --attach ${target}`
    )
  else if (fate.kind === 'removed')
    list.warning(
      'disks',
      `Disk ${target} is not in the point and is left out of the VM: ${fate.because}`,
      haveOneMachineId(manifest.host.machineId, machineId)
        ? {}
        : {
            fix: `if ${source} is the same here and nobody else writes to it, attach it with --attach ${target}`,
            attach: target
          }
    )
  else if (fate.insteadOf === undefined)
    list.warning('disks', `Disk ${target} is not in the point: it stays attached as it is now (${source})`)
  else
    list.warning(
      'disks',
      `Disk ${target} is not in the point: it is attached as it was then (${source}), and not as the VM that is here has it now (${fate.insteadOf})`
    )
}

/** With the servers that would be asked for it. */
function placeOf({ source = 'no source', network }: XmlDisk): string {
  const servers = (network?.hosts ?? []).map(
    ({ name, port, socket }) => socket ?? [name ?? '', port].filter((part) => part !== undefined).join(':')
  )
  return servers.length === 0 ? source : `${source} at ${servers.join(' ')}`
}

function misfitOf({ target }: XmlDisk, fate: Fate): string[] {
  if (fate.kind === 'removed') return [`${target} is not in the point`]
  return fate.isUnchanged ? [] : [`${target} is not in the point, and nothing shows that it is as it was then`]
}

/** Disks of the point that this definition lacks are added: they were plugged into the running VM only. */
export function addMissingDisks(
  xml: string,
  disks: readonly RestoreDisk[],
  memoryXml: string | undefined,
  list: Checklist
): string {
  let edited = xml
  for (const { target, path, format } of disks.filter(({ target }) => !hasDisk(xml, target))) {
    const like = memoryXml !== undefined && hasDisk(memoryXml, target) ? memoryXml : undefined
    const added = addDisk(edited, target, { path, format }, like)
    if (added === undefined)
      list.warning(
        'disks',
        `Disk ${target} is in the point, but nothing says how the VM had it: it is written to ${path}`
      )
    else list.warning('disks', `Disk ${target} was plugged into the running VM only; it is part of the definition now`)
    edited = added ?? edited
  }
  return edited
}
