import type { Leftover, LetGo } from '../../../shared/engine-protocol.ts'
import { fail } from '../../../shared/failure.ts'
import { JobId } from '../../../shared/model/ids.ts'
import type { Core } from '../core.ts'
import { requireHost, storesOn } from './host-book.ts'

/** What interrupted jobs left on a host, in its VMs and in every store that it is known to have. */
export async function examineHost(core: Core, host: string, repair: boolean): Promise<Leftover[]> {
  const settings = core.settings.read()
  requireHost(settings, host)
  const stores = storesOn(settings, host)
  return (await core.connections.engine(host)).call('doctor', { stores, repair }, { timeoutMs: 1_200_000 })
}

/** Lets go of what a restore has replaced on a host and kept aside; `also` of these images, which no point has. */
export async function letGoOf(core: Core, host: string, id: string, also: readonly string[] = []): Promise<LetGo> {
  const settings = core.settings.read()
  requireHost(settings, host)
  if (!JobId.safeParse(id).success) fail({ kind: 'usage', message: `${id} is not the id of a restore` })
  const stores = storesOn(settings, host)
  return (await core.connections.engine(host)).call('let-go', { id, stores, also: [...also] }, { timeoutMs: 1_200_000 })
}
