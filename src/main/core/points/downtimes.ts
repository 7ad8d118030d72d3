import { downtimesOf, type Downtime } from '../../../shared/downtimes.ts'
import { isOfHost } from '../../../shared/point-name.ts'
import type { Core } from '../core.ts'
import { listJobs, type Unreachable } from '../jobs/jobs.ts'
import { listPoints } from './list-points.ts'
import { originsIn } from './point-origin.ts'

/** What every host and every store that answers knows, of one VM (NAME, UUID, or either behind HOST/) or of all. Oldest first. */
export async function downtimes(
  core: Core,
  vm: string | undefined
): Promise<{ entries: readonly Downtime[]; unreachable: readonly Unreachable[] }> {
  const [{ jobs, unreachable }, list] = await Promise.all([listJobs(core), listPoints(core)])
  const originOf = await originsIn(core, list)
  const points = list.points.map((point) => ({
    ...point.manifest,
    ...originOf(point),
    places: point.places.map((place) => (place.kind === 'host' ? { host: place.host } : {}))
  }))
  const all = downtimesOf(jobs, points)
  const ours = new Set(core.settings.read().hosts.map(({ name }) => name))
  return { entries: all.filter((entry) => vm === undefined || isOf(entry, vm, ours)), unreachable }
}

/** Names of VMs have no slash; what a host makes up is found by its UUID. */
function isOf(entry: Downtime, sought: string, ours: ReadonlySet<string>): boolean {
  const slash = sought.lastIndexOf('/')
  const [host, vm] = slash === -1 ? [undefined, sought] : [sought.slice(0, slash), sought.slice(slash + 1)]
  return [entry.vm, entry.vmUuid].includes(vm) && (host === undefined || isOfHost(entry, host, ours.has(host)))
}
