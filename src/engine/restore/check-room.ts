import { lstat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { formatBytes } from '../../shared/format.ts'
import { sizeBytesOf } from '../../shared/model/point.ts'
import type { Shell } from '../../shared/shell.ts'
import { bytesWrittenOut } from '../../libvirt/qemu-img.ts'
import { claimRoom, lookForRoom, type Need, type Shortage } from '../room/claims.ts'
import type { Checklist } from './checklist.ts'
import type { PlanSource } from './plan-source.ts'
import { largeFiles, type RestorePlan } from './restore-plan.ts'

type Written = Pick<RestorePlan, 'disks' | 'nvram' | 'boot' | 'tpm'>

/**
 * Each file system must hold all that goes there: the disks, what lies beside them, and the point if it is still elsewhere. `job` claims the room
 * for itself; without one it is only looked at.
 */
export async function checkRoom(
  shell: Shell,
  source: PlanSource,
  written: Written,
  list: Checklist,
  job: string | undefined
): Promise<void> {
  const needs = await needsOf(shell, source, written)
  const shortages = await (job === undefined ? lookForRoom(needs) : claimRoom(job, needs))
  for (const shortage of shortages) tell(shortage, list)
  if (shortages.length === 0) list.ok('room', `there is room for ${forWhat(needs) || 'it'}`)
}

const forWhat = (needs: readonly Need[]): string => [...new Set(needs.map((need) => need.forWhat))].join(' and ')

function tell({ missingBytes: _, folders: __, isCertain, ...shortage }: Shortage, list: Checklist): void {
  const { path, neededBytes, freeBytes } = shortage
  if (isCertain)
    list.problem(
      'room',
      `${path} has too little room for ${shortage.forWhat}`,
      'free some room there, or name another folder',
      { kind: 'no-room', ...shortage }
    )
  else
    list.warning(
      'room',
      `${path} may have too little room for ${shortage.forWhat}: up to ${formatBytes(neededBytes)}, and ${formatBytes(freeBytes)} are free`
    )
}

async function needsOf(shell: Shell, source: PlanSource, written: Written): Promise<Need[]> {
  const { manifest, dir, isHere } = source
  const sizes = new Map(manifest.files.map(({ path, sizeBytes }) => [path, sizeBytes]))
  const likelyOf = await likelyBytes(source)
  const point = { folder: dirname(dir), forWhat: 'the point', worstBytes: sizeBytesOf(manifest), files: [dir] }
  const writtenOut = await bytesOfDisks(shell, source, written.disks)
  const likely = manifest.files.reduce((sum, { path }) => sum + likelyOf(path), 0)
  return [
    ...(isHere ? [] : [{ ...point, likelyBytes: likely }]),
    ...written.disks.map(({ path, file, staged }) => ({
      folder: dirname(path),
      forWhat: 'the disks',
      likelyBytes: Math.max(likelyOf(file), writtenOut.get(file) ?? 0),
      worstBytes: Math.max(sizes.get(file) ?? 0, writtenOut.get(file) ?? 0),
      files: [staged]
    })),
    ...largeFiles(written, manifest).map(({ file, staged, forWhat, sizeBytes }) => ({
      folder: dirname(staged),
      forWhat,
      likelyBytes: likelyOf(file),
      worstBytes: sizeBytes,
      files: [staged]
    }))
  ]
}

/**
 * What each image takes once it is written: a few bytes of a compressed one may be a disk. Nothing of a point that is still
 * elsewhere; it is asked again when it comes.
 */
async function bytesOfDisks(
  shell: Shell,
  { dir, isHere }: PlanSource,
  disks: RestorePlan['disks']
): Promise<ReadonlyMap<string, number>> {
  const bytes = new Map<string, number>()
  if (isHere)
    for (const { file } of disks) bytes.set(file, await bytesWrittenOut(shell, join(dir, file), { format: 'qcow2' }))
  return bytes
}

/**
 * What a file of the point really holds: the copy of a block device is as long as the device, and mostly empty. Of a
 * point that is elsewhere nobody knows; it is asked again when it comes.
 */
async function likelyBytes({ manifest, dir, isHere }: PlanSource): Promise<(path: string) => number> {
  const unknown = new Set(manifest.disks.flatMap((disk) => (disk.originalType === 'block' ? [disk.file] : [])))
  const likely = new Map<string, number>()
  for (const { path, sizeBytes } of manifest.files) {
    const stats = isHere ? await lstat(join(dir, path)) : undefined
    const bytes = stats === undefined ? (unknown.has(path) ? 0 : sizeBytes) : stats.blocks * 512
    likely.set(path, Math.min(sizeBytes, bytes))
  }
  return (path) => likely.get(path) ?? 0
}
