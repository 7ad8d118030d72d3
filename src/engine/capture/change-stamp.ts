import { readFile, stat } from 'node:fs/promises'
import { imageBelow, type StillDisk } from './capture-plan.ts'

/** Differs after the image was written to. Of a disk on a server nothing is known, so that it stays the same. */
export const changeStamp = (disk: StillDisk): Promise<string> =>
  disk.type === 'network' ? Promise.resolve('') : stampOf(imageBelow(disk).path)

/** The node of a block device need not change when the device is written to: the kernel counts its writes. */
export async function stampOf(path: string): Promise<string> {
  const file = await stat(path, { bigint: true }).catch(() => undefined)
  if (file === undefined) return 'none'
  return file.isBlockDevice() ? writesTo(file.rdev) : [file.ino, file.size, file.mtimeNs].join()
}

async function writesTo(device: bigint): Promise<string> {
  const counters = await readFile(`/sys/dev/block/${major(device)}:${minor(device)}/stat`, 'utf8')
  // Requests, merges and sectors written. Source: Documentation/block/stat.rst of the kernel.
  return counters.trim().split(/\s+/).slice(4, 7).join()
}

/** As glibc takes a device number apart. */
const major = (device: bigint): bigint => ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn)
const minor = (device: bigint): bigint => (device & 0xffn) | ((device >> 12n) & ~0xffn)
