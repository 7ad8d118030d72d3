import type { Element } from '@xmldom/xmldom'
import type { Shell } from '../../shared/shell.ts'
import { attribute, elementsIn, parseXml } from '../../libvirt/xml.ts'
import { allVms } from './image-users.ts'

/**
 * The VM of this host that needs this secret of libvirt, with where it is named: by UUID or by what it is for, in its
 * definitions, in what lies below its images there, in its managed save image or in a snapshot.
 */
export async function secretUser(shell: Shell, uuid: string, usage: string): Promise<string | undefined> {
  for (const { name, definitions, snapshots } of await allVms(shell)) {
    const named = [...definitions, ...snapshots.map((snapshot) => ({ by: `snapshot ${snapshot.name}`, ...snapshot }))]
    const user = named.find(({ xml }) => namesSecret(xml, uuid, usage))
    if (user !== undefined) return `${name} (${user.by})`
  }
  return undefined
}

function namesSecret(xml: string, uuid: string, usage: string): boolean {
  const isNamedBy = (element: Element): boolean =>
    (element.tagName === 'secret' &&
      (attribute(element, 'uuid')?.toLowerCase() === uuid || attribute(element, 'usage') === usage)) ||
    elementsIn(element).some(isNamedBy)
  const root = parseXml(xml, 'domain XML').documentElement
  return root !== null && isNamedBy(root)
}
