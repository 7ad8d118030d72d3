import type { Shell } from '../shared/shell.ts'
import { virsh } from './virsh.ts'

/** Undefined: no such network. */
export async function networkState(shell: Shell, name: string): Promise<'active' | 'inactive' | undefined> {
  const { stdout, exitCode } = await virsh(shell, ['net-info', '--network', name], { expect: [0, 1] })
  if (exitCode !== 0) return undefined
  return /^Active: +yes$/m.test(stdout) ? 'active' : 'inactive'
}

export async function networkXml(shell: Shell, name: string): Promise<string | undefined> {
  const { stdout, exitCode } = await virsh(shell, ['net-dumpxml', '--network', name, '--inactive'], { expect: [0, 1] })
  return exitCode === 0 ? stdout : undefined
}

export const defineNetwork = async (shell: Shell, xmlPath: string): Promise<void> => void (await virsh(shell, ['net-define', xmlPath]))
export const startNetwork = async (shell: Shell, name: string): Promise<void> => void (await virsh(shell, ['net-start', '--network', name]))

/** Takes a network away, running or not. One that is not there is no error. */
export async function removeNetwork(shell: Shell, name: string): Promise<void> {
  await virsh(shell, ['net-destroy', '--network', name], { expect: [0, 1] })
  await virsh(shell, ['net-undefine', '--network', name], { expect: [0, 1] })
}
