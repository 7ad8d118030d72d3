import { realpath } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { PointDisk } from '../../shared/model/point.ts'
import { disksWithout, type HeldDisk } from '../../shared/retention/coverage.ts'
import type { Shell } from '../../shared/shell.ts'
import { imageChain } from '../../libvirt/qemu-img.ts'
import { listPointsOf } from '../../store/point-store.ts'
import { identityOf, isSameFile, type FileIdentity } from '../evidence/file-identity.ts'
import { imageBelow, type CapturePlan, type StillDisk } from './capture-plan.ts'

/** What the newest point of this VM in the same store has of disks that this one will not have, or perhaps not have. */
export async function changesSinceLastPoint(
  shell: Shell,
  { vm, pointDir, disks, still }: Pick<CapturePlan, 'vm' | 'pointDir' | 'disks' | 'still'>
): Promise<string[]> {
  const { points } = await listPointsOf(dirname(dirname(pointDir)), vm)
  const last = points.at(-1)
  if (last === undefined) return []
  const now = [...disks, ...still]
  const missing = disksWithout(last.disks.map(heldBefore), now.map(heldNow))
  const lacking = missing.map((disk) => nameOf(disk, now))
  const kept = last.disks.filter(({ target }) => !missing.some((disk) => disk.target === target))
  const texts = await Promise.all(kept.map((disk) => otherImage(shell, last.id, disk, now)))
  return [
    ...(lacking.length === 0
      ? []
      : [
          `The last point of this VM has ${lacking.join(', ')}, and this one has not: keep that one until you know why`
        ]),
    ...texts.flat()
  ]
}

const heldBefore = ({ target, originalSource }: PointDisk): HeldDisk => ({ target, source: originalSource })
/** As a point names it. */
const sourceOf = (disk: StillDisk): string => (disk.type === 'network' ? disk.source : imageBelow(disk).path)
const heldNow = (disk: StillDisk): HeldDisk => ({ target: disk.target, source: sourceOf(disk) })

/** Its source too, where another disk has its target now. */
const nameOf = ({ target, source }: HeldDisk, now: readonly StillDisk[]): string =>
  now.some((disk) => disk.target === target) ? `${target} (${source})` : target

/** An image that was moved is not where it was any more. One that still lies there may hold what this point will not. */
async function otherImage(
  shell: Shell,
  point: string,
  before: PointDisk,
  now: readonly StillDisk[]
): Promise<string[]> {
  const { target, originalSource: source } = before
  const disk = now.find((each) => each.target === target)
  const isTaken = now.some((each) => sourceOf(each) === source)
  if (disk === undefined || isTaken || !(await mayBeAnother(shell, before, disk))) return []
  return [
    `${target} was ${source} in point ${point} and is ${sourceOf(disk)} now, and ${source} is still there: if that is another disk, pin that point (stillpoint pin ${point}), as newer ones do not have it`
  ]
}

/**
 * Not one that was removed, nor the same under another name, nor the image below an overlay that its owner has made. What
 * the point names is looked at and never opened.
 */
async function mayBeAnother(shell: Shell, before: PointDisk, disk: StillDisk): Promise<boolean> {
  const source = before.originalSource
  if (!source.startsWith('/')) return false
  const file = await behind(source)
  if (file === undefined || isSameFile(file, await behind(sourceOf(disk)))) return false
  return disk.type === 'network' || !(await isBelow(shell, source, disk))
}

/** The file that a path leads to. Undefined: there is none. */
const behind = async (path: string): Promise<FileIdentity | undefined> =>
  identityOf(await realpath(path).catch(() => path))

/** A chain that cannot be read shows nothing. */
async function isBelow(shell: Shell, source: string, disk: StillDisk): Promise<boolean> {
  const { path, format } = imageBelow(disk)
  const layers = await imageChain(shell, path, { format }).catch(() => [])
  return layers.some((layer) => layer.path === source)
}
