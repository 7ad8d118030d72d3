import type { JobView } from '../../../shared/views/job-view.ts'
import { pointCalled, pointName } from '../../../shared/point-name.ts'
import type { Route } from '../../state/route-slice.ts'
import { useWindow } from '../../state/store-context.ts'
import type { Fact } from './job-view.ts'

type Link = NonNullable<Fact['link']>

export interface JobLinks {
  /** The job's point is in some store. */
  readonly hasPoint: boolean
  readonly restore: () => void
  readonly follow: (link: Link) => void
}

/** Where a job leads to: its VM, its host, its point, its schedule. */
export function useJobLinks(job: JobView): JobLinks {
  const go = useWindow((state) => state.go)
  // That of the job's host, where another has another one of its id.
  const point = useWindow(({ points }) => {
    const found = job.point === undefined ? undefined : pointCalled(points?.points ?? [], job.point, job.host)
    return found && pointName(found)
  })
  return {
    hasPoint: point !== undefined,
    restore: () => go({ screen: 'restore', ...(point !== undefined && { point }) }),
    follow: (link) => go(routeTo({ ...job, point: point ?? job.point }, link))
  }
}

function routeTo({ host, vm, point, policy, run, copyOf }: JobView, link: Link): Route {
  switch (link) {
    case 'host':
      return { screen: 'hosts', host }
    case 'policy':
    case 'run':
      return {
        screen: 'schedules',
        host,
        ...(policy && { policy: policy.id }),
        ...(link === 'run' && run !== undefined && { run })
      }
    case 'copy-of':
      return { screen: 'vm', host, vm: copyOf?.uuid ?? vm.uuid }
    case 'vm':
    case 'point':
      return { screen: 'vm', host, vm: vm.uuid, ...(link === 'point' && point !== undefined && { point }) }
  }
}
