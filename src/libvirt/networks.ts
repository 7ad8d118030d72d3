import type { Shell } from '../shared/shell.ts'
import { commandFailed, virsh, virshBatch } from './virsh.ts'
import { parseNetwork, type NetworkXml } from './network-xml.ts'
import { namesOf } from './snapshot.ts'
import { childAt, parseXml, textOf } from './xml.ts'

export type NetworkState = 'active' | 'inactive'

/** All of libvirt's networks by name. */
export async function listNetworks(shell: Shell): Promise<ReadonlyMap<string, NetworkState>> {
  const all = namesOf((await virsh(shell, ['net-list', '--all', '--name'])).stdout)
  const active = new Set(namesOf((await virsh(shell, ['net-list', '--name'])).stdout))
  return new Map(all.map((name) => [name, active.has(name) ? 'active' : 'inactive']))
}

/** Undefined if there is no network of this name. */
export async function networkState(shell: Shell, name: string): Promise<NetworkState | undefined> {
  return (await listNetworks(shell)).get(name)
}

/** virsh says `failed to get network` also when libvirt could not be asked. */
const saysUnknown = (stderr: string): boolean => /^error: (Network|Storage pool) not found/m.test(stderr)

/** The network's definition, or undefined if there is no such network. */
export async function networkXml(shell: Shell, name: string): Promise<string | undefined> {
  const result = await virsh(shell, ['net-dumpxml', '--network', name, '--inactive'], { expect: [0, 1] }) // 1: unknown
  if (result.exitCode === 0) return result.stdout.trim()
  return saysUnknown(result.stderr) ? undefined : commandFailed('virsh net-dumpxml', result)
}

/** Definitions of these networks, without those that are gone meanwhile. */
export async function networkDefinitions(shell: Shell, names: readonly string[]): Promise<NetworkXml[]> {
  const answers = await virshBatch(
    shell,
    names.map((name) => ['net-dumpxml', '--network', name, '--inactive'] as const)
  )
  return answers.filter(({ failed }) => !failed).map(({ stdout }) => parseNetwork(stdout))
}

/** As its definition has it; libvirt gives one to a network without. */
export const uuidOfNetwork = (xml: string): string | undefined =>
  textOf(childAt(parseXml(xml, 'network XML').documentElement ?? undefined, 'uuid'))

/** From an XML file on the host. */
export async function defineNetwork(shell: Shell, xmlPath: string): Promise<void> {
  await virsh(shell, ['net-define', '--file', xmlPath])
}

/** Starts a network. No error if it is active already. */
export async function startNetwork(shell: Shell, name: string): Promise<void> {
  const result = await virsh(shell, ['net-start', '--network', name], { expect: [0, 1] }) // 1: active already
  if (result.exitCode !== 0 && !/already active/.test(result.stderr)) commandFailed('virsh net-start', result)
}

/** The network starts with its host. */
export async function autostartNetwork(shell: Shell, name: string): Promise<void> {
  await virsh(shell, ['net-autostart', '--network', name])
}

/** Stops and undefines a network. No error if it is not there. */
export async function removeNetwork(shell: Shell, name: string): Promise<void> {
  const state = await networkState(shell, name)
  if (state === 'active') await virsh(shell, ['net-destroy', '--network', name])
  // A transient network is gone once it is stopped.
  if (state !== undefined) await undefineNetwork(shell, name)
}

async function undefineNetwork(shell: Shell, name: string): Promise<void> {
  const result = await virsh(shell, ['net-undefine', '--network', name], { expect: [0, 1] }) // 1: gone already
  if (result.exitCode !== 0 && !saysUnknown(result.stderr)) commandFailed('virsh net-undefine', result)
}
