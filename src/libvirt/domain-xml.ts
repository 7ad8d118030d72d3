import type { Element } from '@xmldom/xmldom'
import { fail } from '../shared/failure.ts'
import { Uuid } from '../shared/model/ids.ts'
import type { HeldAutostart } from '../shared/model/twin-vm.ts'
import { heldAutostartIn } from './autostart-note.ts'
import { networkSourceOf, type NetworkSource } from './network-source.ts'
import { wholeNumber } from './numbers.ts'
import { secretNameOf } from './secrets.ts'
import { bytesOf } from './sizes.ts'
import type { XmlLimits } from './xml-scan.ts'
import { attribute, childAt, childrenOf, elementsIn, parseXml, textOf } from './xml.ts'

export interface XmlDisk {
  readonly target: string
  readonly device: string
  readonly type: string
  /** Path or device; for network and volume sources a readable form. Undefined: no medium. */
  readonly source: string | undefined
  /** Of a disk that a server on the network holds. */
  readonly network: NetworkSource | undefined
  /** Of a disk that libvirt finds by the name of a volume in one of its pools. */
  readonly volume: { readonly pool: string; readonly name: string } | undefined
  readonly format: string
  readonly readOnly: boolean
  readonly shareable: boolean
  /** Writes are thrown away when the VM stops. */
  readonly transient: boolean
  /** The image right below the active one, as the live definition lists it. */
  readonly below: { readonly source: string; readonly format: string } | undefined
  /** QEMU encrypts what the VM writes to it. */
  readonly encrypted: boolean
  /** Of libvirt's secrets that its `<encryption>` names: each by UUID, or by what it is for. */
  readonly secrets: readonly string[]
  /** It is a part of its file, which holds more. */
  readonly isSlice: boolean
  /** Images below the active one, as the live definition lists them. */
  readonly chainDepth: number
  /** The definition says that nothing is below its image, and libvirt does not look. */
  readonly isLast: boolean
  /** The active image and those below it, as far as the definition lists them. */
  readonly chain: readonly string[]
  /**
   * libvirt's number for each image of `chain` in the QEMU that runs: it stays through snapshots and commits, and is never
   * given again. Undefined in what is no live definition.
   */
  readonly nodes: readonly (string | undefined)[]
  /** A running copy or commit, in libvirt's words: `copy`, `active commit`. */
  readonly mirror: string | undefined
  /** What that writes to. */
  readonly mirrorTo: string | undefined
}

/** What it holds is a medium, which may be changed while the VM runs. */
export const isDrive = ({ device }: Pick<XmlDisk, 'device'>): boolean => device === 'cdrom' || device === 'floppy'

/** What lies in its drives. */
export const mediaIn = ({ disks }: Pick<DomainXml, 'disks'>): (XmlDisk & { readonly source: string })[] =>
  disks.flatMap((disk) => (isDrive(disk) && disk.source !== undefined ? [{ ...disk, source: disk.source }] : []))

export const BOOT_ROLES = ['kernel', 'initrd', 'dtb'] as const
export type BootRole = (typeof BOOT_ROLES)[number]

/** What Stillpoint reads in a definition. */
export interface DomainXml {
  readonly uuid: Uuid
  readonly name: string
  /** libvirt's id; only a live definition has one. */
  readonly id: number | undefined
  readonly title: string | undefined
  /** What a restore of ours has noted in it. */
  readonly heldAutostart: HeldAutostart | undefined
  readonly memoryBytes: number
  readonly vcpus: number
  readonly virtType: string
  readonly arch: string
  readonly machine: string
  readonly emulator: string | undefined
  readonly cpu: {
    readonly mode: string | undefined
    readonly model: string | undefined
    /** What libvirt does about a host that lacks a part of it: `none`, `partial`, `full`. */
    readonly check: string | undefined
  }
  /** Firmware image. */
  readonly loader: string | undefined
  /** Files of the host that it is started with. */
  readonly boot: readonly { readonly role: BootRole; readonly path: string }[]
  readonly disks: readonly XmlDisk[]
  readonly interfaces: readonly {
    readonly type: string
    readonly source: string | undefined
    readonly mac: string | undefined
  }[]
  /** `path` is a device where `type` is `block`, and a readable form of what lies on a server. */
  readonly nvram: { readonly path: string; readonly template: string | undefined; readonly type: string } | undefined
  readonly tpm: string | undefined
  /** Where the state of its TPM lies, if not where libvirt keeps that of others. */
  readonly tpmState: { readonly type: string; readonly path: string; readonly version: string } | undefined
  /** UUIDs of libvirt's secrets that the state of its TPMs is encrypted with. */
  readonly tpmSecrets: readonly string[]
  readonly agent: 'absent' | 'disconnected' | 'connected'
  /** In words: host devices, shared folders ... */
  readonly devicesWithoutSavableState: readonly string[]
  /** Folders of this host, or what else the definition calls the source. */
  readonly sharedFolders: readonly string[]
  /** What the definition tells QEMU past libvirt: `commandline`, `override`, `capabilities`. */
  readonly qemuExtensions: readonly string[]
  /** Files of this host that serial ports and consoles write to or read. */
  readonly serialFiles: readonly string[]
  /** Every file or device that the definition names as a source, mirrors and backing chains included. */
  readonly allSources: readonly string[]
}

/** The definition of a VM that runs with 300 disks, each with limits of its own. It takes the parser less than the 50 ms that nothing else waits for. */
const OF_A_LOOK: XmlLimits = { characters: 384 * 1024, pieces: 18_000 }

/** Where other things wait meanwhile. @throws `bad-output` if it is no definition of a domain, or one that is too large to be read at once */
export const parseDomainInTurn = (text: string): DomainXml => readDomain(text, OF_A_LOOK)

/** @throws `bad-output` if it is no definition of a domain */
export const parseDomain = (text: string): DomainXml => readDomain(text)

function readDomain(text: string, limits?: XmlLimits): DomainXml {
  const root = parseXml(text, 'domain XML', limits).documentElement ?? undefined
  if (root?.tagName !== 'domain') return fail({ kind: 'bad-output', what: 'domain XML', detail: 'no <domain>' })
  const devices = childAt(root, 'devices')
  const os = childAt(root, 'os')
  return {
    uuid: uuidOf(root),
    name: childAt(root, 'name')?.textContent ?? '',
    id: idOf(root),
    title: textOf(childAt(root, 'title')),
    heldAutostart: heldAutostartIn(root),
    memoryBytes: bytesOf(textOf(childAt(root, 'memory')), attribute(childAt(root, 'memory'), 'unit')),
    vcpus: wholeNumber(textOf(childAt(root, 'vcpu')), 1),
    virtType: attribute(root, 'type') ?? 'kvm',
    arch: attribute(childAt(os, 'type'), 'arch') ?? 'x86_64',
    machine: attribute(childAt(os, 'type'), 'machine') ?? '',
    emulator: textOf(childAt(devices, 'emulator')),
    cpu: {
      mode: attribute(childAt(root, 'cpu'), 'mode'),
      model: textOf(childAt(root, 'cpu', 'model')),
      check: attribute(childAt(root, 'cpu'), 'check')
    },
    loader: textOf(childAt(os, 'loader')),
    boot: BOOT_ROLES.flatMap((role) => {
      const path = textOf(childAt(os, role)) ?? ''
      return path === '' ? [] : [{ role, path }]
    }),
    disks: childrenOf(devices, 'disk').map(diskOf),
    interfaces: childrenOf(devices, 'interface').map(interfaceOf),
    nvram: nvramOf(childAt(os, 'nvram')),
    tpm: attribute(childAt(devices, 'tpm', 'backend'), 'type'),
    tpmState: tpmStateOf(childAt(devices, 'tpm', 'backend')),
    tpmSecrets: childrenOf(devices, 'tpm').flatMap(
      (tpm) => attribute(childAt(tpm, 'backend', 'encryption'), 'secret') ?? []
    ),
    agent: agentOf(devices),
    devicesWithoutSavableState: devicesWithoutSavableState(devices),
    sharedFolders: childrenOf(devices, 'filesystem').map(sharedFolderOf),
    qemuExtensions: qemuExtensionsOf(root),
    serialFiles: serialFilesOf(devices),
    allSources: childrenOf(devices, 'disk').flatMap(sourcesBelow)
  }
}

const QEMU_NAMESPACE = 'http://libvirt.org/schemas/domain/qemu/1.0'
/** What can change what a guest or its QEMU may do; `deprecation` only says how to speak of it. */
const EXTENSIONS: readonly (string | null)[] = ['commandline', 'override', 'capabilities']

/** By their namespace: a definition may give it any prefix. */
const qemuExtensionsOf = (root: Element): string[] =>
  elementsIn(root)
    .filter(({ namespaceURI, localName }) => namespaceURI === QEMU_NAMESPACE && EXTENSIONS.includes(localName))
    .map(({ localName }) => localName ?? '')

function uuidOf(root: Element): Uuid {
  const uuid = Uuid.safeParse(textOf(childAt(root, 'uuid'))?.toLowerCase())
  return uuid.success ? uuid.data : fail({ kind: 'bad-output', what: 'domain XML', detail: 'no UUID' })
}

function idOf(root: Element): number | undefined {
  const id = attribute(root, 'id')
  return id !== undefined && /^\d{1,9}$/.test(id) ? Number(id) : undefined
}

/** The overlay of a transient disk, which libvirt makes as its VM starts and removes as it stops. */
export const isThrownAway = ({ transient, source }: XmlDisk): boolean =>
  transient && source !== undefined && source.slice(source.lastIndexOf('/') + 1).includes('.TRANSIENT-')

function diskOf(disk: Element): XmlDisk {
  const driver = childAt(disk, 'driver')
  return {
    target: attribute(childAt(disk, 'target'), 'dev') ?? '',
    device: attribute(disk, 'device') ?? 'disk',
    type: attribute(disk, 'type') ?? 'file',
    source: sourceOf(childAt(disk, 'source')),
    network: networkSourceOf(disk),
    volume: volumeOf(childAt(disk, 'source')),
    format: attribute(driver, 'type') ?? 'raw',
    readOnly: childAt(disk, 'readonly') !== undefined,
    shareable: childAt(disk, 'shareable') !== undefined,
    transient: childAt(disk, 'transient') !== undefined,
    below: imageBelow(childAt(disk, 'backingStore')),
    encrypted: [disk, childAt(disk, 'source')].some((each) => childAt(each, 'encryption') !== undefined),
    secrets: [disk, childAt(disk, 'source')].flatMap(secretsIn),
    isSlice: childAt(disk, 'source', 'slices') !== undefined,
    chainDepth: chainDepth(disk),
    isLast: endsChain(disk),
    chain: chainOf(disk).map(({ source }) => source),
    nodes: chainOf(disk).map(({ node }) => node),
    mirror: mirrorOf(childAt(disk, 'mirror')),
    mirrorTo: sourceOf(childAt(disk, 'mirror', 'source')) ?? attribute(childAt(disk, 'mirror'), 'file')
  }
}

const secretsIn = (element: Element | undefined): string[] =>
  childrenOf(childAt(element, 'encryption'), 'secret').flatMap((secret) => secretNameOf(secret, 'volume') ?? [])

/** Without a job named it is a copy: what libvirt wrote before it knew others. */
const mirrorOf = (mirror: Element | undefined): string | undefined =>
  mirror === undefined ? undefined : (attribute(mirror, 'job') ?? 'copy').replace('-', ' ')

function sourceOf(source: Element | undefined): string | undefined {
  const path = attribute(source, 'file') ?? attribute(source, 'dev') ?? attribute(source, 'dir')
  if (path !== undefined) return path
  const [protocol, pool] = [attribute(source, 'protocol'), attribute(source, 'pool')]
  if (protocol !== undefined) return `${protocol}:${attribute(source, 'name') ?? ''}`
  return pool === undefined ? undefined : `${pool}/${attribute(source, 'volume') ?? ''}`
}

function volumeOf(source: Element | undefined): XmlDisk['volume'] {
  const [pool, name] = [attribute(source, 'pool'), attribute(source, 'volume')]
  return pool === undefined || name === undefined ? undefined : { pool, name }
}

function imageBelow(backingStore: Element | undefined): XmlDisk['below'] {
  const source = sourceOf(childAt(backingStore, 'source'))
  const format = attribute(childAt(backingStore, 'format'), 'type')
  return source === undefined || format === undefined ? undefined : { source, format }
}

function endsChain(disk: Element): boolean {
  const below = childAt(disk, 'backingStore')
  return below !== undefined && childAt(below, 'source') === undefined
}

function chainDepth(disk: Element): number {
  const below = childAt(disk, 'backingStore')
  return below === undefined || childAt(below, 'source') === undefined ? 0 : 1 + chainDepth(below)
}

/** The number stands in the source of the active image, and beside that of one below it. */
function chainOf(disk: Element): { source: string; node: string | undefined }[] {
  const own = childAt(disk, 'source')
  const source = sourceOf(own)
  if (source === undefined) return []
  const node = attribute(own, 'index') ?? attribute(disk, 'index')
  return [{ source, node }, ...childrenOf(disk, 'backingStore').flatMap(chainOf)]
}

function sourcesBelow(element: Element): string[] {
  const own = sourceOf(childAt(element, 'source'))
  const below = [...childrenOf(element, 'backingStore'), ...childrenOf(element, 'mirror')].flatMap(sourcesBelow)
  const mirror = attribute(childAt(element, 'mirror'), 'file')
  return [own, mirror, ...below].filter((path) => path !== undefined)
}

function interfaceOf(element: Element): DomainXml['interfaces'][number] {
  const source = childAt(element, 'source')
  return {
    type: attribute(element, 'type') ?? '',
    source: attribute(source, 'network') ?? attribute(source, 'bridge') ?? attribute(source, 'dev'),
    mac: attribute(childAt(element, 'mac'), 'address')
  }
}

function nvramOf(nvram: Element | undefined): DomainXml['nvram'] {
  const path = sourceOf(childAt(nvram, 'source')) ?? textOf(nvram)
  return path === undefined || path === ''
    ? undefined
    : { path, template: attribute(nvram, 'template'), type: attribute(nvram, 'type') ?? 'file' }
}

function tpmStateOf(backend: Element | undefined): DomainXml['tpmState'] {
  const source = childAt(backend, 'source')
  const path = attribute(source, 'path')
  if (attribute(backend, 'type') !== 'emulator' || path === undefined) return undefined
  return { type: attribute(source, 'type') ?? 'dir', path, version: attribute(backend, 'version') ?? '2.0' }
}

function sharedFolderOf(filesystem: Element): string {
  const source = childAt(filesystem, 'source')
  const named = ['dir', 'file', 'socket', 'dev', 'name'].map((name) => attribute(source, name))
  return named.find((each) => each !== undefined) ?? 'of an unknown source'
}

function serialFilesOf(devices: Element | undefined): string[] {
  const ports = ['serial', 'console', 'parallel', 'channel'].flatMap((name) => childrenOf(devices, name))
  const paths = ports.flatMap((port) =>
    attribute(port, 'type') === 'file' ? [attribute(childAt(port, 'source'), 'path')] : []
  )
  const logs = ports.map((port) => attribute(childAt(port, 'log'), 'file'))
  return [...new Set([...paths, ...logs].filter((path) => path !== undefined))]
}

const AGENT_CHANNEL = 'org.qemu.guest_agent.0'

function agentOf(devices: Element | undefined): DomainXml['agent'] {
  const targets = childrenOf(devices, 'channel').map((channel) => childAt(channel, 'target'))
  const agent = targets.find((target) => attribute(target, 'name') === AGENT_CHANNEL)
  if (agent === undefined) return 'absent'
  return attribute(agent, 'state') === 'connected' ? 'connected' : 'disconnected'
}

function devicesWithoutSavableState(devices: Element | undefined): string[] {
  const host = childrenOf(devices, 'hostdev').map((device) => `host device (${attribute(device, 'type') ?? 'unknown'})`)
  const shared = childrenOf(devices, 'filesystem').map((share) =>
    attribute(childAt(share, 'driver'), 'type') === 'virtiofs' ? 'shared folder (virtiofs)' : 'shared folder (9p)'
  )
  const nets = childrenOf(devices, 'interface')
    .filter((each) => ['hostdev', 'vdpa', 'vhostuser'].includes(attribute(each, 'type') ?? ''))
    .map((each) => `network card (${attribute(each, 'type') ?? ''})`)
  const memory = childrenOf(devices, 'shmem').map(() => 'memory shared between VMs (shmem)')
  const disks = childrenOf(devices, 'disk')
    .filter((each) => ['vhostuser', 'vhostvdpa', 'nvme'].includes(attribute(each, 'type') ?? ''))
    .map((each) => `disk of the host (${attribute(each, 'type') ?? ''})`)
  const tpms = childrenOf(devices, 'tpm')
    .filter((each) => attribute(childAt(each, 'backend'), 'type') === 'passthrough')
    .map(() => "the host's TPM")
  return [...host, ...shared, ...nets, ...memory, ...disks, ...tpms]
}

/** In words: what of this VM cannot be saved with its RAM. A disk whose writes are thrown away is one of QEMU's own. */
export const withoutSavableState = ({
  devicesWithoutSavableState,
  disks
}: Pick<DomainXml, 'devicesWithoutSavableState' | 'disks'>): string[] => [
  ...devicesWithoutSavableState,
  ...disks.filter(({ transient }) => transient).map(({ target }) => `disk ${target}, whose writes are thrown away`)
]
