import { existsSync } from 'node:fs'
import { basename, dirname, extname } from 'node:path'
import type { RestoreSpec, VmCopy } from '../../shared/model/job.ts'
import type { FileAccess, Manifest, PointDisk } from '../../shared/model/point.ts'
import { SIDECAR_MARK } from '../capture/capture-plan.ts'
import type { DisplacedVm, RestoreDisk } from './restore-plan.ts'

export const IMAGES = '/var/lib/libvirt/images'

/** A path for each disk: where it was, if that folder exists here, and never over a file that does not make way. */
export function placeDisks(
  spec: RestoreSpec,
  jobId: string,
  manifest: Manifest,
  displaced: readonly DisplacedVm[],
  accessOf: (disk: PointDisk) => FileAccess | undefined = () => undefined
): RestoreDisk[] {
  const freed = new Set(displaced.flatMap(({ renames }) => renames.map(({ from }) => from)))
  const taken = new Set<string>()
  const isFree = (path: string): boolean => !taken.has(path) && (freed.has(path) || !existsSync(path))
  return manifest.disks.map((disk) => {
    const path =
      candidates(spec, jobId, manifest, disk).find(isFree) ?? `${IMAGES}/${jobId}-${disk.target}.${extension(disk)}`
    taken.add(path)
    const { target, file, virtualSizeBytes } = disk
    const access = accessOf(disk)
    const staged = `${path}${SIDECAR_MARK}${jobId}`
    return { target, file, virtualSizeBytes, format: formatOf(disk), path, staged, ...(access && { access }) }
  })
}

function candidates(spec: RestoreSpec, jobId: string, manifest: Manifest, disk: PointDisk): string[] {
  const folder = spec.diskDir ?? originalFolder(disk) ?? IMAGES
  const name = spec.copy
    ? `${fileStem(spec.copy)}-${disk.target}.${extension(disk)}`
    : (originalName(disk) ?? `${manifest.vm.uuid}-${disk.target}.${extension(disk)}`)
  const ending = extname(name)
  const stem = name.slice(0, name.length - ending.length)
  return [`${folder}/${name}`, `${folder}/${stem}-${manifest.id}${ending}`, `${folder}/${stem}-${jobId}${ending}`]
}

/** Only an image file has a folder to go back to: block devices are never written over. */
function originalFolder(disk: PointDisk): string | undefined {
  if (disk.originalType !== 'file' || !disk.originalSource.startsWith('/')) return undefined
  const folder = dirname(disk.originalSource)
  return existsSync(folder) ? folder : undefined
}

function originalName({ originalType, originalSource }: PointDisk): string | undefined {
  const name = basename(originalSource)
  return originalType === 'file' && /^[\w+@][\w.+@ -]{0,199}$/.test(name) ? name : undefined
}

/** With some of the UUID in it: two copies that are made at the same time must not choose one file. */
const fileStem = ({ name, uuid }: VmCopy): string =>
  /^[A-Za-z0-9][\w.+@ -]{0,99}$/.test(name) ? `${name}-${uuid.slice(0, 8)}` : uuid

/** The guest's definition asks for the format that the disk had; all others read as qcow2. */
const formatOf = (disk: PointDisk): string => (disk.originalFormat === 'raw' ? 'raw' : 'qcow2')
const extension = formatOf
