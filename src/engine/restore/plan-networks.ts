import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import type { OfferedChoice } from '../../shared/engine-protocol.ts'
import { isFailure } from '../../shared/failure.ts'
import { mappingTo, type CardTarget } from '../../shared/model/restore-choice.ts'
import type { Shell } from '../../shared/shell.ts'
import { isSameSubnet, overlap, rangeText, type AddressRange } from '../../libvirt/address-range.ts'
import { cardSources, moveCards, type CardSource } from '../../libvirt/network-cards.ts'
import { parseNetwork, withoutTakenNames, type NetworkXml } from '../../libvirt/network-xml.ts'
import { listNetworks, networkDefinitions, type NetworkState } from '../../libvirt/networks.ts'
import type { Route } from '../../libvirt/routes.ts'
import type { Answers, Asking } from './answers.ts'
import type { Unmet } from './checklist.ts'
import type { Hardware } from './hardware.ts'
import { checkNetwork, type NetworkRules } from './check-network.ts'
import type { RestorePlan } from './restore-plan.ts'

type Networks = RestorePlan['networks']
type Made = Networks['define'][number]
const HostFile = z.object({ networks: z.array(z.object({ name: z.string(), xml: z.string() })) })

/** Where network cards can be put on this host. */
interface Surroundings {
  /** Of the point's host, by `host.json`. */
  readonly known: readonly Made[]
  readonly states: ReadonlyMap<string, NetworkState>
  readonly definitions: readonly NetworkXml[]
  readonly bridges: readonly string[]
  readonly cards: readonly string[]
  readonly routes: readonly Route[]
  readonly has: (device: string) => boolean
  readonly rules: NetworkRules
}

/**
 * What the network cards are on: it is here, is made as it was on the point's host (`host` is its `host.json`), or is
 * something else by choice. The definition of the RAM may have a card more than that of the next start.
 */
export async function planNetworks(
  shell: Shell,
  host: string,
  asking: readonly Asking[],
  allowed: ReadonlySet<string>,
  hardware: Hardware,
  answers: Answers
): Promise<Networks> {
  const sources = cardSources(asking.flatMap(({ domain }) => domain.interfaces))
  const networks: Networks = { define: [], start: [] }
  for (const source of answers.choices.askedCards)
    if (!sources.some(({ on, name }) => on === source.on && name === source.name))
      answers.list.warning('networks', `No network card of the VM is on ${nameOf(source)}, so there is none to move`)
  if (sources.length === 0) return networks
  const rules = { allowed, nameServers: await hardware.nameServers() }
  const around = { ...(await lookAround(shell, host, hardware)), rules }
  for (const source of sources) planCards(source, around, networks, answers)
  return networks
}

async function lookAround(shell: Shell, host: string, hardware: Hardware): Promise<Omit<Surroundings, 'rules'>> {
  const states = await listNetworks(shell)
  return {
    known: knownNetworks(host),
    states,
    definitions: await networkDefinitions(shell, [...states.keys()]),
    bridges: await hardware.bridges(),
    cards: await hardware.cards(),
    routes: await hardware.routes(),
    has: (device) => isDeviceName(device) && hardware.has(`/sys/class/net/${device}`)
  }
}

/** The kernel's own rule; anything else would be a path. */
const isDeviceName = (name: string): boolean => /^[^/\s]{1,15}$/.test(name) && name !== '.' && name !== '..'

/** None from a file that cannot be read: what is missing here is then not known. */
function knownNetworks(host: string): Made[] {
  try {
    return HostFile.parse(JSON.parse(host)).networks
  } catch {
    return []
  }
}

function planCards(source: CardSource, around: Surroundings, networks: Networks, answers: Answers): void {
  const chosen = answers.choices.cards(source)
  const own = chosen?.isAsked === true ? undefined : lookAt(source, around)
  if (own !== undefined && own.kind !== 'unmet') {
    take(source, own, around, networks, answers)
    return
  }
  const trouble = chosen && whyNotOn(chosen.value, around)
  if (chosen !== undefined && trouble === undefined) {
    answers.edit((xml) => moveCards(xml, source, chosen.value))
    answers.done('networks', `cards that were on ${nameOf(source)} are ${placeOf(chosen.value)}`, chosen)
    if (chosen.value.on === 'network') startIfNeeded(chosen.value.name, around, networks)
    return
  }
  const unmet = own ?? { kind: 'unmet', text: trouble ?? '', fix: 'choose another', uses: undefined }
  answers.list.unmet('networks', true, { ...unmet, choices: offersFor(source, around, unmet.uses) })
}

/** How the thing that cards are on is here. */
type Look =
  | { readonly kind: 'here'; readonly name: string; readonly state?: NetworkState }
  | { readonly kind: 'made'; readonly made: Made; readonly changes: readonly string[] }
  | ({ readonly kind: 'unmet'; readonly uses?: string | undefined } & Unmet)

function take(
  source: CardSource,
  look: Exclude<Look, { kind: 'unmet' }>,
  around: Surroundings,
  networks: Networks,
  answers: Answers
): void {
  const { name } = source
  if (look.kind === 'made' || look.state === 'inactive') tellCovered(name, look, around, answers)
  if (look.kind === 'here') {
    if (look.state !== undefined) answers.list.ok('networks', `network ${name} ${look.state}`)
    if (look.state === 'inactive' && !networks.start.includes(name)) networks.start.push(name)
    return
  }
  checkNetwork(look, around.rules, answers.list)
  networks.define.push(look.made)
  networks.start.push(name)
}

/** libvirt starts it all the same; what lies behind the wider or narrower way is not reached by that any more. */
function tellCovered(
  name: string,
  look: Exclude<Look, { kind: 'unmet' }>,
  { definitions, routes }: Surroundings,
  { list }: Answers
): void {
  const network = look.kind === 'made' ? understood(look.made.xml) : definitions.find((each) => each.name === name)
  for (const range of network?.ranges ?? [])
    for (const route of routes)
      if (overlap(route.range, range) && !isSameSubnet(route.range, range))
        list.warning(
          'networks',
          `Network ${name} (${rangeText(range)}) shares addresses with what this host reaches by ${route.device} (${rangeText(route.range)}): machines there may not be reached while it is active`
        )
}

function startIfNeeded(name: string, { states }: Surroundings, { start }: Networks): void {
  if (states.get(name) === 'inactive' && !start.includes(name)) start.push(name)
}

function lookAt(source: CardSource, around: Surroundings): Look {
  if (source.on === 'network') return lookAtNetwork(source.name, around)
  if (around.has(source.name)) return { kind: 'here', name: source.name }
  return {
    kind: 'unmet',
    text: `${nameOf(source)} does not exist here`,
    fix: source.on === 'bridge' ? 'make it, then restore again' : 'choose what its cards are put on instead'
  }
}

function lookAtNetwork(name: string, around: Surroundings): Look {
  const state = around.states.get(name)
  const here = around.definitions.find((network) => network.name === name)
  if (state === undefined) return lookAtMissing(name, around)
  if (here === undefined) return { kind: 'here', name, state }
  const others = { ...around, definitions: around.definitions.filter((network) => network !== here) }
  // One that is active has what it needs of its subnet; its bridge may be gone all the same.
  return (
    notHere(here, around) ??
    (state === 'inactive' ? clashOf(here, others, false) : undefined) ?? { kind: 'here', name, state }
  )
}

function lookAtMissing(name: string, around: Surroundings): Look {
  const kept = around.known.find((network) => network.name === name)
  const network = kept && understood(kept.xml)
  if (kept === undefined || network === undefined)
    return { kind: 'unmet', text: `network ${name} does not exist here`, fix: 'make it with virsh net-define' }
  return notHere(network, around) ?? clashOf(network, around, true) ?? withFreeNames(kept, network, around)
}

/** A point may hold anything. */
function understood(xml: string): NetworkXml | undefined {
  try {
    return parseNetwork(xml)
  } catch (error) {
    if (isFailure(error, 'bad-output')) return undefined
    throw error
  }
}

/** libvirt makes and starts a network whose bridge or device is missing, and fails at the start of the VM. */
function notHere({ name, hostBridge, devices }: NetworkXml, { has }: Surroundings): Look | undefined {
  const missing = [
    ...(hostBridge === undefined || has(hostBridge) ? [] : [`bridge ${hostBridge}`]),
    ...devices.filter((device) => !has(device)).map((device) => `device ${device}`)
  ]
  if (missing.length === 0) return undefined
  return {
    kind: 'unmet',
    text: `network ${name} puts its cards on ${missing.join(' and ')}, which does not exist here`,
    fix: 'make it, then restore again'
  }
}

/** Two networks of one subnet on a host: libvirt does not start the second one, nor one whose subnet has a way already. */
function clashOf({ name, ranges }: NetworkXml, around: Surroundings, isNew: boolean): Look | undefined {
  for (const range of ranges) {
    const other = around.definitions.find((network) => network.ranges.some((its) => overlap(its, range)))
    const route = around.routes.find((each) => isSameSubnet(each.range, range))
    if (other === undefined && route === undefined) continue
    if (!isNew && route === undefined) continue
    return {
      kind: 'unmet',
      text: `network ${name} (${rangeText(range)}) has addresses that ${whose(other, route, range)}`,
      fix: other === undefined ? 'choose what its cards are put on instead' : `use network ${other.name} instead`,
      uses: other?.name
    }
  }
  return undefined
}

function whose(other: NetworkXml | undefined, route: Route | undefined, range: AddressRange): string {
  const its = other?.ranges.find((each) => overlap(each, range))
  if (other !== undefined && its !== undefined) return `network ${other.name} (${rangeText(its)}) has here`
  return route === undefined ? 'are taken here' : `this host reaches by ${route.device} (${rangeText(route.range)})`
}

/** UUID, bridge and MAC address stay as they were where nothing here has them. */
function withFreeNames(kept: Made, network: NetworkXml, around: Surroundings): Look {
  const { definitions, has } = around
  const isTaken = {
    uuid: network.uuid !== undefined && definitions.some(({ uuid }) => uuid === network.uuid),
    mac: network.mac !== undefined && definitions.some(({ mac }) => mac === network.mac),
    bridge:
      network.ownBridge !== undefined &&
      (has(network.ownBridge) || definitions.some(({ ownBridge }) => ownBridge === network.ownBridge))
  }
  const xml = withoutTakenNames(kept.xml, {
    // A UUID of its own shows an undo later that the network is ours.
    ...(isTaken.uuid && { uuid: randomUUID() }),
    bridge: isTaken.bridge,
    mac: isTaken.mac
  })
  const changes = [
    ...(isTaken.bridge ? [`its bridge gets another name, since ${network.ownBridge ?? ''} is taken here`] : []),
    ...(isTaken.uuid ? ['it gets another UUID, since a network here has its own'] : []),
    ...(isTaken.mac ? ['it gets another MAC address, since a network here has its own'] : [])
  ]
  // Written anew even where nothing changes: what libvirt reads is what was looked at here.
  return { kind: 'made', made: { name: kept.name, xml }, changes }
}

/** Undefined: cards can be put there. */
function whyNotOn(target: CardTarget, around: Surroundings): string | undefined {
  if (target.on === 'none') return undefined
  if (target.on !== 'network')
    return around.has(target.name) ? undefined : `there is no ${nameOf(target)} here to put its cards on`
  if (!around.states.has(target.name)) return `there is no network ${target.name} here to put its cards on`
  const look = lookAtNetwork(target.name, around)
  return look.kind === 'unmet' ? look.text : undefined
}

const nameOf = ({ on, name }: CardSource): string => `${on} ${name}`

const placeOf = (target: CardTarget): string =>
  target.on === 'none' ? 'unplugged' : `put on ${target.on} ${target.name}`

const KINDS = { network: 'map-network', bridge: 'map-bridge', device: 'map-device' } as const
const MOST_OF_A_SORT = 3

/** The best first: the network that has these addresses already, networks, bridges, devices; last, no cable. */
function offersFor(source: CardSource, around: Surroundings, best: string | undefined): OfferedChoice[] {
  const networks = [...around.states]
    .sort(([, a], [, b]) => a.localeCompare(b))
    .map(([name]) => name)
    .filter((name) => source.on !== 'network' || name !== source.name)
    .filter((name) => lookAtNetwork(name, around).kind !== 'unmet')
    .sort((a, b) => Number(b === best) - Number(a === best))
  const ofNetworks = around.definitions.map(({ ownBridge }) => ownBridge)
  const targets: CardTarget[] = [
    ...first(networks).map((name) => ({ on: 'network' as const, name })),
    ...first(around.bridges.filter((name) => !ofNetworks.includes(name))).map((name) => ({
      on: 'bridge' as const,
      name
    })),
    ...first(around.cards).map((name) => ({ on: 'device' as const, name })),
    { on: 'none' }
  ]
  return targets.map((target) => ({
    label: target.on === 'none' ? 'leave its cards unplugged' : `put its cards on ${target.on} ${target.name}`,
    choice: mappingTo(KINDS[source.on], source.name, target)
  }))
}

const first = (names: readonly string[]): readonly string[] => names.slice(0, MOST_OF_A_SORT)
