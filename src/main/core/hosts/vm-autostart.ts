import { setAutostart } from '../../../libvirt/domains.ts'
import { noteHeldAutostart } from '../../../libvirt/autostart-note.ts'
import { takeInventory } from '../../../libvirt/inventory.ts'
import type { Domain } from '../../../shared/model/host.ts'
import type { Core } from '../core.ts'
import { findVm } from './find-vm.ts'
import { requireHost } from './host-book.ts'

/**
 * The VM starts with its host from now on, or does not; that a restore has left that open is no longer noted in it. `vm`: name
 * or UUID. Returns the VM that was meant.
 */
export async function decideAutostart(core: Core, host: string, vm: string, on: boolean): Promise<Domain> {
  requireHost(core.settings.read(), host)
  const { shell } = await core.connections.connection(host)
  const domain = findVm((await takeInventory(shell)).domains, vm, host)
  await setAutostart(shell, domain.uuid, on)
  await noteHeldAutostart(shell, domain.uuid, undefined)
  return domain
}
