import type { Leftover } from '../../../shared/engine-protocol.ts'
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
