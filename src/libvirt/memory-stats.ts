import type { Uuid } from '../shared/model/ids.ts'
import type { Shell } from '../shared/shell.ts'
import { virsh } from './virsh.ts'
import { exact, wholeNumber } from './numbers.ts'

/** What a running VM has of RAM, as far as libvirt and QEMU say. */
export interface MemoryStats {
  /** What its balloon leaves it. */
  readonly actualBytes: number | undefined
  /** What of QEMU's process is in the host's RAM: the guest's pages that were ever touched, and QEMU's own. */
  readonly residentBytes: number | undefined
}

/** Of a VM that does not run, or has just ended, nothing is known. */
export async function memoryStats(shell: Shell, uuid: Uuid): Promise<MemoryStats> {
  const { exitCode, stdout } = await virsh(shell, ['dommemstat', uuid], { expect: [0, 1] }) // 1: not running
  return exitCode === 0 ? parseMemoryStats(stdout) : { actualBytes: undefined, residentBytes: undefined }
}

/** Lines of a name and KiB. */
export function parseMemoryStats(text: string): MemoryStats {
  const stats = new Map(
    [...text.matchAll(/^(\w+) (\d+)$/gm)].map(([, name, kib]) => [name, exact(wholeNumber(kib, 0) * 1024)])
  )
  return { actualBytes: stats.get('actual'), residentBytes: stats.get('rss') }
}
