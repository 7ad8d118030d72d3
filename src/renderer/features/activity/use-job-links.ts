import type { JobView } from '../../../shared/views/job-view.ts'
import { useWindow } from '../../state/store-context.ts'
import type { Fact } from './job-view.ts'

export interface JobLinks {
  /** The job's point is in some store. */
  readonly hasPoint: boolean
  readonly restore: () => void
  readonly follow: (link: NonNullable<Fact['link']>) => void
}

/** Where a job leads to: its VM, its host, its point. */
export function useJobLinks({ host, vm, point }: JobView): JobLinks {
  const go = useWindow((state) => state.go)
  const hasPoint = useWindow((state) => state.points?.points.some(({ id }) => id === point) === true)
  return {
    hasPoint,
    restore: () => go({ screen: 'restore', ...(point !== undefined && { point }) }),
    follow: (link) => {
      if (link === 'host') go({ screen: 'hosts', host })
      else go({ screen: 'vm', host, vm: vm.uuid, ...(link === 'point' && point !== undefined && { point }) })
    }
  }
}
