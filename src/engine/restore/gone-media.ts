import { existsSync } from 'node:fs'
import { mediaIn, type DomainXml, type XmlDisk } from '../../libvirt/domain-xml.ts'
import { mediumNameOf, type NetworkSource } from '../../libvirt/network-source.ts'
import { goneMediaOf } from './displaced-vm.ts'
import type { FateRequest } from './left-out.ts'

type Asked = Pick<FateRequest, 'spec' | 'present' | 'pathOf' | 'isServed' | 'brought'>

/** Media that this host does not give to the drives of a VM: files and volumes that are not here, and what lies on servers. */
export async function missingMedia(domain: DomainXml, asked: Asked): Promise<XmlDisk[]> {
  const missing = goneMediaOf(domain).filter(({ source = '' }) => asked.brought?.has(source) !== true)
  for (const disk of mediaIn(domain)) if (!(await isThere(disk, asked))) missing.push(disk)
  return missing
}

/** Of what is not a file of the host. */
async function isThere(disk: XmlDisk, asked: Asked): Promise<boolean> {
  if (disk.volume !== undefined) {
    const path = await asked.pathOf(disk)
    return path !== undefined && (!path.startsWith('/') || existsSync(path))
  }
  return disk.network === undefined || isMeant(disk, disk.network, asked)
}

/** A point does not say which servers this host asks for anything: the VM that is here does, or the operator. */
async function isMeant(disk: XmlDisk, network: NetworkSource, { spec, present, isServed }: Asked): Promise<boolean> {
  if (spec.attachDisks?.includes(disk.target) === true) return true
  const isSame = (each: XmlDisk): boolean => JSON.stringify(each.network) === JSON.stringify(network)
  if (!(await present()).some(isSame)) return false
  const image = mediumNameOf(network)
  return image === undefined || isServed(image)
}
