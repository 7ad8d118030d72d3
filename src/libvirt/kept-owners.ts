import { attribute, childAt, childrenOf, parseXml } from './xml.ts'

/**
 * Disks of a definition whose files libvirt leaves to whom they belong (`relabel='no'`), by target: QEMU opens them as they
 * are. Said of a source, or of the whole VM where a source does not say otherwise.
 */
export function disksWithKeptOwner(xml: string): ReadonlySet<string> {
  const domain = parseXml(xml, 'domain XML').documentElement ?? undefined
  const ofAll = relabels(domain) ?? true
  const disks = childrenOf(childAt(domain, 'devices'), 'disk')
  const kept = disks.filter((disk) => !(relabels(childAt(disk, 'source')) ?? ofAll))
  return new Set(kept.flatMap((disk) => attribute(childAt(disk, 'target'), 'dev') ?? []))
}

/** Of owners: `dac`, or no model, which means each. Undefined: it does not say. */
function relabels(at: Parameters<typeof childrenOf>[0]): boolean | undefined {
  const label = childrenOf(at, 'seclabel').find((each) => (attribute(each, 'model') ?? 'dac') === 'dac')
  if (label === undefined) return undefined
  // By default one that is dynamic, as that of a source is, and no other.
  const usual = ['static', 'none'].includes(attribute(label, 'type') ?? '') ? 'no' : 'yes'
  return (attribute(label, 'relabel') ?? usual) !== 'no'
}
