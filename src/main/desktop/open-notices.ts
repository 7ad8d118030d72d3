import type { JobView } from '../../shared/views/job-view.ts'
import type { NoticeView } from '../../shared/views/notice-view.ts'
import type { Seen } from './mirror.ts'

/** Warnings and failures that nobody has acknowledged and no later success has superseded. Failures first. */
export function openNotices(seen: Seen): readonly NoticeView[] {
  const open = seen.notices.filter(
    (notice) =>
      !notice.acknowledged &&
      (notice.severity === 'failure' || notice.severity === 'warning') &&
      !isSuperseded(notice, seen)
  )
  return open.toSorted((a, b) => Number(b.severity === 'failure') - Number(a.severity === 'failure'))
}

/** A backup of the same VM worked since, somebody knows about it or muted the VM, or the host answers again. */
function isSuperseded({ goTo, at }: NoticeView, { jobs = [], hosts = [], choices }: Seen): boolean {
  if (goTo?.screen === 'job') {
    const job = jobs.find(({ id }) => id === goTo.job)
    const isKnown = choices?.acknowledged.some(({ what }) => what === goTo.job) === true
    const isMuted = job?.kind === 'backup' && choices?.muted.some(({ uuid }) => uuid === job.vm.uuid) === true
    if (isKnown || isMuted) return true
    return job !== undefined && jobs.some((later) => isSame(job, later) && wentWellAfter(later, at))
  }
  if (goTo?.screen === 'vm')
    return jobs.some((later) => later.kind === 'backup' && later.vm.uuid === goTo.vm && wentWellAfter(later, at))
  if (goTo?.screen === 'hosts' && goTo.host !== undefined)
    return hosts.some(({ name, state, asOf = '' }) => name === goTo.host && state === 'up' && asOf > at)
  return false
}

const isSame = (job: JobView, other: JobView): boolean => job.kind === other.kind && job.vm.uuid === other.vm.uuid

const wentWellAfter = ({ state, endedAt = '' }: JobView, at: string): boolean =>
  (state === 'done' || state === 'done-with-warnings') && endedAt > at
