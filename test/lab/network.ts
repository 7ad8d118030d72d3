import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { LabError, must, run } from './run.ts'

/** The network of lab number N: a /24 of 198.18.0.0/15, the range that is reserved for tests, and a bridge. */
export interface LabNetwork {
  readonly number: number
  readonly bridge: string
  /** The first three parts of every address. */
  readonly prefix: string
}

export const labNumbers = 512

export function labNetwork(number: number): LabNetwork {
  return { number, bridge: `splab${number}`, prefix: `198.${18 + (number >> 8)}.${number & 255}` }
}

/** Written on the bridge, so that leftovers are found even if the lab's own notes are lost. */
const aliasOf = (lab: string) => `stillpoint-lab ${lab}`

export const namespaceName = (lab: string, host: string) => `sp-${lab}-${host}`

/** The machine's end of a host's cable; the kernel allows 15 characters. */
export const cableName = (network: LabNetwork, host: string) => `sp${network.number}-${host}`.slice(0, 15)

/** Takes a network that no other lab has; the kernel refuses a second bridge of the same name, which is the lock. */
export async function claimNetwork(lab: string): Promise<LabNetwork> {
  const taken = await must(['ip', '-4', '-o', 'addr', 'show'])
  for (let number = 0; number < labNumbers; number++) {
    const network = labNetwork(number)
    if (existsSync(`/sys/class/net/${network.bridge}`) || taken.includes(` ${network.prefix}.`)) continue
    const made = await run(['ip', 'link', 'add', network.bridge, 'type', 'bridge'])
    if (made.exitCode !== 0) continue
    await must(['ip', 'link', 'set', network.bridge, 'alias', aliasOf(lab)])
    await must(['ip', 'addr', 'add', `${network.prefix}.1/24`, 'dev', network.bridge])
    await must(['ip', 'link', 'set', network.bridge, 'up'])
    return network
  }
  throw new LabError('no free network for another lab')
}

/** A namespace with one cable to the bridge, as a host finds it at boot. */
export async function connectHost(lab: string, network: LabNetwork, host: string, address: string): Promise<void> {
  const namespace = namespaceName(lab, host)
  const cable = cableName(network, host)
  const inside = ['ip', '-n', namespace]
  await must(['ip', 'netns', 'add', namespace])
  await must(['ip', 'link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace])
  await must(['ip', 'link', 'set', cable, 'master', network.bridge, 'up'])
  await must([...inside, 'link', 'set', 'lo', 'up'])
  await must([...inside, 'link', 'set', 'eth0', 'address', cardAddress(address)])
  await must([...inside, 'addr', 'add', `${address}/24`, 'dev', 'eth0'])
  await must([...inside, 'link', 'set', 'eth0', 'up'])
}

/** Always the same for an IP address: otherwise nobody reaches a rebuilt host before their ARP caches expire. */
function cardAddress(address: string): string {
  const bytes = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'))
  return ['02', '00', ...bytes].join(':')
}

/** Pulls or plugs the host's cable. Connections hang, as with a real cable; nobody is told. */
export async function setCable(network: LabNetwork, host: string, state: 'up' | 'down'): Promise<void> {
  await must(['ip', 'link', 'set', cableName(network, host), state])
}

/** Bridges and taps that the host made for itself: a power cut takes them along, but the namespace outlives it. */
export async function removeOwnLinks(lab: string, host: string): Promise<void> {
  const inside = ['ip', '-n', namespaceName(lab, host)]
  const links = (await must([...inside, '-o', 'link', 'show'])).matchAll(/^\d+: ([^:@]+)/gm)
  const own = Array.from(links, ([, name = '']) => name).filter((name) => name !== 'lo' && name !== 'eth0')
  for (const name of own) await run([...inside, 'link', 'delete', name])
}

export async function disconnectHost(lab: string, network: LabNetwork, host: string): Promise<void> {
  await removeLink(cableName(network, host))
  const namespace = namespaceName(lab, host)
  if (existsSync(`/run/netns/${namespace}`)) await must(['ip', 'netns', 'delete', namespace])
}

/** Removes what a lab of this name may have left. */
export async function removeNetwork(lab: string): Promise<void> {
  const namespaces = existsSync('/run/netns') ? readdirSync('/run/netns') : []
  for (const name of namespaces.filter((other) => other.startsWith(`sp-${lab}-`)))
    await must(['ip', 'netns', 'delete', name])
  for (const bridge of bridgesOf(lab)) {
    const cables = readdirSync('/sys/class/net').filter((name) => name.startsWith(bridge.replace('lab', '') + '-'))
    for (const link of [...cables, bridge]) await removeLink(link)
  }
}

function bridgesOf(lab: string): string[] {
  const bridges = readdirSync('/sys/class/net').filter((name) => /^splab\d+$/.test(name))
  return bridges.filter((name) => readFileSync(`/sys/class/net/${name}/ifalias`, 'utf8').trim() === aliasOf(lab))
}

async function removeLink(name: string): Promise<void> {
  if (existsSync(`/sys/class/net/${name}`)) await run(['ip', 'link', 'delete', name])
}
