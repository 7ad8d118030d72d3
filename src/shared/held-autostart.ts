import { isActive, type HeldAutostart } from './model/twin-vm.ts'
import { forShell } from './model/restore-choice.ts'
import { haveOneMachineId } from './model/machine-id.ts'

/** A host as somebody looks at it: by an inventory, or in a window. */
export interface HostLooked {
  readonly name: string
  readonly machineId: string | undefined
  /** Only of one that is up it is known what VMs it has now. */
  readonly state: 'up' | 'silent' | 'unasked'
  readonly vms: readonly { readonly uuid: string; readonly state: string; readonly autostart: boolean }[]
}

/** Where the twin is, because of which a VM does not start with its host. `host`: the one that has it, or had it. */
export type TwinNow =
  | { readonly kind: 'there'; readonly host: string; readonly state: string; readonly autostart: boolean }
  /** Its host answers, and has it neither running nor started with it. */
  | { readonly kind: 'gone'; readonly host: string }
  | { readonly kind: 'silent' | 'unasked'; readonly host: string }
  /** That host is none of those that are known here, any more or at all. */
  | { readonly kind: 'unlisted'; readonly host: string }

/** `on`: the host of the VM itself. */
export function twinNow(
  { host, machineId }: HeldAutostart,
  vm: string,
  on: string,
  hosts: readonly HostLooked[]
): TwinNow {
  const others = hosts.filter(({ name }) => name !== on)
  for (const other of others) {
    const twin = other.vms.find(({ uuid }) => uuid === vm)
    if (other.state === 'up' && twin !== undefined && (isActive(twin) || twin.autostart))
      return { kind: 'there', host: other.name, state: twin.state, autostart: twin.autostart }
  }
  const home = homeOf({ host, machineId }, others)
  if (home === undefined) return { kind: 'unlisted', host }
  return { kind: home.state === 'up' ? 'gone' : home.state, host: home.name }
}

/** Of several machines of one id, where none has that name, one that cannot say that the VM is gone. */
function homeOf({ host, machineId }: HeldAutostart, hosts: readonly HostLooked[]): HostLooked | undefined {
  const named = hosts.find(({ name }) => name === host)
  const alike = hosts.filter((each) => haveOneMachineId(each.machineId, machineId))
  if (alike.length === 0 || (named !== undefined && alike.includes(named))) return named
  return alike.find(({ state }) => state !== 'up') ?? alike[0]
}

/** Why it is off, and whether that holds still. */
export function heldText(twin: TwinNow): string {
  const { host } = twin
  const was = `Autostart was left off when it was restored, as the same VM was on ${host} too`
  switch (twin.kind) {
    case 'there':
      return `${was}. It still is: ${twin.state}${twin.autostart ? ', and it starts with that host' : ''}`
    case 'gone':
      return `${was}. It neither runs nor starts there any more: autostart can be turned on`
    case 'silent':
      return `${was}. ${host} does not answer now: turn it on if you know that the VM is gone there`
    case 'unasked':
      return `${was}. Turn it on when the VM is gone there`
    case 'unlisted':
      return `${was}. That is none of the hosts here: turn it on if you know that the VM is gone there`
  }
}

/** To be typed: it is turned on, or stays off for good. */
export const autostartLine = (host: string, vm: string, ...more: readonly string[]): string =>
  forShell(['stillpoint', 'vm', 'autostart', `${host}/${vm}`, ...more])
