import { realpath } from 'node:fs/promises'
import { basename, dirname, extname } from 'node:path'
import type { RestoreSpec, VmCopy } from '../../shared/model/job.ts'
import type { FileAccess, Manifest, PointDisk } from '../../shared/model/point.ts'
import { SIDECAR_MARK } from '../capture/capture-plan.ts'
import { usersOf, type ImageUsers } from '../evidence/image-users.ts'
import { isThere } from '../evidence/presence.ts'
import type { Checklist } from './checklist.ts'
import { Choices } from './choices.ts'
import type { FormerFolder } from './former-folders.ts'
import { IMAGES } from './image-folders.ts'
import type { DisplacedVm, RestoreDisk } from './restore-plan.ts'
import { othersWhoWriteTo } from './who-writes.ts'

/** What is known of each disk's place here. */
export interface DiskRules {
  /** The folder where it was, by target, if that is here. */
  readonly former: ReadonlyMap<string, FormerFolder>
  readonly accessOf: (disk: PointDisk) => FileAccess | undefined
  /** Who needs which file: an image that is not there at the moment has its place too. */
  readonly users: ImageUsers
}

/**
 * A path for each disk: where it was, if images are kept there here, and never over a file that does not make way, nor where a
 * VM has one that is away.
 */
export async function placeDisks(
  spec: RestoreSpec,
  jobId: string,
  manifest: Manifest,
  displaced: readonly DisplacedVm[],
  { former, accessOf, users }: DiskRules
): Promise<RestoreDisk[]> {
  const isFree = freePlaces(displaced, users)
  const placed: RestoreDisk[] = []
  for (const disk of manifest.disks) {
    const untaken = candidates(spec, jobId, manifest, disk, former.get(disk.target)).filter(
      (each) => !placed.some(({ path }) => path === each)
    )
    const path = (await firstOf(untaken, isFree)) ?? `${IMAGES}/${jobId}-${disk.target}.${extension(disk)}`
    const { target, file, virtualSizeBytes } = disk
    const access = accessOf(disk)
    const staged = `${path}${SIDECAR_MARK}${jobId}`
    placed.push({ target, file, virtualSizeBytes, format: formatOf(disk), path, staged, ...(access && { access }) })
  }
  return placed
}

async function firstOf(
  paths: readonly string[],
  isFree: (path: string) => Promise<boolean>
): Promise<string | undefined> {
  for (const path of paths) if (await isFree(path)) return path
  return undefined
}

/** Whether a disk may have this path. What a VM that makes way needs for another image of its own, it needs still. */
function freePlaces(displaced: readonly DisplacedVm[], users: ImageUsers): (path: string) => Promise<boolean> {
  const freed = new Set(displaced.flatMap(({ renames }) => renames.map(({ from }) => from)))
  const makeWay = new Set<string>(displaced.map(({ uuid }) => uuid))
  return async (path) => {
    if (freed.has(path)) return true
    const others = (await usersOf(users, path)).filter(({ uuid, isBase }) => isBase === true || !makeWay.has(uuid))
    return others.length === 0 && !(await isThere(path))
  }
}

/** A folder that the operator names he vouches for, and libvirt's own is the last one left: once he knows who may write to it. */
export async function tellWriters(disks: readonly RestoreDisk[], list: Checklist): Promise<void> {
  for (const folder of new Set(disks.map(({ path }) => dirname(path)))) {
    const real = await realpath(folder).catch(() => undefined)
    const others = real === undefined ? undefined : await othersWhoWriteTo(real)
    if (others !== undefined)
      list.warning(
        'disks',
        `Others than root could exchange the disks while they are written: ${others}. Restore there only if you trust them`
      )
  }
}

/** Where each disk goes; and which of them leave the folder that they were in, where nobody has asked for that. */
export function tellPlaces(
  disks: readonly RestoreDisk[],
  former: ReadonlyMap<string, FormerFolder>,
  spec: RestoreSpec,
  list: Checklist
): void {
  for (const { target, path } of disks) {
    const was = former.get(target)
    const isAsked = askedFolder(spec, target) !== undefined || spec.copy !== undefined
    if (was === undefined || was.use === 'back' || isAsked) list.ok('disks', `${target} goes to ${path}`)
    else if (was.use === 'ask') askForFolder(target, was, list)
    else
      list.warning('disks', `Disk ${target} goes to ${path}: ${was.because}`, {
        fix: 'name that folder with --disk-dir to have it there'
      })
  }
}

/** On another file system, it may fill one that was never meant for images. */
const askForFolder = (target: string, { folder, because }: FormerFolder, list: Checklist): void =>
  list.unmet('disks', true, {
    text: `disk ${target} was in ${folder}: ${because}`,
    fix: 'mount its file system if that is away, or choose where it goes',
    choices: [
      { label: `put it into ${folder} again`, choice: { kind: 'disk-dir', disk: target, dir: folder } },
      ...(folder === IMAGES
        ? []
        : [{ label: `put it into ${IMAGES}`, choice: { kind: 'disk-dir' as const, disk: target, dir: IMAGES } }])
    ]
  })

/** For this disk, else for all. */
const askedFolder = (spec: RestoreSpec, target: string): string | undefined =>
  new Choices(spec).diskDir(target) ?? spec.diskDir

function candidates(
  spec: RestoreSpec,
  jobId: string,
  manifest: Manifest,
  disk: PointDisk,
  former: FormerFolder | undefined
): string[] {
  const folder = askedFolder(spec, disk.target) ?? (former?.use === 'back' ? former.folder : IMAGES)
  const name = spec.copy
    ? `${fileStem(spec.copy)}-${disk.target}.${extension(disk)}`
    : (originalName(disk) ?? `${manifest.vm.uuid}-${disk.target}.${extension(disk)}`)
  const ending = extname(name)
  const stem = name.slice(0, name.length - ending.length)
  return [`${folder}/${name}`, `${folder}/${stem}-${manifest.id}${ending}`, `${folder}/${stem}-${jobId}${ending}`]
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
