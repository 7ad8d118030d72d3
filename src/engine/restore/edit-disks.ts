import { existsSync } from 'node:fs'
import { ejectMedia, removeDisk, setDiskSource } from '../../libvirt/domain-xml-edit.ts'
import type { DomainXml } from '../../libvirt/domain-xml.ts'
import type { Checklist } from './checklist.ts'
import type { RestoreDisk } from './restore-plan.ts'

export interface DiskEdits {
  apply(xml: string): string
  /** Disks that the guest had and that are not in the point. */
  readonly removed: readonly string[]
}

/** What changes in a definition, and in the RAM image's own: paths of this host. */
export function editDisks(domain: DomainXml, disks: readonly RestoreDisk[], list: Checklist): DiskEdits {
  const others = domain.disks.filter(({ target }) => !disks.some((disk) => disk.target === target))
  const removed = others.filter(({ device }) => device === 'disk' || device === 'lun').map(({ target }) => target)
  const empty = others.filter(
    ({ device, type, source }) =>
      (device === 'cdrom' || device === 'floppy') && type === 'file' && source !== undefined && !existsSync(source)
  )
  for (const target of removed) list.warning('disks', `Disk ${target} is not in the point and is left out of the VM`)
  for (const { target, source = '' } of empty)
    list.warning('disks', `The medium in ${target} (${source}) is not here; the drive is left empty`)
  const apply = (xml: string): string => {
    let edited = xml
    for (const { target, path, format } of disks) edited = setDiskSource(edited, target, { path, format })
    for (const target of removed) edited = removeDisk(edited, target)
    for (const { target } of empty) edited = ejectMedia(edited, target)
    return edited
  }
  return { apply, removed }
}
