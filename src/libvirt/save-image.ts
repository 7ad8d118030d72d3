import type { Uuid } from '../shared/model/ids.ts'
import type { Shell } from '../shared/shell.ts'
import { virsh } from './virsh.ts'

const HOURS = 3_600_000

/** Writes RAM and device state to the file and ends QEMU. */
export async function saveDomain(shell: Shell, uuid: Uuid, file: string, options: { signal?: AbortSignal } = {}): Promise<void> {
  await virsh(shell, ['save', uuid, file], { timeoutMs: HOURS, ...options })
}

/** Starts QEMU with the RAM of the file. `xml` may name other paths than the file's own definition. */
export async function restoreDomain(
  shell: Shell,
  file: string,
  options: { xml?: string; state: 'running' | 'paused'; timeoutMs?: number }
): Promise<void> {
  const xml = options.xml === undefined ? [] : ['--xml', options.xml]
  await virsh(shell, ['restore', file, ...xml, `--${options.state}`], { timeoutMs: options.timeoutMs ?? HOURS })
}

/** The definition inside a RAM image. */
export async function saveImageXml(shell: Shell, file: string): Promise<string> {
  return (await virsh(shell, ['save-image-dumpxml', file, '--security-info'])).stdout
}
