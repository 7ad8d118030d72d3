import { open } from 'node:fs/promises'
import { isFailure } from '../../shared/failure.ts'
import type { Shell } from '../../shared/shell.ts'
import { imageChain } from '../../libvirt/qemu-img.ts'
import { mappedDataBytes, type ImageSource } from '../../store/image-map.ts'
import { readExactly } from '../../store/file-io.ts'

const MAP_WITHIN_MS = 20_000

/**
 * What the files of an image and of all below it take on disk, at most all of it: quick, and too much where room is
 * set aside in them that holds nothing yet. Undefined where it cannot be told.
 */
export async function chainBytes(shell: Shell, { path, format }: ImageSource): Promise<number | undefined> {
  return unlessUnknown(async () => {
    const chain = await imageChain(shell, path, { format })
    const takes = chain.reduce((sum, { actualSizeBytes }) => sum + actualSizeBytes, 0)
    return Math.min(takes, chain[0]?.virtualSizeBytes ?? takes)
  })
}

/** Data in it by QEMU's map, whose making takes a while. Undefined where that cannot be told. */
export function mappedBytes(shell: Shell, source: ImageSource): Promise<number | undefined> {
  return unlessUnknown(() => mappedDataBytes(shell, source, MAP_WITHIN_MS))
}

async function unlessUnknown<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (isFailure(error, 'command-failed', 'bad-output', 'timeout')) return undefined
    throw error
  }
}

const SAMPLES = 512
const SAMPLE_BYTES = 65_536

/**
 * About how much of a device is not zero, by looks at places that are evenly spread: no block device says which of its
 * blocks were ever written, be it a thin volume, a file behind a loop device or a plain disk.
 */
export async function sampledBytes(path: string, sizeBytes: number): Promise<number> {
  const looks = Math.min(SAMPLES, Math.floor(sizeBytes / SAMPLE_BYTES))
  if (looks === 0) return sizeBytes
  const device = await open(path, 'r')
  const zeros = Buffer.alloc(SAMPLE_BYTES)
  const buffer = Buffer.alloc(SAMPLE_BYTES)
  try {
    let holding = 0
    for (let look = 0; look < looks; look++) {
      const at = Math.floor((((look + 0.5) / looks) * sizeBytes) / SAMPLE_BYTES) * SAMPLE_BYTES
      await readExactly(device, buffer, at, path)
      if (!buffer.equals(zeros)) holding += 1
    }
    return Math.ceil((holding / looks) * sizeBytes)
  } finally {
    await device.close()
  }
}
