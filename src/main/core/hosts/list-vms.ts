import { takeInventory } from '../../../libvirt/inventory.ts'
import type { HostLooked } from '../../../shared/held-autostart.ts'
import { failureOf } from '../../../shared/failure.ts'
import type { Inventory } from '../../../shared/model/host.ts'
import type { Core } from '../core.ts'
import type { Unreachable } from '../jobs/jobs.ts'
import type { HostRecord } from '../settings/settings-schema.ts'
import { requireHost } from './host-book.ts'

export interface VmList {
  readonly hosts: readonly { readonly host: string; readonly inventory: Inventory }[]
  readonly unreachable: readonly Unreachable[]
  /** All hosts that are known, asked or not. */
  readonly looked: readonly HostLooked[]
}

/** VMs of all hosts, or of one. A host that does not answer is named and hides no other. */
export async function listVms(core: Core, host: string | undefined): Promise<VmList> {
  const { hosts } = core.settings.read()
  const names = host === undefined ? hosts.map(({ name }) => name) : [requireHost(core.settings.read(), host).name]
  const seen = await Promise.all(names.map((name) => look(core, name)))
  return {
    hosts: seen.flatMap((each) => ('inventory' in each ? [each] : [])),
    unreachable: seen.flatMap((each) => ('failure' in each ? [each] : [])),
    looked: hosts.map((record) => lookedAt(record, seen))
  }
}

function lookedAt(
  { name, machineId }: HostRecord,
  seen: readonly (VmList['hosts'][number] | Unreachable)[]
): HostLooked {
  const found = seen.find(({ host }) => host === name)
  if (found === undefined || 'failure' in found)
    return { name, machineId, state: found === undefined ? 'unasked' : 'silent', vms: [] }
  return { name, machineId: found.inventory.machineId, state: 'up', vms: found.inventory.domains }
}

async function look(core: Core, host: string): Promise<VmList['hosts'][number] | Unreachable> {
  try {
    const { shell } = await core.connections.connection(host)
    return { host, inventory: await takeInventory(shell) }
  } catch (error) {
    return { host, failure: failureOf(error) }
  }
}
