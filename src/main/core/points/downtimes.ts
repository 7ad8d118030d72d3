import { downtimesOf, type Downtime } from '../../../shared/downtimes.ts'
import type { Manifest } from '../../../shared/model/point.ts'
import type { Core } from '../core.ts'
import { originOf } from '../hosts/twins.ts'
import { listJobs, type Unreachable } from '../jobs/jobs.ts'
import type { HostRecord } from '../settings/settings-schema.ts'
import { listPoints } from './list-points.ts'

/** What every host and every store that answers knows, of one VM or of all. Oldest first. */
export async function downtimes(
  core: Core,
  vm: string | undefined
): Promise<{ entries: readonly Downtime[]; unreachable: readonly Unreachable[] }> {
  const [{ jobs, unreachable }, { points }] = await Promise.all([listJobs(core), listPoints(core)])
  const { hosts } = core.settings.read()
  const named = points.map(({ manifest, places }) => ({
    ...manifest,
    host: calledHere(hosts, manifest),
    places: places.map((place) => (place.kind === 'host' ? { host: place.host } : {}))
  }))
  const all = downtimesOf(jobs, named)
  return { entries: all.filter((entry) => vm === undefined || isOf(entry, vm)), unreachable }
}

const isOf = (entry: Downtime, vm: string): boolean =>
  [entry.vm, entry.vmUuid, `${entry.host}/${entry.vm}`, `${entry.host}/${entry.vmUuid}`].includes(vm)

/** A point has the name that whoever made it gave its host; the machine may have another one here. */
const calledHere = (hosts: readonly HostRecord[], { host }: Manifest): string =>
  originOf(hosts, host)?.name ?? host.name
