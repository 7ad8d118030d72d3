import { fail } from '../../shared/failure.ts'
import { addDiskOf } from '../../libvirt/domain-xml-edit.ts'
import { parseDomain } from '../../libvirt/domain-xml.ts'

/**
 * What a point keeps as the VM's definition: the one for its next start, at the point's instant, and of the running one the
 * disks that this lacks, as those have that were plugged in for this run only.
 */
export function pointDefinition(
  definition: string,
  running: string,
  targets: readonly string[]
): { readonly xml: string; readonly plugged: readonly string[] } {
  const named = targetsIn(definition)
  const plugged = targets.filter((target) => !named.includes(target))
  return { xml: plugged.reduce((xml, target) => addDiskOf(xml, target, running), definition), plugged }
}

/** In words: how the disks of the VM that runs and those of its next start differ. */
export function differingDisks(definition: string, running: string): string[] {
  const next = parseDomain(definition).disks.filter(({ device }) => device === 'disk')
  const now = parseDomain(running).disks
  return next.flatMap(({ target, source, transient }) => {
    const disk = now.find((each) => each.target === target)
    if (disk === undefined) return [`Disk ${target} comes only with the next start of the VM: it is not in the point`]
    return disk.source === source || transient
      ? []
      : [`At its next start ${target} would be another image (${source ?? 'none'}): the point has the one it runs on`]
  })
}

/** @throws `bad-output` if a definition in the point lacks one of the point's disks: no restore could use it */
export function requireDisksNamed(file: string, xml: string, targets: readonly string[]): void {
  const named = targetsIn(xml)
  const missing = targets.filter((target) => !named.includes(target))
  if (missing.length > 0)
    fail({ kind: 'bad-output', what: file, detail: `it does not name ${missing.join(', ')}, which the point holds` })
}

const targetsIn = (xml: string): string[] => parseDomain(xml).disks.map(({ target }) => target)
