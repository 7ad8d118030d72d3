import type { Leftover, LetGo } from '../../../shared/engine-protocol.ts'
import { fail } from '../../../shared/failure.ts'
import { JobId } from '../../../shared/model/ids.ts'
import type { Core } from '../core.ts'
import { allPlaces, requireHost } from './host-book.ts'

/** What interrupted jobs left on a host, in its VMs and in every store that it is known to have. */
export async function examineHost(core: Core, host: string, repair: boolean): Promise<Leftover[]> {
  const settings = core.settings.read()
  requireHost(settings, host)
  const stores = allPlaces(settings).flatMap((place) =>
    place.kind === 'host' && place.host === host ? [place.dir] : []
  )
  return (await core.connections.engine(host)).call('doctor', { stores, repair }, { timeoutMs: 1_200_000 })
}

/** Lets go of what a restore has replaced on a host and kept aside. */
export async function letGoOf(core: Core, host: string, id: string): Promise<LetGo> {
  requireHost(core.settings.read(), host)
  if (!JobId.safeParse(id).success) fail({ kind: 'usage', message: `${id} is not the id of a restore` })
  return (await core.connections.engine(host)).call('let-go', { id }, { timeoutMs: 1_200_000 })
}
