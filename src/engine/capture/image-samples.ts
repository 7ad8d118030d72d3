import { createHash } from 'node:crypto'
import type { Shell } from '../../shared/shell.ts'
import { ownRanges, readPlaces, type Range } from '../../libvirt/qemu-img.ts'
import { isShared, mountAt } from '../room/file-systems.ts'
import { imageBelow, type CaptureDisk } from './capture-plan.ts'
import { withOverlayAccess } from './overlay-keys.ts'

const EVENLY = 256
const PLACE_BYTES = 512
const WINDOW_BYTES = 65_536
const MIB = 1 << 20

/**
 * Where an image is looked at: where partition tables and the heads of first file systems lie, which whoever starts a VM from
 * it writes to, and at evenly spread places. A few hundred small reads, whatever its size.
 */
export function placesOf(virtualSizeBytes: number): Range[] {
  const size = Math.floor(virtualSizeBytes / PLACE_BYTES) * PLACE_BYTES
  const windows = [0, MIB, MIB + WINDOW_BYTES, size - WINDOW_BYTES]
    .filter((start) => start >= 0 && start + WINDOW_BYTES <= size)
    .map((start) => ({ start, length: WINDOW_BYTES }))
  const looks = Math.min(EVENLY, size / PLACE_BYTES)
  const spread = Array.from({ length: looks }, (_, look) => ({
    start: Math.floor((((look + 0.5) / looks) * size) / PLACE_BYTES) * PLACE_BYTES,
    length: PLACE_BYTES
  }))
  return [...windows, ...spread]
}

const READ_WITHIN_MS = 20_000
const HASH_CHARACTERS = 16

/** A hash of each place of the image below the overlay, as a VM would read it. Undefined: it could not be read. */
export async function sampleImage(shell: Shell, disk: CaptureDisk): Promise<string[] | undefined> {
  try {
    const image = { ...imageBelow(disk), direct: disk.type === 'block' }
    const read = await readPlaces(shell, image, placesOf(disk.virtualSizeBytes), READ_WITHIN_MS)
    return read.map((text) => createHash('sha256').update(text).digest('hex').slice(0, HASH_CHARACTERS))
  } catch {
    return undefined
  }
}

/**
 * Whether somebody else has written to the image since these samples: another host leaves no other trace on a device or a
 * server. What the overlay holds itself may have come from there already. Of a file of this host alone others tell. Undefined:
 * another host may have, and what tells cannot be read just now.
 */
export async function sampledElse(
  shell: Shell,
  disk: CaptureDisk,
  samples: readonly string[] | undefined
): Promise<boolean | undefined> {
  if (samples === undefined) return false
  const now = await sampleImage(shell, disk)
  if (now === undefined) return (await othersReach(disk)) ? undefined : false
  const changed = placesOf(disk.virtualSizeBytes).filter((_place, n) => samples[n] !== now[n])
  if (changed.length === 0) return false
  const own = await ownPlaces(shell, disk).catch(() => undefined)
  if (own === undefined) return (await othersReach(disk)) ? undefined : false
  return changed.some((place) => !own.some((range) => overlaps(place, range)))
}

/** Where in the image that lies what the overlay holds: that of an encrypted one begins with a header. */
async function ownPlaces(shell: Shell, disk: CaptureDisk): Promise<Range[]> {
  const own = await withOverlayAccess(shell, disk, (access) => ownRanges(shell, disk.sidecar, access))
  const { payloadAt = 0 } = disk.encryption ?? {}
  return own.map(({ start, length }) => ({ start: start + payloadAt, length }))
}

/** Another host may have the image too: devices may be LUNs. */
export async function othersReach(disk: CaptureDisk): Promise<boolean> {
  if (disk.type !== 'file') return true
  const mount = await mountAt(imageBelow(disk).path)
  return mount === undefined || isShared(mount)
}

const overlaps = (a: Range, b: Range): boolean => a.start < b.start + b.length && b.start < a.start + a.length
