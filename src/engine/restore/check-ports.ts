import { isIP, isIPv6, type BlockList } from 'node:net'
import { onceEach } from '../../shared/once-each.ts'
import type { Shell } from '../../shared/shell.ts'
import { itemOf } from '../../libvirt/needs/item.ts'
import { needsOf } from '../../libvirt/needs/needs-of.ts'
import {
  fixedPortsIn,
  listenAddressesIn,
  listeningOn,
  sharesAddress,
  withAutomaticPorts,
  type FixedPort
} from '../../libvirt/ports.ts'
import { vmProcess } from '../evidence/vm-process.ts'
import type { Answers, Asking, NeedsRequest } from './answers.ts'
import type { Hardware } from './hardware.ts'
import { listenersHere, ownerOf, type Listener } from './listeners.ts'
import { otherVms } from './other-vms.ts'

/** Ports and addresses that the VM insists on: of its screens, and of serial ports that are reached over the network. */
export async function checkPorts(
  shell: Shell,
  request: NeedsRequest,
  hardware: Hardware,
  answers: Answers
): Promise<void> {
  checkAddresses(request.asking, await hardware.addresses(), answers)
  const ports = portsOf(request.asking).filter(({ isScreen }) => !(request.isCopy && isScreen))
  const chosen = answers.choices.plain('auto-ports')
  if (ports.length === 0) return
  const taken = chosen?.isAsked === true ? [] : await takenPorts(shell, ports, uuidsOf(request), answers)
  if (taken.length === 0 && chosen?.isAsked !== true) {
    for (const { what, port } of ports) answers.list.ok('ports', `port ${port} for its ${what} is free here`)
    return
  }
  if (chosen !== undefined) {
    answers.edit(withAutomaticPorts)
    answers.done('ports', 'screens get a port of their own, and serial ports a terminal of this host', chosen)
    return
  }
  for (const text of taken)
    answers.unmet('ports', {
      text,
      fix: 'free it',
      choices: [{ label: 'let libvirt choose its ports', choice: { kind: 'auto-ports' } }]
    })
}

const uuidsOf = ({ displaced }: NeedsRequest): string[] => displaced.map(({ uuid }) => uuid)

const portsOf = (asking: readonly Asking[]): FixedPort[] =>
  onceEach(
    asking.flatMap(({ xml }) => fixedPortsIn(xml)),
    ({ protocol, port }) => `${protocol} ${port}`
  )

/** In words. What a VM that is off insists on is free now, and worth a word. */
async function takenPorts(
  shell: Shell,
  ports: readonly FixedPort[],
  goes: readonly string[],
  answers: Answers
): Promise<string[]> {
  const listeners = await othersListening(shell, goes)
  if (listeners === undefined)
    answers.list.warning('ports', 'It cannot be told which ports are free here: there is no ss (iproute2)')
  const others = await otherVms(shell, goes)
  const taken: string[] = []
  for (const port of ports) {
    const listener = listeners?.find((each) => isSamePort(each, port))
    if (listener !== undefined) {
      taken.push(`port ${port.port}, which its ${port.what} wants, is taken by ${await ownerOf(listener)}`)
      continue
    }
    const rival = others.find(({ definition }) => wants(definition, port))
    if (rival !== undefined)
      answers.list.warning('ports', `VM ${rival.name} wants port ${port.port} as well: only one of the two can run`)
  }
  return taken
}

const wants = (definition: string, port: FixedPort): boolean =>
  fixedPortsIn(definition).some((its) => isSamePort(its, port))

const isSamePort = (a: Pick<FixedPort, 'port' | 'protocol' | 'address'>, b: FixedPort): boolean =>
  a.port === b.port && a.protocol === b.protocol && sharesAddress(a.address, b.address)

async function othersListening(shell: Shell, goes: readonly string[]): Promise<Listener[] | undefined> {
  const processes = await Promise.all(goes.map((uuid) => vmProcess(uuid)))
  const freed = processes.flatMap((process) => (process === undefined ? [] : [process.pid]))
  return (await listenersHere(shell))?.filter(({ pids }) => !pids.some((pid) => freed.includes(pid)))
}

/** Screens of a definition by the address that the operator has named for them: he means just that, and no port of another kind. */
export const itemsListening = (xml: string, address: string): string[] =>
  needsOf(xml).flatMap((need) =>
    need.kind === 'listen' && need.purpose !== 'port' && need.address === address ? [itemOf(need)] : []
  )

/** A name is left to the resolver of this host. */
function checkAddresses(asking: readonly Asking[], here: BlockList, answers: Answers): void {
  const wanted = asking.flatMap(({ xml }) => listenAddressesIn(xml))
  const isMissing = (address: string): boolean =>
    isIP(address) !== 0 && !isLoopback(address) && !here.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
  const gone = [...new Set(wanted.map(({ address }) => address).filter(isMissing))]
  const chosen = answers.choices.listen()
  const moved = chosen?.isAsked === true ? [...new Set(wanted.map(({ address }) => address))] : gone
  if (moved.length === 0) return
  if (chosen !== undefined) {
    answers.edit((xml) => listeningOn(xml, moved, chosen.value))
    answers.done('ports', `what listened on ${moved.join(', ')} listens on ${chosen.value}`, chosen)
    return
  }
  for (const address of gone)
    answers.unmet('ports', {
      text: `its ${wanted.find((each) => each.address === address)?.what ?? 'screen'} listens on ${address}, which is no address of this host`,
      fix: 'give this host the address',
      choices: [
        { label: 'listen on this host only', choice: { kind: 'listen', address: '127.0.0.1' } },
        { label: 'listen on every address of this host', choice: { kind: 'listen', address: '0.0.0.0' } }
      ]
    })
}

const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1'
