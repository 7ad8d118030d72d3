import { fail } from '../shared/failure.ts'
import type { Uuid } from '../shared/model/ids.ts'
import type { Shell } from '../shared/shell.ts'
import { replaceDiskSource, restoreDiskSource } from '../libvirt/domain-xml-edit.ts'
import { parseDomain } from '../libvirt/domain-xml.ts'
import { defineDomain, domainXml, parseDomainInfo, parseState, type StateAndReason } from '../libvirt/domains.ts'
import { defineManagedSave, managedSaveXml } from '../libvirt/save-image.ts'
import { currentSnapshot, redefineSnapshot, snapshotDefinitions } from '../libvirt/snapshot.ts'
import { saysUnknownDomain, virshBatch } from '../libvirt/virsh.ts'
import { syncDir } from '../store/durable.ts'
import { withXmlFile } from './jobs/private-files.ts'

/** Where a disk of a VM is, by all that libvirt says. */
export interface DiskNow {
  /** Undefined: libvirt does not know the VM. That says nothing about who needs its files. */
  readonly state: StateAndReason | undefined
  readonly isActive: boolean
  /** What the running VM writes to. Undefined: it does not run, or has no such disk. */
  readonly live: string | undefined
  /** That image, and all below it. */
  readonly chain: readonly string[]
  /** libvirt's number for each image of `chain`. */
  readonly nodes: readonly (string | undefined)[]
  /** What a copy or an active commit of the disk writes to. Undefined: none does, or libvirt does not say. */
  readonly mirrorTo: string | undefined
  /** What the VM would start with. */
  readonly defined: string | undefined
  /** That is said to have nothing below it. */
  readonly isLast: boolean
  /** What its managed save image would start with. */
  readonly saved: string | undefined
}

export async function lookAtDisk(shell: Shell, vm: Uuid, target: string): Promise<DiskNow> {
  const [state, info, running, next] = await virshBatch(shell, [
    ['domstate', vm, '--reason'],
    ['dominfo', vm],
    ['dumpxml', vm],
    ['dumpxml', vm, '--inactive']
  ])
  const refused = [state, info, running, next].find((answer) => answer?.failed !== false)
  if (refused !== undefined) return saysUnknownDomain(refused.stderr) ? UNKNOWN : askFailed(vm, refused.stderr)
  const now = parseState(state?.stdout ?? '')
  const { persistent, managedSave } = parseDomainInfo(info?.stdout ?? '')
  const isActive = now.state !== 'shut off'
  const live = isActive ? diskIn(running?.stdout ?? '', target) : undefined
  const saved = managedSave ? await managedSaveXml(shell, vm) : undefined
  // For a transient VM libvirt shows the running definition as the next one.
  const defined = persistent ? diskIn(next?.stdout ?? '', target) : undefined
  return {
    state: now,
    isActive,
    live: live?.source,
    chain: live?.chain ?? [],
    nodes: live?.nodes ?? [],
    mirrorTo: live?.mirrorTo,
    defined: defined?.source,
    isLast: defined?.isLast === true,
    saved: saved === undefined ? undefined : diskIn(saved, target)?.source
  }
}

const UNKNOWN: DiskNow = {
  state: undefined,
  isActive: false,
  live: undefined,
  chain: [],
  nodes: [],
  mirrorTo: undefined,
  defined: undefined,
  isLast: false,
  saved: undefined
}

const askFailed = (vm: string, stderr: string): never =>
  fail({ kind: 'command-failed', command: `virsh dumpxml ${vm}`, exitCode: 1, stderr })

const diskIn = (xml: string, target: string): ReturnType<typeof parseDomain>['disks'][number] | undefined =>
  parseDomain(xml).disks.find((disk) => disk.target === target)

type Owner = { readonly vm: Uuid; readonly definition: string }

/**
 * The VM starts with this disk as its earlier definition has it, if it names the overlay now, or if libvirt has written that
 * nothing is below the image, as it does behind a commit of an overlay that it found by itself. The rest stays as it is.
 */
export async function defineSourceAgain(
  shell: Shell,
  owner: Owner,
  target: string,
  now: DiskNow,
  overlay: string
): Promise<void> {
  if (now.live === overlay || (now.defined !== overlay && !isEndedAnew(now, owner, target))) return
  const xml = await domainXml(shell, owner.vm, { inactive: true, securityInfo: true })
  await withXmlFile(restoreDiskSource(xml, target, owner.definition), (path) => defineDomain(shell, path))
  const after = await lookAtDisk(shell, owner.vm, target)
  if (after.defined === overlay)
    fail({ kind: 'bad-output', what: 'virsh define', detail: `${target} still names ${overlay}` })
}

function isEndedAnew({ defined, isLast }: DiskNow, { definition }: Owner, target: string): boolean {
  const former = isLast ? diskIn(definition, target) : undefined
  return former?.source === defined && former?.isLast === false
}

/** The RAM in a managed save image goes with what the overlay held, which is in the image below now. */
export async function redefineSavedImage(
  shell: Shell,
  owner: Owner,
  target: string,
  { saved }: DiskNow,
  overlay: string
): Promise<void> {
  if (saved !== overlay) return
  const xml = (await managedSaveXml(shell, owner.vm)) ?? ''
  await withXmlFile(restoreDiskSource(xml, target, owner.definition), (path) =>
    defineManagedSave(shell, owner.vm, path)
  )
}

/** Records of snapshots that the owner took meanwhile name the image again: what they build on is in it. */
export async function redefineSnapshots(shell: Shell, owner: Owner, target: string, overlay: string): Promise<void> {
  const snapshots = (await snapshotDefinitions(shell, owner.vm)).filter(({ files }) => files.includes(overlay))
  if (snapshots.length === 0) return
  const current = await currentSnapshot(shell, owner.vm)
  for (const { name, xml } of snapshots) {
    await withXmlFile(replaceDiskSource(xml, overlay, target, owner.definition), (path) =>
      redefineSnapshot(shell, owner.vm, path, { current: name === current })
    )
  }
}

const DEFINITIONS = '/etc/libvirt/qemu'

/** libvirt renames a new definition into its folder, and leaves it to the kernel when that lasts. */
export const syncDefinitions = (): Promise<void> => syncDir(DEFINITIONS).catch(() => undefined)
