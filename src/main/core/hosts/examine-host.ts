import { takeInventory } from '../../../libvirt/inventory.ts'
import type { Leftover, LetGo } from '../../../shared/engine-protocol.ts'
import { fail } from '../../../shared/failure.ts'
import { autostartLine, heldText, twinNow } from '../../../shared/held-autostart.ts'
import { JobId } from '../../../shared/model/ids.ts'
import type { Core } from '../core.ts'
import { requireHost, storesOn } from './host-book.ts'
import { listVms } from './list-vms.ts'

/** What interrupted jobs left on a host, in its VMs and in every store that it is known to have; and what a restore has left open. */
export async function examineHost(core: Core, host: string, repair: boolean): Promise<Leftover[]> {
  const settings = core.settings.read()
  requireHost(settings, host)
  const stores = storesOn(settings, host)
  const engine = await core.connections.engine(host)
  const leftovers = await engine.call('doctor', { stores, repair }, { timeoutMs: 1_200_000 })
  return [...leftovers, ...(await heldAutostarts(core, host))]
}

/** Nothing that a repair would do: whether the twin is gone may be known to the operator alone. */
async function heldAutostarts(core: Core, host: string): Promise<Leftover[]> {
  const { domains } = await takeInventory((await core.connections.connection(host)).shell)
  const held = domains.flatMap(({ uuid, name, heldAutostart }) =>
    heldAutostart === undefined ? [] : [{ uuid, name, heldAutostart }]
  )
  if (held.length === 0) return []
  const { looked } = await listVms(core, undefined)
  return held.map(({ uuid, name, heldAutostart }) => ({
    kind: 'autostart',
    what: `${name} does not start with ${host}. ${heldText(twinNow(heldAutostart, uuid, host, looked))}`,
    remedy: `${autostartLine(host, name)}, or with --off to leave it so`,
    repaired: false
  }))
}

/** Lets go of what a restore has replaced on a host and kept aside; `also` of these images, which no point has. */
export async function letGoOf(core: Core, host: string, id: string, also: readonly string[] = []): Promise<LetGo> {
  const settings = core.settings.read()
  requireHost(settings, host)
  if (!JobId.safeParse(id).success) fail({ kind: 'usage', message: `${id} is not the id of a restore` })
  const stores = storesOn(settings, host)
  return (await core.connections.engine(host)).call('let-go', { id, stores, also: [...also] }, { timeoutMs: 1_200_000 })
}
