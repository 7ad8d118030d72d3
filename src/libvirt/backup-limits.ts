import { formatBytes } from '../shared/format.ts'
import { isDrive, mediaIn, withoutSavableState, type DomainXml, type XmlDisk } from './domain-xml.ts'
import { qemuNameOf } from './network-source.ts'
import { isPackaged } from './package-paths.ts'

/** Of a VM that is off, another disk may be taken than of one that runs. */
export interface Running {
  readonly isOff: boolean
  /** Protocols that QEMU on its host cannot speak. */
  readonly missingDrivers?: readonly string[]
}

export const withoutDriver = (protocol: string): string =>
  `QEMU on this host has no driver for disks over ${protocol} (packages qemu-block-extra, or qemu-block-${protocol})`

/** Why a disk is in no point, by its definition alone. Undefined: it may be. */
export function whyLeftOut(disk: XmlDisk, { isOff, missingDrivers }: Running): string | undefined {
  if (disk.source === undefined) return 'it has no source'
  if (disk.device === 'lun') return 'it is passed through as a LUN'
  if (disk.isSlice && (!isOff || disk.format !== 'raw'))
    return 'it is a part of a file that holds more; shut off, and raw, it is copied with the whole of it'
  if (disk.shareable && !disk.readOnly && !isOff) return 'other VMs may write to it, so it cannot be held still'
  return whySourceLeftOut(disk, missingDrivers)
}

function whySourceLeftOut(
  { network, type, format }: XmlDisk,
  missingDrivers: readonly string[] = []
): string | undefined {
  if (network !== undefined) {
    const name = qemuNameOf(network, format)
    if ('unsupported' in name) return name.unsupported
    return missingDrivers.includes(network.protocol) ? withoutDriver(network.protocol) : undefined
  }
  return ['file', 'block', 'volume'].includes(type) ? undefined : `sources of type ${type} are not supported yet`
}

/** What is encrypted inside of qcow2 cannot be copied without its key. */
export const whyEncryptedLeftOut = (isInsideQcow2: boolean): string | undefined =>
  isInsideQcow2 ? 'it is encrypted inside of its qcow2 image, which cannot be copied yet' : undefined

/** What the definition does not say: whether its overlay can be encrypted as it is itself. */
const encryptedLimit = ({ target, encrypted, format, readOnly }: XmlDisk, { isOff }: Running): string[] =>
  encrypted && format === 'raw' && !isOff && !readOnly
    ? [
        `Disk ${target} is encrypted, and so is what the VM writes meanwhile: points of the VM as it runs have the disk only where libvirt keeps its secret and gives it out (neither private nor ephemeral), and those of method classic never have`
      ]
    : []

/** Firmware variables and TPM state that lie where no backup reads them, in words, with what follows. */
export function firmwareLimits({ nvram, tpm, tpmState }: DomainXml): string[] {
  const limits: string[] = []
  if (nvram?.type === 'network')
    limits.push(`Its firmware variables lie on a server (${nvram.path}) and are in no point: a restored VM uses those`)
  if (tpmState?.type === 'file')
    limits.push(`The state of its TPM (${tpmState.path}) is in no point: a restored VM uses what is there by then`)
  if (tpm === 'external' || tpm === 'passthrough')
    limits.push(
      `The state of its TPM (${tpm === 'external' ? 'run by another program' : "the host's own"}) is in no point: what it has sealed does not open elsewhere`
    )
  return limits
}

/** Of kernel, initial file system and device tree together: each point has its own. */
export const LARGEST_BOOT_BYTES = 128 * 1024 ** 2

/** Kernels and the like that a point takes: not what comes with the programs of a host, as firmware does. */
export const bootFilesTaken = ({ boot }: Pick<DomainXml, 'boot'>): DomainXml['boot'] =>
  boot.filter(({ path }) => !isPackaged(path))

function bootLimit({ boot }: DomainXml): string[] {
  const taken = bootFilesTaken({ boot })
  const packaged = boot.filter((each) => !taken.includes(each))
  const listed = (files: DomainXml['boot']): string => files.map(({ path }) => path).join(', ')
  const limits: string[] = []
  if (taken.length > 0)
    limits.push(
      `It is started with files of this host (${listed(taken)}): points have them where they are ${formatBytes(LARGEST_BOOT_BYTES)} or less together, otherwise another host needs them too`
    )
  if (packaged.length > 0)
    limits.push(
      `It is started with files that came with programs of this host (${listed(packaged)}): another host needs those programs too`
    )
  return limits
}

/** What no point of this VM holds as it is now, and what a restore will ask for: each a sentence, said before any backup. */
export function backupLimits(domain: DomainXml, running: Running): string[] {
  return [
    ...domain.disks.flatMap((disk) => diskLimit(disk, running)),
    ...ramLimit(domain, running),
    ...firmwareLimits(domain),
    ...domain.sharedFolders.map(
      (path) => `What is in the shared folder ${path} is in no point: a restored VM meets what is there by then`
    ),
    ...bootLimit(domain),
    ...yesLimit(domain),
    ...mediaIn(domain).map(mediumLimit)
  ]
}

function diskLimit(disk: XmlDisk, running: Running): string[] {
  if (isDrive(disk)) return []
  const leftOut = (state: Running): string | undefined =>
    whyLeftOut(disk, state) ?? whyEncryptedLeftOut(disk.encrypted && disk.format === 'qcow2')
  const because = leftOut(running)
  if (because === undefined) return encryptedLimit(disk, running)
  const when = !running.isOff && leftOut({ ...running, isOff: true }) === undefined ? ' while the VM runs' : ''
  return [
    `Disk ${disk.target} is in no point${when}: ${because}. A restore leaves it attached as it is on this host, and out elsewhere`
  ]
}

function ramLimit(domain: DomainXml, { isOff }: Running): string[] {
  const devices = withoutSavableState(domain)
  if (isOff || devices.length === 0) return []
  return [
    `Its RAM is in no point, as it cannot be saved with ${devices.join(', ')}: a restored VM boots from its disks`
  ]
}

/** Those inside of its images, and libvirt's records of all: a copy has what the disk shows, in one image. */
export const snapshotLimit = (names: readonly string[]): string[] =>
  names.length === 0
    ? []
    : [
        `Its snapshots (${names.slice(0, 5).join(', ')}${names.length > 5 ? ', ...' : ''}) are in no point: a restore has what its disks show now`
      ]

const yesLimit = ({ qemuExtensions }: DomainXml): string[] =>
  qemuExtensions.length === 0
    ? []
    : [
        `A restore will need a yes: its definition passes settings to QEMU past libvirt (qemu:${qemuExtensions.join(', qemu:')})`
      ]

/** Why no point holds a medium, also where it is asked for: a restore would not give it to a drive. Undefined: it may. */
export function whyNoMedium({ type, format }: XmlDisk): string | undefined {
  if (type !== 'file') return NO_FILE
  return format === 'raw' ? undefined : `its format is ${format}, and points take media only as plain images (raw)`
}

export const NO_FILE = 'it is no file of this host'

function mediumLimit(disk: XmlDisk & { readonly source: string }): string {
  const because = whyNoMedium(disk)
  const unless = because === undefined ? ' unless that is asked for (--media)' : ''
  return `The medium in ${disk.target} (${disk.source}) is in no point${unless}: ${because === undefined ? '' : `${because}, and `}a restore leaves the drive empty where it is not`
}
