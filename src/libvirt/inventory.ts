import { posix } from 'node:path'
import { fail } from '../shared/failure.ts'
import { STATE_DIR } from '../shared/host-paths.ts'
import type { Disk, Domain, Inventory } from '../shared/model/host.ts'
import { Uuid } from '../shared/model/ids.ts'
import type { Shell } from '../shared/shell.ts'
import { backupLimits, snapshotLimit } from './backup-limits.ts'
import { parseMissingDrivers } from './block-drivers.ts'
import { parseJob } from './domain-jobs.ts'
import { parseDomain, type DomainXml, type XmlDisk } from './domain-xml.ts'
import { parseDomainInfo, parseState } from './domains.ts'
import { INVENTORY_SCRIPT } from './inventory-script.ts'
import { parseSessionVms } from './session-vms.ts'
import { namesOf } from './snapshot.ts'

const TIMEOUT_MS = 60_000
const LARGEST_OUTPUT = 64 * 1024 * 1024
const ALWAYS_OF_INTEREST = [STATE_DIR, '/var/lib/libvirt/images']

/**
 * Looks at a host in one round trip, with three virsh processes for up to 100 VMs. Needs no engine there and changes nothing.
 *
 * @throws `unsupported-host` without libvirt, or if it refuses; `timeout` if it does not answer; `bad-output` if what comes back is
 * something else. A VM that cannot be read is in the list with what is known of it.
 */
export async function takeInventory(shell: Shell): Promise<Inventory> {
  const mark = `mark-${crypto.randomUUID()}`
  const takenAt = new Date().toISOString()
  const { stdout } = await shell.run(['sh', '-c', INVENTORY_SCRIPT, 'sh', mark], {
    timeoutMs: TIMEOUT_MS,
    maxOutputBytes: LARGEST_OUTPUT
  })
  return parseInventory(shell.label, stdout, mark, takenAt)
}

/** Pure: what the script of `takeInventory` printed. */
export function parseInventory(host: string, stdout: string, mark: string, takenAt: string): Inventory {
  const sections = sectionsOf(stdout, mark)
  const text = (name: string): string => sections.get(name) ?? ''
  if (!sections.has('begin') || !sections.has('end'))
    return fail({ kind: 'bad-output', what: `the look at ${host}`, detail: excerpt(stdout) })
  if (sections.has('no-virsh'))
    return fail({ kind: 'unsupported-host', host, reason: 'libvirt is not installed: there is no virsh' })
  requireLibvirt(host, text('list-status').trim(), text('version') + text('list'))
  const missingDrivers = parseMissingDrivers(text('missing-drivers'))
  const domains = uuidsOf(sections).flatMap((uuid) => domainOf(uuid, sections, missingDrivers) ?? [])
  const sessionVms = parseSessionVms(text('session-vms'))
  return {
    hostname: text('hostname').trim(),
    machineId: text('machine-id').trim(),
    bootId: text('boot-id').trim(),
    libvirt: /^Using library: libvirt ([\d.]+)$/m.exec(text('version'))?.[1] ?? '',
    qemu: /^Running hypervisor: QEMU ([\d.]+)$/m.exec(text('version'))?.[1] ?? '',
    cpuModel: /:\s*(.*)$/m.exec(text('cpuinfo'))?.[1]?.trim() ?? '',
    cpus: numberOr(text('cpus'), 0),
    memoryBytes: kibibytes(text('meminfo'), 'MemTotal'),
    freeMemoryBytes: kibibytes(text('meminfo'), 'MemAvailable'),
    ...loadOf(text('loadavg')),
    ...timeZoneOf(text('time-zone')),
    os: /^PRETTY_NAME="?(.*?)"?$/m.exec(text('os'))?.[1] ?? '',
    architecture: text('architecture').trim(),
    space: spaceOf(text('df'), domains),
    domains,
    ...(sessionVms.length > 0 && { sessionVms }),
    takenAt
  }
}

/** Text by section: `xml 1111…`. */
function sectionsOf(stdout: string, mark: string): ReadonlyMap<string, string> {
  const [, ...parts] = `\n${stdout}`.split(`\n${mark} `)
  return new Map(
    parts.map((part) => {
      const end = part.indexOf('\n')
      return end === -1 ? [part, ''] : [part.slice(0, end), part.slice(end + 1)]
    })
  )
}

const KILLED = ['124', '137']

function requireLibvirt(host: string, status: string, said: string): void {
  if (status === '0') return
  if (KILLED.includes(status)) fail({ kind: 'timeout', what: `libvirt on ${host}`, afterMs: 10_000 })
  fail({ kind: 'unsupported-host', host, reason: `libvirt does not answer: ${excerpt(said)}` })
}

function uuidsOf(sections: ReadonlyMap<string, string>): Uuid[] {
  const words = (sections.get('list') ?? '').split(/\s+/)
  return words.filter((word) => Uuid.safeParse(word).success)
}

/** Undefined if the VM went away while we looked. */
function domainOf(
  uuid: Uuid,
  sections: ReadonlyMap<string, string>,
  missingDrivers: readonly string[]
): Domain | undefined {
  const text = (name: string): string => sections.get(`${name} ${uuid}`) ?? ''
  if (text('state').trim() === '' && text('xml').trim() === '') return undefined
  const xml = attempt(() => parseDomain(text('xml')))
  const info = attempt(() => parseDomainInfo(text('info')))
  const state = attempt(() => parseState(text('state'))) ?? { state: 'no state', reason: 'not readable' }
  const stats = blockStats(text('stats'))
  const isActive = xml?.id !== undefined
  return {
    uuid,
    name: xml?.name ?? /^Name: +(.*)$/m.exec(text('info'))?.[1] ?? '',
    id: xml?.id,
    state: state.state,
    stateReason: state.reason,
    persistent: info?.persistent ?? true,
    autostart: info?.autostart ?? false,
    ...(info?.autostart === false && xml?.heldAutostart && { heldAutostart: xml.heldAutostart }),
    ramBytes: xml?.memoryBytes ?? kibibytes(text('info'), 'Max memory'),
    vcpus: xml?.vcpus ?? numberOr(/^CPU\(s\): +(\d+)$/m.exec(text('info'))?.[1] ?? '', 0),
    disks: (xml?.disks ?? []).map((disk) => diskOf(disk, isActive, stats.get(disk.target))),
    agent: xml?.agent ?? 'absent',
    snapshots: namesOf(text('snapshots')),
    checkpoints: namesOf(text('checkpoints')),
    job: attempt(() => parseJob(text('job')))?.operation,
    blockJobs: blockJobsOf(xml),
    limits:
      xml === undefined
        ? []
        : [...backupLimits(xml, { isOff: !isActive, missingDrivers }), ...snapshotLimit(namesOf(text('snapshots')))]
  }
}

const DEVICES: readonly string[] = ['disk', 'cdrom', 'floppy', 'lun'] satisfies Disk['device'][]
const TYPES: readonly string[] = ['file', 'block', 'network', 'volume'] satisfies Disk['type'][]

function diskOf(disk: XmlDisk, isActive: boolean, stats: ReadonlyMap<string, number> | undefined): Disk {
  return {
    target: disk.target,
    device: DEVICES.includes(disk.device) ? (disk.device as Disk['device']) : 'disk',
    type: TYPES.includes(disk.type) ? (disk.type as Disk['type']) : 'other',
    source: disk.source,
    format: disk.format,
    readOnly: disk.readOnly,
    shareable: disk.shareable,
    capacityBytes: stats?.get('capacity'),
    // Of a running VM `allocation` is the highest offset written to since its start, `physical` what the file takes;
    // of one that is off `physical` is the file's length, `allocation` what it takes.
    allocationBytes: stats?.get(isActive ? 'physical' : 'allocation'),
    chainDepth: isActive ? disk.chainDepth : undefined
  }
}

/** `block.0.name=vda`, `block.0.capacity=67108864`: numbers by disk. */
function blockStats(text: string): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const names = new Map(
    [...text.matchAll(/^ {2}block\.(\d+)\.name=(.*)$/gm)].map(([, index = '', name = '']) => [index, name])
  )
  const stats = new Map([...names.values()].map((name) => [name, new Map<string, number>()]))
  for (const [, index = '', key = '', value] of text.matchAll(/^ {2}block\.(\d+)\.([a-z]+)=(\d+)$/gm))
    stats.get(names.get(index) ?? '')?.set(key, Number(value))
  return stats
}

const blockJobsOf = (xml: DomainXml | undefined): string[] =>
  (xml?.disks ?? []).flatMap(({ target, mirror }) => (mirror === undefined ? [] : [`${target}: ${mirror}`]))

/** Free space where the VMs' images are and where ours go, each by the file system that it is on. */
function spaceOf(df: string, domains: readonly Domain[]): Inventory['space'] {
  const mounts = [...df.matchAll(/^.+? +(\d+) +\d+ +(\d+) +\d+% +(\/.*)$/gm)].map(([, total, free, mount = '/']) => ({
    mount,
    totalBytes: Number(total),
    freeBytes: Number(free)
  }))
  const files = domains.flatMap(({ disks }) =>
    disks.flatMap(({ type, device, source }) =>
      type === 'file' && device === 'disk' && source !== undefined ? [source] : []
    )
  )
  const folders = new Set([
    ...ALWAYS_OF_INTEREST,
    ...files.filter((path) => path.startsWith('/')).map((path) => posix.dirname(path))
  ])
  return [...folders].flatMap((path) => {
    const on = mounts.filter(({ mount }) => isWithin(path, mount)).sort((a, b) => b.mount.length - a.mount.length)[0]
    return on === undefined ? [] : [{ path, freeBytes: on.freeBytes, totalBytes: on.totalBytes }]
  })
}

const isWithin = (path: string, folder: string): boolean =>
  folder === '/' || path === folder || path.startsWith(`${folder}/`)

function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

const numberOr = (text: string, otherwise: number): number => (/^\d+$/.test(text.trim()) ? Number(text) : otherwise)

/** `0.52 0.58 0.59 1/467 12345`: the average over one minute comes first. */
/** From where `/etc/localtime` leads. A host without one keeps UTC. */
function timeZoneOf(text: string): { timeZone?: string } {
  const name = text.trim().replace(/^.*\/zoneinfo\/(posix\/)?/, '')
  if (name === '') return { timeZone: 'UTC' }
  return /^[A-Za-z0-9_+/-]{1,64}$/.test(name) ? { timeZone: name } : {}
}

function loadOf(text: string): { load?: number } {
  const oneMinute = /^(\d+\.\d+) /.exec(text.trim())?.[1]
  return oneMinute === undefined ? {} : { load: Number(oneMinute) }
}

/** `MemTotal:  8024 kB`, `Max memory:  65536 KiB` */
function kibibytes(text: string, label: string): number {
  return Number(new RegExp(`^${label}: +(\\d+) [kK]i?B$`, 'm').exec(text)?.[1] ?? 0) * 1024
}

const excerpt = (text: string): string => text.trim().slice(0, 300)
