import type { Document, Element } from '@xmldom/xmldom'
import { fail } from '../shared/failure.ts'
import type { Uuid } from '../shared/model/ids.ts'
import type { RunOptions, Shell } from '../shared/shell.ts'
import { commandFailed, virsh } from './virsh.ts'
import { attribute, elementsIn, parseXml, serializeXml } from './xml.ts'

export type SnapshotDisk =
  | {
      readonly target: string
      readonly overlay: string
      /** libvirt's secret with the key of an overlay that is there already, and encrypted. */
      readonly secret?: string
    }
  /** The disk stays out of the snapshot. libvirt would include every disk that is not named. */
  | { readonly target: string; readonly skip: true }

export interface SnapshotRequest {
  /** libvirt puts it behind the stem of an overlay's name for a disk that is not listed, as one plugged in meanwhile. */
  readonly name: string
  /** Where RAM goes, in the format of `virsh save`. Undefined: disks only. */
  readonly memoryFile?: string
  readonly disks: readonly SnapshotDisk[]
  /** The guest goes on while its RAM is written, and stops only for the last pass. Means nothing without `memoryFile`. */
  readonly live: boolean
  /** Freeze the guest's file systems through its agent; fails if it does not answer. Only without `memoryFile`. */
  readonly quiesce?: boolean
  readonly timeoutMs?: number
  /** Ends virsh, not the job in libvirt: that takes `abortJob`. */
  readonly signal?: AbortSignal
}

/** All disks and RAM at one instant. libvirt keeps no record of it: what undoes it is the caller's journal. */
export async function snapshotCreateAs(shell: Shell, uuid: Uuid, request: SnapshotRequest): Promise<void> {
  await virsh(shell, snapshotArguments(uuid, request), waiting(request))
}

/**
 * The same with overlays that are there already, all of them: what libvirt makes of an encrypted disk by itself is in clear,
 * and virsh cannot say it otherwise but by `snapshotXml`, here in a file. docs: formatsnapshot, `<source>` as in a domain
 */
export async function snapshotOntoOverlays(
  shell: Shell,
  uuid: Uuid,
  xmlPath: string,
  request: SnapshotRequest
): Promise<void> {
  const { memoryFile, live } = request
  const how = memoryFile === undefined ? ['--disk-only'] : live ? ['--live'] : []
  const create = ['snapshot-create', uuid, xmlPath, '--no-metadata', '--atomic', '--reuse-external', ...how] as const
  await virsh(shell, create, waiting(request))
}

export function snapshotXml({ name, memoryFile, disks }: SnapshotRequest): string {
  const document = parseXml('<domainsnapshot><name/><memory/><disks/></domainsnapshot>', 'snapshot XML')
  const [named, memory, list] = elementsIn(document.documentElement ?? undefined)
  if (named !== undefined) named.textContent = name
  memory?.setAttribute('snapshot', memoryFile === undefined ? 'no' : 'external')
  if (memoryFile !== undefined) memory?.setAttribute('file', memoryFile)
  for (const disk of disks) list?.appendChild(diskElement(document, disk))
  return serializeXml(document)
}

function diskElement(document: Document, disk: SnapshotDisk): Element {
  const element = elementOf(document, 'disk', { name: disk.target, snapshot: 'skip' in disk ? 'no' : 'external' })
  if ('skip' in disk) return element
  const source = elementOf(document, 'source', { file: disk.overlay })
  if (disk.secret !== undefined) {
    const encryption = elementOf(document, 'encryption', { format: 'luks' })
    encryption.appendChild(elementOf(document, 'secret', { type: 'passphrase', uuid: disk.secret }))
    source.appendChild(encryption)
  }
  element.setAttribute('type', 'file')
  element.appendChild(elementOf(document, 'driver', { type: 'qcow2' }))
  element.appendChild(source)
  return element
}

function elementOf(document: Document, name: string, attributes: Readonly<Record<string, string>>): Element {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  return element
}

export function snapshotArguments(uuid: Uuid, request: SnapshotRequest): readonly [string, ...string[]] {
  const { name, memoryFile, disks, live, quiesce = false } = request
  const memory = memoryFile === undefined ? ['--disk-only'] : memoryArguments(memoryFile, live)
  return [
    'snapshot-create-as',
    uuid,
    '--name',
    name,
    '--no-metadata',
    '--atomic',
    ...memory,
    ...(quiesce ? ['--quiesce'] : []),
    ...disks.flatMap((disk) => ['--diskspec', diskSpec(disk)])
  ]
}

const memoryArguments = (path: string, live: boolean): string[] => [
  '--memspec',
  `file=${specValue(path)},snapshot=external`,
  ...(live ? ['--live'] : [])
]

function diskSpec(disk: SnapshotDisk): string {
  if ('skip' in disk) return `${specValue(disk.target)},snapshot=no`
  return `${specValue(disk.target)},snapshot=external,driver=qcow2,file=${specValue(disk.overlay)}`
}

/** virsh splits these at commas; a comma that is meant is doubled. */
function specValue(text: string): string {
  if (text === '') fail({ kind: 'usage', message: 'empty target or path in a snapshot' })
  return text.replaceAll(',', ',,')
}

function waiting({ timeoutMs, signal }: SnapshotRequest): RunOptions {
  return { timeoutMs: timeoutMs ?? Infinity, ...(signal !== undefined && { signal }) }
}

export const namesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '')

/** A snapshot that libvirt keeps a record of, with every file that its definition names. */
export interface SnapshotDefinition {
  readonly name: string
  readonly xml: string
  readonly files: readonly string[]
}

/** Snapshots of a domain, parents before their children, as `snapshot-create --redefine` needs them. */
export async function snapshotDefinitions(shell: Shell, uuid: Uuid): Promise<SnapshotDefinition[]> {
  const definitions: SnapshotDefinition[] = []
  for (const name of await snapshotNames(shell, uuid)) {
    const xml = (await virsh(shell, ['snapshot-dumpxml', uuid, name, '--security-info'])).stdout.trim()
    definitions.push({ name, xml, files: filesIn(xml) })
  }
  return definitions
}

export async function snapshotNames(shell: Shell, uuid: Uuid): Promise<string[]> {
  return namesOf((await virsh(shell, ['snapshot-list', uuid, '--name', '--topological'])).stdout)
}

/** Sources of disks and RAM, those of the definitions inside it too. */
function filesIn(xml: string): string[] {
  const root = parseXml(xml, 'snapshot XML').documentElement
  return root === null ? [] : [...new Set(filesBelow(root))]
}

function filesBelow(element: Element): string[] {
  const own = ['source', 'memory'].includes(element.tagName) ? ['file', 'dev'] : []
  return [...own.flatMap((name) => attribute(element, name) ?? []), ...elementsIn(element).flatMap(filesBelow)]
}

/** Changes libvirt's record of a snapshot; no image and no VM is touched. */
export async function redefineSnapshot(
  shell: Shell,
  uuid: Uuid,
  xmlPath: string,
  options: { readonly current: boolean }
): Promise<void> {
  await virsh(shell, ['snapshot-create', uuid, xmlPath, '--redefine', ...(options.current ? ['--current'] : [])])
}

/** Name of the snapshot that the next one will have as its parent. */
export async function currentSnapshot(shell: Shell, uuid: Uuid): Promise<string | undefined> {
  const result = await virsh(shell, ['snapshot-current', uuid, '--name'], { expect: [0, 1] }) // 1: none is current
  if (result.exitCode === 0) return namesOf(result.stdout)[0]
  return /has no current snapshot/.test(result.stderr) ? undefined : commandFailed('virsh snapshot-current', result)
}
