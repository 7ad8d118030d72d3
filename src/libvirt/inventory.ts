import { posix } from 'node:path'
import { fail, failureOf } from '../shared/failure.ts'
import { STATE_DIR } from '../shared/host-paths.ts'
import { MOST } from '../shared/model/host-limits.ts'
import type { Disk, Domain, Inventory, SessionVm } from '../shared/model/host.ts'
import type { Uuid } from '../shared/model/ids.ts'
import { shorten } from '../shared/safe-text.ts'
import type { Shell } from '../shared/shell.ts'
import { backupLimits, snapshotLimit } from './backup-limits.ts'
import { parseMissingDrivers } from './block-drivers.ts'
import { parseJob } from './domain-jobs.ts'
import { parseDomainInTurn, type DomainXml, type XmlDisk } from './domain-xml.ts'
import { parseDomainInfo, parseState } from './domains.ts'
import { inSlices } from './in-slices.ts'
import { INVENTORY_SCRIPT } from './inventory-script.ts'
import { LARGEST_OUTPUT, LookAnswer, uuidsIn } from './look-answer.ts'
import { exact, wholeNumber } from './numbers.ts'
import { parseSessionVms } from './session-vms.ts'
import { namesOf } from './snapshot.ts'

const TIMEOUT_MS = 60_000
const ALWAYS_OF_INTEREST = [STATE_DIR, '/var/lib/libvirt/images']

/**
 * Looks at a host in one round trip, with three virsh processes for up to 100 VMs. Needs no engine there and changes nothing.
 * Whatever the host prints, this process goes on with other things meanwhile.
 *
 * @throws `unsupported-host` without libvirt, or if it refuses; `timeout` if it does not answer, or so much that it cannot be read
 * in time; `output-too-large`, `bad-output` if what comes back is something else. A VM that cannot be read is in the list with
 * what is known of it.
 */
export async function takeInventory(shell: Shell): Promise<Inventory> {
  const mark = `mark-${crypto.randomUUID()}`
  const takenAt = new Date().toISOString()
  const answer = new LookAnswer(mark)
  let bytes = 0
  const count = (chunk: Uint8Array): void => {
    bytes += chunk.length
    if (bytes > LARGEST_OUTPUT)
      fail({ kind: 'output-too-large', what: `the look at ${shell.label}`, limitBytes: LARGEST_OUTPUT })
  }
  await shell.run(['sh', '-c', INVENTORY_SCRIPT, 'sh', mark], {
    timeoutMs: TIMEOUT_MS,
    onStdout: (chunk) => {
      count(chunk)
      answer.take(chunk)
    },
    // Not kept, and yet not to be listened to without end.
    onStderr: count
  })
  answer.end()
  return inSlices(readInventory(shell.label, answer, takenAt), `reading what ${shell.label} says of its VMs`)
}

/** Pure: what the script of `takeInventory` printed. */
export function parseInventory(host: string, stdout: string, mark: string, takenAt: string): Inventory {
  const answer = new LookAnswer(mark)
  answer.take(Buffer.from(stdout))
  answer.end()
  const steps = readInventory(host, answer, takenAt)
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/** Pure, in steps, each of which reads one VM or less. */
function* readInventory(host: string, answer: LookAnswer, takenAt: string): Generator<undefined, Inventory> {
  const text = (name: string): string => answer.text(name)
  if (!answer.has('begin') || !answer.has('end'))
    return fail({ kind: 'bad-output', what: `the look at ${host}`, detail: excerpt(answer.beginning()) })
  if (answer.has('no-virsh'))
    return fail({ kind: 'unsupported-host', host, reason: 'libvirt is not installed: there is no virsh' })
  requireLibvirt(host, text('list-status').trim(), text('version') + text('list'))
  const missingDrivers = parseMissingDrivers(text('missing-drivers'))
  const uuids = uuidsIn(text('list'))
  const budget = { left: MOST.detail }
  const domains: Domain[] = []
  for (const uuid of uuids.slice(0, MOST.vms)) {
    const domain = domainOf(uuid, answer, missingDrivers)
    if (domain !== undefined) domains.push(within(budget, domain))
    yield
  }
  const space = spaceOf(text('df'), domains)
  yield
  return { ...factsOf(text), space, domains, ...seenBeside(uuids, parseSessionVms(text('session-vms'))), takenAt }
}

type HostFacts = Omit<Inventory, 'space' | 'domains' | 'takenAt' | 'sessionVms' | 'limits'>

function factsOf(text: (section: string) => string): HostFacts {
  const line = (said: string | undefined): string => shorten(said?.trim() ?? '', MOST.name)
  return {
    hostname: line(text('hostname')),
    machineId: line(text('machine-id')),
    bootId: line(text('boot-id')),
    libvirt: line(/^Using library: libvirt ([\d.]+)$/m.exec(text('version'))?.[1]),
    qemu: line(/^Running hypervisor: QEMU ([\d.]+)$/m.exec(text('version'))?.[1]),
    cpuModel: line(/:[ \t]*(.*)$/m.exec(text('cpuinfo'))?.[1]),
    cpus: wholeNumber(text('cpus').trim(), 0),
    memoryBytes: kibibytes(text('meminfo'), 'MemTotal'),
    freeMemoryBytes: kibibytes(text('meminfo'), 'MemAvailable'),
    ...loadOf(text('loadavg')),
    ...timeZoneOf(text('time-zone')),
    os: line(/^PRETTY_NAME="?(.*?)"?$/m.exec(text('os'))?.[1]),
    architecture: line(text('architecture'))
  }
}

function seenBeside(
  uuids: readonly Uuid[],
  sessionVms: readonly SessionVm[]
): Pick<Inventory, 'limits' | 'sessionVms'> {
  const limits =
    uuids.length > MOST.vms
      ? [`Its libvirt lists ${uuids.length} VMs: only the first ${MOST.vms} are shown and can be backed up from here`]
      : []
  return { ...(limits.length > 0 && { limits }), ...(sessionVms.length > 0 && { sessionVms }) }
}

const KILLED = ['124', '137']

function requireLibvirt(host: string, status: string, said: string): void {
  if (status === '0') return
  if (KILLED.includes(status)) fail({ kind: 'timeout', what: `libvirt on ${host}`, afterMs: 10_000 })
  fail({ kind: 'unsupported-host', host, reason: `libvirt does not answer: ${excerpt(said)}` })
}

/** Undefined if the VM went away while we looked. */
function domainOf(uuid: Uuid, answer: LookAnswer, missingDrivers: readonly string[]): Domain | undefined {
  const text = (name: string): string => answer.text(`${name} ${uuid}`)
  const isCut = (name: string): boolean => answer.isCut(`${name} ${uuid}`)
  const isGone = text('state').trim() === '' && text('xml').trim() === ''
  if (isGone && !isCut('state') && !isCut('xml')) return undefined
  const definition = definitionOf(text('xml'), isCut('xml'))
  const xml = 'unread' in definition ? undefined : definition
  const info = attempt(() => parseDomainInfo(text('info')))
  const state = attempt(() => parseState(text('state'))) ?? { state: 'no state', reason: 'not readable' }
  const stats = blockStats(text('stats'))
  const isActive = xml?.id !== undefined
  const snapshots = namesIn(text('snapshots'))
  return {
    uuid,
    name: shorten(xml?.name ?? /^Name: +(.*)$/m.exec(text('info'))?.[1] ?? uuid, MOST.name),
    id: xml?.id,
    state: state.state,
    stateReason: shorten(state.reason, MOST.name),
    persistent: info?.persistent ?? true,
    autostart: info?.autostart ?? false,
    ...(info?.autostart === false && xml?.heldAutostart && { heldAutostart: xml.heldAutostart }),
    ramBytes: xml?.memoryBytes ?? kibibytes(text('info'), 'Max memory'),
    vcpus: xml?.vcpus ?? wholeNumber(/^CPU\(s\): +(\d+)$/m.exec(text('info'))?.[1], 0),
    disks: (xml?.disks ?? []).map((disk) => diskOf(disk, isActive, stats.get(disk.target))),
    agent: xml?.agent ?? 'absent',
    snapshots,
    checkpoints: namesIn(text('checkpoints')),
    job: attempt(() => parseJob(text('job')))?.operation,
    blockJobs: blockJobsOf(xml),
    limits:
      'unread' in definition
        ? [definition.unread]
        : [...backupLimits(definition, { isOff: !isActive, missingDrivers }), ...snapshotLimit(snapshots)]
  }
}

/** Or why it cannot be read, which hides what only it says of this VM, and nothing else. */
function definitionOf(text: string, isCut: boolean): DomainXml | { readonly unread: string } {
  const unread = (because: string): { unread: string } => ({
    unread: `Its definition cannot be read, so that its disks are not shown: ${because}`
  })
  if (isCut)
    return unread('it is larger than the 384 KiB that a VM with 300 disks takes, or all of its host are together')
  try {
    return parseDomainInTurn(text)
  } catch (error) {
    const failure = failureOf(error)
    return unread(failure.kind === 'bad-output' ? failure.detail : 'it is no definition')
  }
}

const namesIn = (text: string): string[] =>
  namesOf(text)
    .slice(0, MOST.snapshots)
    .map((name) => shorten(name, MOST.name))

/** As much of a VM as there is still room for: one that says more than a VM can is cut, and so is a host. */
function within(budget: { left: number }, domain: Domain): Domain {
  const disks = domain.disks.slice(0, MOST.disks)
  const limits = domain.limits.slice(0, MOST.limits).map((limit) => shorten(limit, MOST.sentence))
  const more = domain.disks.length - disks.length
  if (more > 0) limits.unshift(`It has ${more} more disks than the ${MOST.disks} that are shown`)
  const length = charactersIn(disks) + limits.join('').length
  if (length > budget.left)
    return {
      ...domain,
      disks: [],
      blockJobs: [],
      limits: ['Its disks are not shown: its host says too much of its VMs']
    }
  budget.left -= length
  return { ...domain, disks, limits, blockJobs: domain.blockJobs.slice(0, MOST.disks) }
}

const charactersIn = (disks: readonly Disk[]): number =>
  disks.reduce(
    (sum, { target, source, format }) => sum + 200 + target.length + (source?.length ?? 0) + format.length,
    0
  )

const DEVICES: readonly string[] = ['disk', 'cdrom', 'floppy', 'lun'] satisfies Disk['device'][]
const TYPES: readonly string[] = ['file', 'block', 'network', 'volume'] satisfies Disk['type'][]

function diskOf(disk: XmlDisk, isActive: boolean, stats: ReadonlyMap<string, number> | undefined): Disk {
  return {
    target: shorten(disk.target, MOST.name),
    device: DEVICES.includes(disk.device) ? (disk.device as Disk['device']) : 'disk',
    type: TYPES.includes(disk.type) ? (disk.type as Disk['type']) : 'other',
    source: disk.source === undefined ? undefined : shorten(disk.source, MOST.path),
    format: shorten(disk.format, MOST.name),
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
    [...text.matchAll(/^ {2}block\.(\d{1,9})\.name=(.*)$/gm)].map(([, index = '', name = '']) => [index, name])
  )
  const stats = new Map([...names.values()].map((name) => [name, new Map<string, number>()]))
  for (const [, index = '', key = '', value] of text.matchAll(/^ {2}block\.(\d{1,9})\.([a-z]+)=(\d+)$/gm))
    stats.get(names.get(index) ?? '')?.set(key, wholeNumber(value, 0))
  return stats
}

const blockJobsOf = (xml: DomainXml | undefined): string[] =>
  (xml?.disks ?? []).flatMap(({ target, mirror }) =>
    mirror === undefined ? [] : [shorten(`${target}: ${mirror}`, MOST.name)]
  )

interface Mount {
  readonly mount: string
  readonly totalBytes: number
  readonly freeBytes: number
}

/** Of containers there may be many. */
const MOST_MOUNTS = 4000
/** Folders that images are in: the host's own come first. */
const MOST_FOLDERS = 256

/** `/dev/sda1 1000 400 600 40% /`: the name of the file system may have blanks in it, and so may its place. */
function mountOf(line: string): Mount[] {
  if (line.length > 2 * MOST.path) return []
  const [, total, free, mount] = / (\d{1,30}) +\d{1,30} +(\d{1,30}) +\d{1,3}% +(\/.*)$/.exec(line) ?? []
  if (mount === undefined) return []
  return [{ mount, totalBytes: wholeNumber(total, 0), freeBytes: wholeNumber(free, 0) }]
}

/** Free space where the VMs' images are and where ours go, each by the file system that it is on. */
function spaceOf(df: string, domains: readonly Domain[]): Inventory['space'] {
  const folders = [...new Set([...ALWAYS_OF_INTEREST, ...imageFolders(domains)])].slice(0, MOST_FOLDERS)
  const on = mountsOf(folders, df.split('\n', MOST_MOUNTS).flatMap(mountOf))
  return folders.flatMap((path) => {
    const mount = on.get(path)
    return mount === undefined ? [] : [{ path, freeBytes: mount.freeBytes, totalBytes: mount.totalBytes }]
  })
}

/**
 * The innermost mount around each folder. In the order of their names whatever is in a mount comes right behind it, so that each
 * is compared with those mounts only which the one before it is in.
 */
function mountsOf(folders: readonly string[], mounts: readonly Mount[]): ReadonlyMap<string, Mount> {
  const places = [
    ...mounts.map((mount) => ({ path: withSlash(mount.mount), mount })),
    ...folders.map((folder) => ({ path: withSlash(folder), folder }))
  ].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  const on = new Map<string, Mount>()
  const around: { readonly path: string; readonly mount: Mount }[] = []
  for (const place of places) {
    while (around.length > 0 && !place.path.startsWith(around.at(-1)?.path ?? '')) around.pop()
    const innermost = around.at(-1)
    // Of two in one place the first counts.
    if ('mount' in place) around.push(place.path === innermost?.path ? innermost : place)
    else if (innermost !== undefined) on.set(place.folder, innermost.mount)
  }
  return on
}

const withSlash = (path: string): string => (path.endsWith('/') ? path : `${path}/`)

const imageFolders = (domains: readonly Domain[]): string[] =>
  domains.flatMap(({ disks }) =>
    disks.flatMap(({ type, device, source }) =>
      type === 'file' && device === 'disk' && source?.startsWith('/') === true ? [posix.dirname(source)] : []
    )
  )

function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

/** From where `/etc/localtime` leads. A host without one keeps UTC. */
function timeZoneOf(text: string): { timeZone?: string } {
  const name = text.trim().replace(/^.*\/zoneinfo\/(posix\/)?/, '')
  if (name === '') return { timeZone: 'UTC' }
  return /^[A-Za-z0-9_+/-]{1,64}$/.test(name) ? { timeZone: name } : {}
}

/** `0.52 0.58 0.59 1/467 12345`: the average over one minute comes first. */
function loadOf(text: string): { load?: number } {
  const oneMinute = /^(\d{1,7}\.\d{1,7}) /.exec(text.trim())?.[1]
  return oneMinute === undefined ? {} : { load: Number(oneMinute) }
}

/** `MemTotal:  8024 kB`, `Max memory:  65536 KiB` */
function kibibytes(text: string, label: string): number {
  return exact(wholeNumber(new RegExp(`^${label}: +(\\d+) [kK]i?B$`, 'm').exec(text)?.[1], 0) * 1024)
}

const excerpt = (text: string): string => text.trim().slice(0, 300)
