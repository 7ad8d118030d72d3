import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Uuid } from '../../shared/model/ids.ts'
import type { Manifest } from '../../shared/model/point.ts'
import type { RestoreSpec } from '../../shared/model/job.ts'
import type { Shell } from '../../shared/shell.ts'
import { isDrive, parseDomain, type XmlDisk } from '../../libvirt/domain-xml.ts'
import { domainState, domainXml } from '../../libvirt/domains.ts'
import { tpmFolder } from '../../libvirt/host.ts'
import { itemOf, QEMU } from '../../libvirt/needs/item.ts'
import type { FileNeed, Need, NeedOf } from '../../libvirt/needs/need.ts'
import { needsOf } from '../../libvirt/needs/needs-of.ts'
import { volumePath } from '../../libvirt/volumes.ts'
import { qcow2HeaderAt } from '../evidence/image-users.ts'
import { isPlainPath, type ImageFolders } from './image-folders.ts'
import { diskKey } from './had-here.ts'
import { isUnchanged } from './left-out.ts'
import { isFromPackage, isPackagedBootFile, isPackagedDisc } from './package-files.ts'
import { NVRAM_FOLDER } from './plan-firmware.ts'
import type { RestoreDisk } from './restore-plan.ts'

/** By what a need of a point is judged on this host. */
export interface HostRules {
  readonly shell: Shell
  /** The VM of the point. */
  readonly vm: Uuid
  readonly folders: ImageFolders
  /** Items that this host's own definitions of that VM have already: the running one and that of the next start. */
  readonly own: ReadonlySet<string>
  /** Items that the operator allows by name. */
  readonly allowed: ReadonlySet<string>
  /** What the point knows of the disks that it left out. */
  readonly manifest: Pick<Manifest, 'leftOut'>
  /** Disks that the VM had when this very host took the point, by its own journal; as `diskKey` says them. */
  readonly hadHere: ReadonlySet<string>
  /** Disks that the operator says stay attached, each by its place and item. */
  readonly attached: ReadonlySet<string>
  /** The program of this host that runs the VM, where the point's own is not here. */
  readonly emulator: string | undefined
  /** Disks that the restore itself makes. */
  readonly disks: readonly RestoreDisk[]
  /** Media that it makes, for drives of the VM that only read them. */
  readonly media: ReadonlySet<string>
  /** Firmware variables and boot files that it makes, and where their bytes come from, if they are on this host by now. */
  readonly made: ReadonlyMap<string, string | undefined>
}

/** What the restore makes, and what it runs the VM with. */
export interface Made extends Pick<HostRules, 'emulator' | 'disks' | 'media' | 'attached' | 'manifest' | 'hadHere'> {
  readonly files: readonly { readonly path: string | undefined; readonly from: string | undefined }[]
}

export const hostRules = async (
  shell: Shell,
  { vm, allow }: RestoreSpec,
  folders: ImageFolders,
  { manifest, hadHere, attached, emulator, disks, media, files }: Made
): Promise<HostRules> => ({
  shell,
  vm,
  folders,
  own: await ownItems(shell, vm),
  allowed: new Set(allow),
  manifest,
  hadHere,
  attached,
  emulator,
  disks,
  media,
  made: new Map(files.flatMap(({ path, from }) => (path === undefined ? [] : [[path, from] as const])))
})

/** What this host's own definitions of the VM ask already. */
async function ownItems(shell: Shell, vm: Uuid): Promise<ReadonlySet<string>> {
  if ((await domainState(shell, vm)) === undefined) return new Set()
  // With its passwords: a screen without one is another thing.
  const securityInfo = true
  const definitions = [
    await domainXml(shell, vm, { securityInfo }),
    await domainXml(shell, vm, { inactive: true, securityInfo })
  ]
  return new Set(definitions.flatMap(needsOf).map(itemOf))
}

/**
 * Disks that the operator says stay attached, by place and item: he means the source that he was shown of the one disk of that
 * name, there and nowhere else, and nothing that it brings with it.
 */
export function attachedItems(xml: string, targets: readonly string[] = []): ReadonlySet<string> {
  const { disks } = parseDomain(xml)
  const meant = needsOf(xml).flatMap((need) => {
    const [shown, ...others] = disks.filter(({ target }) => target === (need.kind === 'disk' ? need.target : undefined))
    const isMeant = need.kind === 'disk' && targets.includes(need.target) && need.role === 'image'
    return isMeant && shown !== undefined && others.length === 0 && isAsShown(need, shown) ? [placed(need)] : []
  })
  return new Set(meant)
}

const placed = (need: Need): string => `${need.where} ${itemOf(need)}`

/** Which of its attributes counts depends on its type; the one that was shown does not. */
function isAsShown({ type, source }: NeedOf<'disk'>, shown: XmlDisk): boolean {
  if (type === 'network') return shown.network !== undefined && source.startsWith(shown.source ?? '')
  return (type === 'volume') === (shown.volume !== undefined) && source === shown.source
}

/**
 * Whether a restore may do what the definition of a point asks, without asking back. A point gives no orders: what reaches
 * beyond the storage of VMs has to be in the VM's definition on this host already, the very same, or allowed by name.
 */
export async function isAllowed(need: Need, rules: HostRules): Promise<boolean> {
  if (!(await reachesBeyond(need, rules))) return true
  if (isUnreadable(need)) return false
  const item = itemOf(need)
  return rules.own.has(item) || rules.allowed.has(item) || (need.kind === 'disk' && isAttached(need, rules))
}

/** What libvirt reads in another way than it is shown, nobody can allow: it would be something else that he says yes to. */
export const isUnreadable = ({ kind }: Need): boolean => kind === 'prefixed'

/** An image that names other files asks for more than what was shown of it. */
async function isAttached(need: Need & NeedOf<'disk'>, { shell, attached }: HostRules): Promise<boolean> {
  const { type, source, format = 'raw' } = need
  if (!attached.has(placed(need))) return false
  const path = type === 'volume' ? await pathOfVolume(shell, source) : source
  return format === 'raw' || (type !== 'network' && path !== undefined && standsAlone(path, format))
}

/** Files of the host, its devices, sockets, addresses, programs and labels; not what any host gives any VM. */
async function reachesBeyond(need: Need, rules: HostRules): Promise<boolean> {
  switch (need.kind) {
    case 'disk':
      return !(await isStorage(need, rules))
    case 'file':
      return !(await isHarmlessFile(need, rules))
    case 'firmware':
      return !(await isOwnFirmware(need, rules))
    case 'tpm':
      return !(need.backend === 'emulator' && (need.path === undefined || isOwnTpm(need.path, rules.vm)))
    case 'emulator':
      return !(EMULATOR.test(need.path) || need.path === rules.emulator)
    case 'interface':
      return !isPlainCard(need)
    case 'listen':
      return !isLoopback(need)
    case 'socket':
      return true
    case 'device':
      return need.bus !== 'limit'
    case 'folder':
      return true
    case 'program':
      return !HARMLESS_PROGRAMS.includes(need.path)
    case 'label':
      return !isOrdinaryLabel(need)
    case 'partition':
      return need.path !== '/machine'
    case 'privilege':
      return need.what !== 'locked memory'
    case 'foreign':
      // It only says how QEMU is to speak of what is out of date.
      return !(QEMU.test(need.namespace) && DEPRECATION.test(need.text))
    case 'prefixed':
    case 'control':
    case 'unknown':
      return true
    case 'secret':
    case 'machine':
    case 'cpu':
    case 'memory':
    case 'pin':
    case 'feature':
      return false
  }
}

const DEPRECATION = /^deprecation behavior="[a-z]+"$/

/** The image that the restore writes for this disk, or one in an image folder of this host that is no other VM's. */
async function isStorage(
  need: NeedOf<'disk'>,
  { shell, folders, manifest, hadHere, disks, media, made }: HostRules
): Promise<boolean> {
  const { type, source, device, role, format } = need
  if (role === 'image' && disks.some((disk) => isThisDisk(disk, need))) return true
  if (role === 'image' && media.has(source) && isReadAsItIs(need)) return true
  // What else is made here is there for its own purpose, by its own format.
  if (made.has(source) || disks.some(({ path }) => path === source)) return false
  const path = type === 'file' ? source : type === 'volume' ? await pathOfVolume(shell, source) : undefined
  const access = need.readOnly || device === 'cdrom' ? 'read' : 'write'
  if (path === undefined) return false
  const isRaw = (format ?? 'raw') === 'raw'
  if (device === 'cdrom' && type === 'file' && role === 'image' && isRaw && (await isPackagedDisc(path))) return true
  const isNoted = role === 'image' && hadHere.has(diskKey(need)) && (await isUnchanged(path, need, manifest))
  if (!(await folders.offers(path, access, isNoted))) return false
  // Of a volume its pool may know a format, and QEMU looks at what lies below another image.
  return (format ?? (type === 'file' && role === 'image' ? 'raw' : 'unknown')) === 'raw' || standsAlone(path, format)
}

const isReadAsItIs = ({ type, device, format = 'raw' }: NeedOf<'disk'>): boolean =>
  type === 'file' && isDrive({ device }) && format === 'raw'

const isThisDisk = (disk: RestoreDisk, { type, target, device, source, format }: NeedOf<'disk'>): boolean =>
  type === 'file' &&
  (device === 'disk' || device === 'lun') &&
  disk.target === target &&
  disk.path === source &&
  disk.format === (format ?? 'raw')

function pathOfVolume(shell: Shell, source: string): Promise<string | undefined> {
  const [pool = '', ...name] = source.split('/')
  return volumePath(shell, { pool, name: name.join('/') })
}

/** By its header as it is now: an image names no other file for QEMU to read. Of other formats than qcow2 nobody here can say. */
async function standsAlone(path: string, format: string | undefined): Promise<boolean> {
  if (format !== undefined && format !== 'qcow2') return false
  try {
    const header = await qcow2HeaderAt(path)
    return header === undefined || (header.backingFile === undefined && !header.hasDataFile)
  } catch {
    return false
  }
}

const RANDOM = ['/dev/random', '/dev/urandom', '/dev/hwrng']

async function isHarmlessFile(need: NeedOf<'file'>, { vm, folders, made }: HostRules): Promise<boolean> {
  const { what, path, writes } = need
  if (!writes && made.has(path)) return true
  if (what === 'random numbers' && RANDOM.includes(path)) return true
  if (!writes && (await (isGivenAway(what) ? isPackagedBootFile(path, what) : isFromPackage(path)))) return true
  if (what === 'port' || what === 'log') return isLogOf(path, vm)
  return writes ? false : folders.offers(path, 'read')
}

/** While the VM runs, libvirt makes these QEMU's own: that costs a program its setuid bit, and a service its settings. */
const isGivenAway = (what: FileNeed['what']): boolean =>
  ['kernel', 'initrd', 'device tree', 'ACPI table', 'firmware configuration'].includes(what)

/** A log below /var/log that is called by the VM's own UUID alone: nobody else's, and nobody who reads logs takes it for his. */
const isLogOf = (path: string, vm: string): boolean =>
  isPlainPath(path) && /^\/var\/log\/([\w-]+\/)*[^/]+$/.test(path) && path.endsWith(`/${vm}.log`)

async function isOwnFirmware(need: NeedOf<'firmware'>, { folders, made }: HostRules): Promise<boolean> {
  const { what, path, type, format, writes } = need
  if (what === 'automatic') return true
  if (writes === true) return false
  const isRaw = format === undefined || format === 'raw'
  if (type === 'file' && made.has(path)) {
    const from = made.get(path)
    return isRaw || from === undefined || (await standsAlone(from, format))
  }
  if (what !== 'variables')
    return (
      (await isFromPackage(path)) ||
      ((await folders.offers(path, 'read')) && (isRaw || (await standsAlone(path, format))))
    )
  // libvirt makes new variables where there are none.
  return type === 'file' && isPlainPath(path) && dirname(path) === NVRAM_FOLDER && !existsSync(path)
}

const isOwnTpm = (path: string, vm: string): boolean => isPlainPath(path) && path.startsWith(`${tpmFolder(vm)}/`)

/** QEMU under the names that distributions give it. */
const EMULATOR =
  /^(\/usr)?\/(bin|sbin|libexec|lib64\/xen\/bin)\/(qemu-system-[a-z0-9_]+|qemu-kvm|kvm|kvm-spice)$|^\/run\/libvirt\/nix-emulators\/qemu-system-[a-z0-9_]+$/

/**
 * A network or bridge of the host, or a cable that ends on it. Not `user`: it shows the guest what listens on the host for the
 * host alone, and sends as the host.
 */
function isPlainCard({ type, mode, tap }: NeedOf<'interface'>): boolean {
  if (tap !== undefined) return false
  if (type === 'direct') return mode !== 'passthrough'
  return ['network', 'bridge', 'ethernet', 'internal', 'null'].includes(type)
}

/**
 * Of a screen, which without an address is where the host has set it: on itself alone. Another port is not: programs of the
 * host may look for somebody else behind it.
 */
const isLoopback = ({ address = '', network, purpose }: NeedOf<'listen'>): boolean =>
  purpose !== 'port' && network === undefined && /^(127\.\d+\.\d+\.\d+|::1|localhost|)$/.test(address)

/** An empty path is how a script is switched off. */
const HARMLESS_PROGRAMS = ['', '/usr/libexec/virtiofsd', '/usr/lib/qemu/virtiofsd', '/usr/lib/virtiofsd']

/** One that libvirt makes for this VM alone; and for a source, that it is left as it is. */
const isOrdinaryLabel = ({ where, model, type, label }: NeedOf<'label'>): boolean =>
  where.startsWith('devices/')
    ? label === ''
    : (type === 'dynamic' && !label.includes('baselabel')) || (type === 'none' && model === 'none')
