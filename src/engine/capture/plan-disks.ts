import { stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { fail, failureOf, isFailure } from '../../shared/failure.ts'
import type { BackupSpec } from '../../shared/model/job.ts'
import type { Method } from '../../shared/model/point.ts'
import type { Shell } from '../../shared/shell.ts'
import { whyEncryptedLeftOut, whyLeftOut, withoutDriver } from '../../libvirt/backup-limits.ts'
import { hasDriver } from '../../libvirt/block-drivers.ts'
import type { DomainXml, XmlDisk } from '../../libvirt/domain-xml.ts'
import { qemuNameOf, type NetworkSource } from '../../libvirt/network-source.ts'
import { imageInfo, isLocked, servedImageInfo, type ImageInfo } from '../../libvirt/qemu-img.ts'
import { volumePath } from '../../libvirt/volumes.ts'
import { lookAtChain } from '../../store/image-map.ts'
import { openersOf } from '../evidence/image-users.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { whyNoLogin } from '../server-logins.ts'
import { encryptionFor } from './overlay-keys.ts'
import { SIDECAR_MARK, type CaptureDisk, type CapturePlan, type StillDisk } from './capture-plan.ts'

const FALLBACK_FOLDER = '/var/lib/libvirt/images'

/**
 * Looks at each disk that the job wants: how it is taken, or why it is left out, which is warned of.
 *
 * @throws `preflight` for what would make the copy fail later, `no-disks` if nothing is left to take
 */
export async function planDisks(
  job: JobContext<BackupSpec>,
  domain: DomainXml,
  method: Method
): Promise<Pick<CapturePlan, 'disks' | 'still' | 'excluded'>> {
  const wanted = wantedDisks(job.spec, domain)
  const looks = await Promise.all(wanted.map((disk) => look(job, disk, method)))
  const leftOut = looks.flatMap((each) => ('because' in each ? [each] : []))
  const disks = looks.flatMap((each) => ('overlaid' in each ? [each.overlaid] : []))
  const still = looks.flatMap((each) => ('still' in each ? [each.still] : []))
  if (disks.length + still.length === 0)
    fail({ kind: 'no-disks', vm: domain.name, leftOut: leftOut.map(({ target, because }) => ({ target, because })) })
  for (const { target, because } of leftOut) job.warn(`Disk ${target} is not in the point: ${because}`)
  const taken = new Set([...disks, ...still].map(({ target }) => target))
  return { disks, still, excluded: domain.disks.map(({ target }) => target).filter((target) => !taken.has(target)) }
}

function wantedDisks({ includeDisks, excludeDisks = [], vmName }: BackupSpec, domain: DomainXml): XmlDisk[] {
  const disks = domain.disks.filter(({ device }) => device === 'disk' || device === 'lun')
  for (const name of [...(includeDisks ?? []), ...excludeDisks])
    if (!disks.some(({ target }) => target === name)) fail({ kind: 'not-found', what: 'disk', name, where: vmName })
  return disks.filter(({ target }) => (includeDisks?.includes(target) ?? true) && !excludeDisks.includes(target))
}

interface LeftOut {
  readonly target: string
  readonly because: string
}
type Look = { readonly overlaid: CaptureDisk } | { readonly still: StillDisk } | LeftOut

async function look(job: JobContext<BackupSpec>, disk: XmlDisk, method: Method): Promise<Look> {
  const leftOut = (because: string): LeftOut => ({ target: disk.target, because })
  const running = { isOff: method === 'offline' }
  const obvious = whyLeftOut(disk, running)
  if (obvious !== undefined) return leftOut(obvious)
  const place = await placeOf(job.shell, disk)
  if ('because' in place) return leftOut(place.because)
  const info = await infoOf(job.shell, disk.target, place)
  const because = (await writtenByOthers(job.shell, disk, place)) ?? whyEncryptedLeftOut(info.encrypted)
  if (because !== undefined) return leftOut(because)
  const still = stillDisk(disk, place, info)
  if (method !== 'offline' && (disk.readOnly || disk.transient)) return { still }
  const overlaid = { ...still, sidecar: sidecarOf(still, job.id) }
  if (method === 'offline' || !disk.encrypted) return { overlaid }
  const locked = await encryptionFor(job.shell, disk, still, method)
  return 'because' in locked ? leftOut(locked.because) : { overlaid: { ...overlaid, ...locked } }
}

/** Where a disk lies: in `source` as the VM's definition names it. */
type Place = Pick<StillDisk, 'source' | 'format' | 'type' | 'image'>

async function placeOf(shell: Shell, disk: XmlDisk): Promise<Place | { because: string }> {
  const { source = '', format, target } = disk
  if (disk.network !== undefined) {
    const name = qemuNameOf(disk.network, format)
    const because = 'unsupported' in name ? name.unsupported : await whyNoServer(shell, disk.network)
    return 'unsupported' in name || because !== undefined
      ? { because: because ?? '' }
      : { source, format, type: 'network', image: name.image }
  }
  if (disk.transient && disk.below !== undefined) return placeHere(target, disk.below.source, disk.below.format)
  if (disk.volume !== undefined) return placeOfVolume(shell, disk, disk.volume)
  return placeHere(target, source, format)
}

/** As far as this host knows without asking the server. */
async function whyNoServer(shell: Shell, { protocol, login }: NetworkSource): Promise<string | undefined> {
  if (!(await hasDriver(shell, protocol))) return withoutDriver(protocol)
  return login === undefined ? undefined : whyNoLogin(shell, login.secret)
}

async function placeOfVolume(
  shell: Shell,
  { source = '', format, target }: XmlDisk,
  volume: NonNullable<XmlDisk['volume']>
): Promise<Place | { because: string }> {
  const path = await volumePath(shell, volume)
  if (path === undefined) return { because: `libvirt does not find its volume ${volume.name} in pool ${volume.pool}` }
  if (!path.startsWith('/')) return { because: `its volume is no file or device of this host (${path})` }
  return { ...(await placeHere(target, path, format)), source, image: path }
}

/** A definition may call a device a file; overlays never go beside a device. */
async function placeHere(target: string, source: string, format: string): Promise<Place> {
  const file = await stat(source).catch((error: unknown) => {
    const failure = failureOf(error)
    return preflight(
      `The image of ${target} cannot be looked at: ${failure.kind === 'io' ? failure.detail : source}`,
      `Put it where the definition names it, or leave the disk out (--exclude ${target}).`
    )
  })
  return { source, format, type: file.isBlockDevice() ? 'block' : 'file' }
}

const preflight = (text: string, fix: string): never => fail({ kind: 'preflight', problems: [{ text, fix }] })

/** Also opens all that lies below it, as the copy will: better known before anything is touched. */
async function infoOf(shell: Shell, target: string, place: Place): Promise<ImageInfo> {
  if (place.type === 'network') return servedInfo(shell, target, place)
  const { format } = place
  const path = place.image ?? place.source
  const info = await imageInfo(shell, path, { format })
  try {
    return { ...info, ...(await lookAtChain(shell, { path, format })) }
  } catch (error) {
    if (!isFailure(error, 'bad-output')) throw error
    return preflight(
      `The image of ${target} (${error.failure.what}): ${error.failure.detail}`,
      `Write the format into it while the VM is off: qemu-img rebase -u -b BACKING_FILE -F FORMAT ${error.failure.what}`
    )
  }
}

/** The VM is the server's client already; many servers take one only. */
async function servedInfo(shell: Shell, target: string, { source, image = '', format }: Place): Promise<ImageInfo> {
  return servedImageInfo(shell, image, { format }).catch((error: unknown) => {
    if (!isFailure(error, 'timeout', 'command-failed')) throw error
    const said = error.failure.kind === 'timeout' ? 'it does not answer' : error.failure.stderr.split('\n').at(-1)
    return preflight(
      `The server of ${target} (${source}) does not let a second reader in (${said ?? ''})`,
      `Let it take more than one client (qemu-nbd --shared=2), or leave the disk out (--exclude ${target}).`
    )
  })
}

/** A disk that this VM does not write to may be another's, which does: then no copy of it is of one instant. */
async function writtenByOthers(
  shell: Shell,
  disk: XmlDisk,
  { source, image, format, type }: Place
): Promise<string | undefined> {
  const path = image ?? source
  if (type === 'network' || !(disk.readOnly || disk.shareable)) return undefined
  const [writer] = (await openersOf(path)).filter(({ writes }) => writes)
  if (writer !== undefined) return `${writer.program} (process ${writer.pid}) has it open for writing`
  return (await isLocked(shell, path, format)) === true
    ? 'somebody else has it open for writing, perhaps on another host'
    : undefined
}

const stillDisk = ({ target, nodes: [node] }: XmlDisk, place: Place, info: ImageInfo): StillDisk => ({
  target,
  ...place,
  ...(node !== undefined && { node }),
  virtualSizeBytes: info.virtualSizeBytes,
  allocatedBytes: place.type === 'file' ? info.actualSizeBytes : info.virtualSizeBytes
})

function sidecarOf({ target, source, image, type }: StillDisk, jobId: string): string {
  const path = image ?? source
  const beside = type === 'file' ? path : `${FALLBACK_FOLDER}/${target}`
  return `${dirname(beside)}/${basename(beside)}${SIDECAR_MARK}${jobId}`
}
