import { hasInOneLine } from '../shared/lines.ts'
import type { Shell } from '../shared/shell.ts'
import { commandFailed, virsh } from './virsh.ts'

/**
 * Path of a volume in one of libvirt's pools: a file or device of this host, or the name by which a server knows it.
 * Undefined if there is no such volume, or its pool is not active.
 */
export async function volumePath(
  shell: Shell,
  { pool, name }: { readonly pool: string; readonly name: string }
): Promise<string | undefined> {
  const result = await virsh(shell, ['vol-path', '--pool', pool, '--vol', name], { expect: [0, 1] }) // 1: not there
  if (result.exitCode === 0) return result.stdout.trim()
  const complaint = result.stderr.toLowerCase()
  const isUnknown =
    /storage (pool|volume) not found/.test(complaint) || hasInOneLine(complaint, 'pool ', ' is not active')
  return isUnknown ? undefined : commandFailed('virsh vol-path', result)
}
