import { downtimesOf, type Downtime, type TimedPoint } from '../../../shared/downtimes.ts'
import type { Manifest } from '../../../shared/model/point.ts'
import type { Core } from '../core.ts'
import { listJobs, type Unreachable } from '../jobs/jobs.ts'
import { listPoints } from './list-points.ts'

/** What every host and every store that answers knows, of one VM or of all. Oldest first. */
export async function downtimes(
  core: Core,
  vm: string | undefined
): Promise<{ entries: readonly Downtime[]; unreachable: readonly Unreachable[] }> {
  const [{ jobs, unreachable }, { points }] = await Promise.all([listJobs(core), listPoints(core)])
  const all = downtimesOf(
    jobs,
    points.map(({ manifest }) => timed(manifest))
  )
  return { entries: all.filter((entry) => vm === undefined || isOf(entry, vm)), unreachable }
}

const isOf = (entry: Downtime, vm: string): boolean =>
  [entry.vm, entry.vmUuid, `${entry.host}/${entry.vm}`, `${entry.host}/${entry.vmUuid}`].includes(vm)

const timed = ({ host, ...manifest }: Manifest): TimedPoint => ({ ...manifest, host: host.name })
