import { safetyOf, type Known, type VmSafety } from '../../shared/safety.ts'
import { useNow } from '../ui/use-now.ts'
import { lastOf } from './last-of.ts'
import { useWindow } from './store-context.ts'

const computed = lastOf(
  (
    hosts: Known['hosts'],
    points: Known['points'],
    jobs: Known['jobs'],
    choices: Known['choices'],
    policies: Known['policies'],
    now: Date
  ): readonly VmSafety[] => safetyOf({ hosts, points, jobs, choices, policies }, now)
)

/** Every VM and how safe it is, worst first. What only moves in running jobs changes nothing here. */
export function useSafety(): readonly VmSafety[] {
  const hosts = useWindow((state) => state.hosts)
  const points = useWindow((state) => state.points)
  const jobs = useWindow((state) => state.jobs)
  const choices = useWindow((state) => state.choices)
  const policies = useWindow((state) => state.policies)
  return computed(hosts, points, jobs, choices, policies, useNow())
}
