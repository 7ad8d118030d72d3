import { isFailure } from '../shared/failure.ts'
import type { Uuid } from '../shared/model/ids.ts'
import type { Shell } from '../shared/shell.ts'
import { virsh } from './virsh.ts'

/** True if the guest's agent answers within two seconds. */
export async function agentAnswers(shell: Shell, uuid: Uuid): Promise<boolean> {
  const ping = ['qemu-agent-command', uuid, '--timeout', '2', '{"execute":"guest-ping"}']
  try {
    return (await virsh(shell, ping, { expect: [0, 1], timeoutMs: 10_000 })).exitCode === 0
  } catch (error) {
    if (isFailure(error, 'timeout')) return false
    throw error
  }
}

export const freeze = async (shell: Shell, uuid: Uuid): Promise<void> => void (await virsh(shell, ['domfsfreeze', uuid]))
export const thaw = async (shell: Shell, uuid: Uuid): Promise<void> => void (await virsh(shell, ['domfsthaw', uuid]))

/** Sets the guest's clock from its (virtual) hardware clock, which follows the host's. */
export const setTimeSync = async (shell: Shell, uuid: Uuid): Promise<void> => void (await virsh(shell, ['domtime', uuid, '--sync']))

/** The guest's clock, ms since 1970. */
export async function guestTimeMs(shell: Shell, uuid: Uuid): Promise<number> {
  const { stdout } = await virsh(shell, ['qemu-agent-command', uuid, '--timeout', '5', '{"execute":"guest-get-time"}'])
  return Math.round(Number((JSON.parse(stdout) as { return: number }).return) / 1e6)
}
