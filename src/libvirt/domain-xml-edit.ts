import type { Element } from '@xmldom/xmldom'
import { fail } from '../shared/failure.ts'
import { attribute, childAt, childrenOf, parseXml, serializeXml } from './xml.ts'

/** Each takes a definition, persistent or out of a RAM image, and returns a changed one. */

/**
 * The disk reads this image file from now on. Its listed backing chain goes: where the image has a chain, libvirt looks
 * for itself; left in, `<backingStore/>` would end it and the guest would read holes.
 */
export function setDiskSource(xml: string, target: string, to: { path: string; format: string }): string {
  return editDisk(xml, target, (disk) => {
    for (const name of ['backingStore', 'mirror', 'source']) for (const child of childrenOf(disk, name)) disk.removeChild(child)
    disk.setAttribute('type', 'file')
    const source = disk.ownerDocument?.createElement('source') ?? fail({ kind: 'bad-output', what: 'domain XML', detail: 'no document' })
    source.setAttribute('file', to.path)
    disk.insertBefore(source, childAt(disk, 'target') ?? null)
    childAt(disk, 'driver')?.setAttribute('type', to.format)
  })
}

/** An empty drive. */
export function ejectMedia(xml: string, target: string): string {
  return editDisk(xml, target, (disk) => {
    for (const name of ['backingStore', 'source']) for (const child of childrenOf(disk, name)) disk.removeChild(child)
  })
}

export function removeDisk(xml: string, target: string): string {
  return editDisk(xml, target, (disk) => disk.parentNode?.removeChild(disk))
}

export function setNvramPath(xml: string, path: string): string {
  const document = parseXml(xml, 'domain XML')
  const nvram = childAt(document.documentElement ?? undefined, 'os', 'nvram')
  if (nvram === undefined) return xml
  const source = childAt(nvram, 'source')
  if (source === undefined) nvram.textContent = path
  else source.setAttribute('file', path)
  return serializeXml(document)
}

function editDisk(xml: string, target: string, edit: (disk: Element) => unknown): string {
  const document = parseXml(xml, 'domain XML')
  const disks = childrenOf(childAt(document.documentElement ?? undefined, 'devices'), 'disk')
  const disk = disks.find((each) => attribute(childAt(each, 'target'), 'dev') === target)
  if (disk === undefined) return fail({ kind: 'not-found', what: 'disk', name: target })
  edit(disk)
  return serializeXml(document)
}
