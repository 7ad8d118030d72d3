import { join } from 'node:path'

/** Where labs keep what they made: one folder per lab. */
export const labsFolder = () => process.env['STILLPOINT_LAB_DIR'] ?? '/var/tmp/stillpoint-lab'

/** What is worth keeping when a lab goes: an unpacked kernel, an initramfs, a Debian 13 tree. */
export const cacheFolder = '/var/cache/stillpoint-lab'

export const labFolder = (lab: string) => join(labsFolder(), lab)
