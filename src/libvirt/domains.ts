import { isFailure } from '../shared/failure.ts'
import { Uuid } from '../shared/model/ids.ts'
import type { DomainState } from '../shared/model/host.ts'
import type { Shell } from '../shared/shell.ts'
import { virsh } from './virsh.ts'

/** State and reason as libvirt reports them, or undefined if the host does not know this domain. */
export async function domainState(shell: Shell, uuid: Uuid): Promise<{ state: DomainState; reason: string } | undefined> {
  const output = await orUndefinedIfUnknown(virsh(shell, ['domstate', '--reason', uuid]))
  const match = /^(?<state>[a-z ]+?)(?: \((?<reason>.*)\))?$/m.exec(output?.stdout.trim() ?? '')
  return match?.groups?.['state'] === undefined
    ? undefined
    : { state: match.groups['state'] as DomainState, reason: match.groups['reason'] ?? '' }
}

async function orUndefinedIfUnknown<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (isFailure(error, 'command-failed') && /failed to get domain|Domain not found/i.test(error.failure.stderr)) return undefined
    throw error
  }
}

export async function domainXml(
  shell: Shell,
  uuid: Uuid,
  options: { inactive?: boolean; securityInfo?: boolean } = {}
): Promise<string> {
  const flags = [...(options.inactive === true ? ['--inactive'] : []), ...(options.securityInfo === true ? ['--security-info'] : [])]
  return (await virsh(shell, ['dumpxml', uuid, ...flags])).stdout
}

export async function domainInfo(shell: Shell, uuid: Uuid): Promise<{ persistent: boolean; autostart: boolean; managedSave: boolean }> {
  const { stdout } = await virsh(shell, ['dominfo', uuid])
  const says = (key: string, value: string): boolean => new RegExp(`^${key}: +${value}$`, 'm').test(stdout)
  return { persistent: says('Persistent', 'yes'), autostart: says('Autostart', 'enable'), managedSave: says('Managed save', 'yes') }
}

/** UUID of the domain that has exactly this name: virsh would also take an id or a UUID for one. */
export async function domainByName(shell: Shell, name: string): Promise<Uuid | undefined> {
  for (const uuid of await listDomains(shell)) {
    const { stdout } = await virsh(shell, ['domname', uuid], { expect: [0, 1] })
    if (stdout.replace(/\n+$/, '') === name) return uuid
  }
  return undefined
}

export async function listDomains(shell: Shell): Promise<Uuid[]> {
  const { stdout } = await virsh(shell, ['list', '--all', '--uuid'])
  return stdout.split('\n').map((line) => line.trim()).filter((line) => Uuid.safeParse(line).success)
}

const START_WITHIN_MS = 120_000
const plain = async (shell: Shell, args: readonly string[], timeoutMs = 60_000): Promise<void> => void (await virsh(shell, args, { timeoutMs }))

export const defineDomain = (shell: Shell, xmlPath: string): Promise<void> => plain(shell, ['define', xmlPath])
/** Starts a transient domain. */
export const createDomain = (shell: Shell, xmlPath: string): Promise<void> => plain(shell, ['create', xmlPath], START_WITHIN_MS)
export const startDomain = (shell: Shell, uuid: Uuid): Promise<void> => plain(shell, ['start', uuid], START_WITHIN_MS)
export const destroyDomain = (shell: Shell, uuid: Uuid): Promise<void> => plain(shell, ['destroy', uuid])
export const suspendDomain = (shell: Shell, uuid: Uuid): Promise<void> => plain(shell, ['suspend', uuid])
export const resumeDomain = (shell: Shell, uuid: Uuid): Promise<void> => plain(shell, ['resume', uuid])
export const setAutostart = (shell: Shell, uuid: Uuid, on: boolean): Promise<void> =>
  plain(shell, ['autostart', uuid, ...(on ? [] : ['--disable'])])

/** Forgets the definition; disks and NVRAM stay where they are. Snapshot and checkpoint metadata and a managed save go. */
export const undefineDomain = (shell: Shell, uuid: Uuid): Promise<void> =>
  plain(shell, ['undefine', uuid, '--keep-nvram', '--managed-save', '--snapshots-metadata', '--checkpoints-metadata'])
