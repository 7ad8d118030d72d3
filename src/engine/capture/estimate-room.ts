import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Shell } from '../../shared/shell.ts'
import { memoryStats } from '../../libvirt/memory-stats.ts'
import type { Need } from '../room/claims.ts'
import { chainBytes, mappedBytes, sampledBytes } from '../room/disk-data.ts'
import { copyPath, imageBelow, memoryPath, type CaptureDisk, type CapturePlan, type StillDisk } from './capture-plan.ts'

const MIB = 1024 ** 2
const GIB = 1024 ** 3

/** A guest that rewrites RAM during the capture makes the image larger than its RAM; most stay well below a quarter. */
const RAM_GROWTH = 1.25
/** A process of QEMU with less in RAM than this has its guest's pages elsewhere: swapped out. */
const SMALLEST_RESIDENT = 32 * MIB

/** What a VM writes while its disks are copied, as a part of what they hold: little as a rule, at worst more. */
const OVERLAY_LIKELY = 0.01
const OVERLAY_WORST = 0.1
const SMALLEST_OVERLAY = 64 * MIB
const LARGEST_OVERLAY = 64 * GIB

/** Bytes that will be written: by what is there now, and if everything grows as much as it can. */
interface Estimate {
  readonly likely: number
  readonly worst: number
}

/**
 * What a backup will write, and where. `isThorough` looks into images for what they hold, where their size on disk was
 * too much: a minute's work for large ones.
 */
export async function needsOf(shell: Shell, plan: CapturePlan, store: string, isThorough: boolean): Promise<Need[]> {
  const needs: Need[] = []
  if (plan.method === 'live' || plan.method === 'classic')
    needs.push(need(store, 'the RAM', await ramOf(shell, plan), memoryPath(plan)))
  for (const disk of plan.disks) {
    const data = await dataOf(shell, disk, isThorough)
    const copy = copyPath(plan, disk)
    needs.push(...(await diskNeeds(plan, disk, data, store, copy)))
  }
  for (const disk of plan.still)
    needs.push(need(store, 'the copy of the disks', await dataOf(shell, disk, isThorough), copyPath(plan, disk)))
  for (const { sizeBytes } of plan.media.map(({ stamp }) => stamp))
    needs.push(need(store, 'the media', { likely: sizeBytes, worst: sizeBytes }))
  return needs
}

const need = (folder: string, forWhat: string, { likely, worst }: Estimate, ...files: string[]): Need => ({
  folder,
  forWhat,
  likelyBytes: likely,
  worstBytes: Math.max(likely, worst),
  files
})

async function diskNeeds(
  plan: CapturePlan,
  disk: CaptureDisk,
  data: Estimate,
  store: string,
  copy: string
): Promise<Need[]> {
  const folder = dirname(disk.sidecar)
  const copied = need(store, 'the copy of the disks', data, copy)
  if (plan.method === 'offline') return [copied]
  if (plan.method !== 'classic')
    return [copied, need(folder, 'what the VM writes meanwhile', overlayOf(disk, data), disk.sidecar)]
  const mirrored = need(folder, 'the mirror of the disks', data, disk.sidecar, copy)
  // Beside the store a mirror is moved into the point, not copied.
  return (await stat(folder)).dev === (await stat(store)).dev ? [mirrored] : [copied, mirrored]
}

/** Twice at worst: committed into a sparse image, it takes its room once more until it is removed. */
function overlayOf({ virtualSizeBytes }: CaptureDisk, data: Estimate): Estimate {
  const part = (bytes: number): number =>
    Math.min(Math.max(SMALLEST_OVERLAY, bytes), LARGEST_OVERLAY, Math.max(virtualSizeBytes, MIB))
  return { likely: part(data.likely * OVERLAY_LIKELY), worst: 2 * part(data.worst * OVERLAY_WORST) }
}

/**
 * Pages that were never touched are not written: what QEMU has in RAM is as much as comes at first. That says nothing
 * where the pages lie in huge pages, which are counted elsewhere, or in swap.
 */
async function ramOf(shell: Shell, { vm, ramBytes, definition }: CapturePlan): Promise<Estimate> {
  const { actualBytes = ramBytes, residentBytes } = await memoryStats(shell, vm)
  const whole = Math.min(ramBytes, actualBytes)
  const isTold = residentBytes !== undefined && residentBytes >= SMALLEST_RESIDENT && !/<hugepages\b/.test(definition)
  return { likely: isTold ? Math.min(whole, residentBytes) : whole, worst: whole * RAM_GROWTH }
}

/** What a copy of the disk will hold. */
async function dataOf(shell: Shell, disk: StillDisk, isThorough: boolean): Promise<Estimate> {
  const { format, virtualSizeBytes } = disk
  const image = imageBelow(disk)
  if (disk.type === 'network') {
    const worst = virtualSizeBytes
    return { worst, likely: (isThorough ? await mappedBytes(shell, image) : undefined) ?? worst }
  }
  if ((await stat(image.path)).isBlockDevice()) {
    const likely = format === 'raw' ? await sampledBytes(image.path, virtualSizeBytes) : await mappedBytes(shell, image)
    return { likely: likely ?? virtualSizeBytes, worst: virtualSizeBytes }
  }
  const worst = (await chainBytes(shell, image)) ?? disk.allocatedBytes
  return { worst, likely: (isThorough ? await mappedBytes(shell, image) : undefined) ?? worst }
}
