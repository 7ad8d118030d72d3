import { runSeverity } from '../../shared/run-words.ts'
import type { JobView } from '../../shared/views/job-view.ts'
import type { NoticeView, Subject } from '../../shared/views/notice-view.ts'
import type { HostPolicies } from '../../shared/views/policy-view.ts'
import { isAbout } from '../../shared/views/settings-view.ts'
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

/** What it is about is over; else by where it leads: a backup of the same VM worked since, or the host answers again. */
function isSuperseded({ about = [], goTo, at }: NoticeView, seen: Seen): boolean {
  if (about.length > 0) return about.every((subject) => isOver(subject, seen))
  const { jobs = [], hosts = [] } = seen
  if (goTo?.screen === 'job') {
    const job = jobs.find(({ id }) => id === goTo.job)
    return (
      isKnown(goTo.job, job?.kind, job?.host, job?.vm.uuid, seen) || (job !== undefined && wentWellAfter(job, at, jobs))
    )
  }
  if (goTo?.screen === 'vm') return wentWellAfter({ kind: 'backup', host: goTo.host, vm: { uuid: goTo.vm } }, at, jobs)
  if (goTo?.screen === 'hosts' && goTo.host !== undefined)
    return hosts.some(({ name, state, asOf = '' }) => name === goTo.host && state === 'up' && asOf > at)
  return false
}

function isOver(subject: Subject, seen: Seen): boolean {
  if (subject.what === 'job') {
    const { job, kind, host, vm, endedAt } = subject
    return (
      isKnown(job, kind, host, vm, seen) || wentWellAfter({ kind, host, vm: { uuid: vm } }, endedAt, seen.jobs ?? [])
    )
  }
  const said = seen.policies?.hosts.find(({ host }) => host === subject.host)
  return said !== undefined && isOverBy(said, subject)
}

/** By what a host says, or last said. Of a policy that it has no longer, everything is over. */
function isOverBy(said: HostPolicies, subject: Exclude<Subject, { what: 'job' }>): boolean {
  if (subject.what === 'policies') return said.reachable
  if (subject.what === 'message') return !said.outbox.some(({ id }) => id === subject.message)
  const state = said.policies.find(({ policy }) => policy.id === subject.policy)
  if (subject.what === 'problem') return state?.problem !== subject.problem
  const last = state?.lastRun
  if (last === undefined) return state === undefined
  if (last.id <= subject.run || last.endedAt === undefined) return false
  if (subject.what === 'pruning') return last.pruned?.refused.length === 0
  return last.state !== 'skipped' && runSeverity(last) !== 'failure'
}

/** Somebody said that they know about it, or muted its VM. */
function isKnown(
  job: string,
  kind: string | undefined,
  host: string | undefined,
  uuid: string | undefined,
  { choices, hosts = [] }: Seen
): boolean {
  if (choices?.acknowledged.some((known) => known.what === job && (known.host ?? host) === host) === true) return true
  if (kind !== 'backup' || host === undefined || uuid === undefined) return false
  const count = hosts.filter(({ vms }) => vms.some((vm) => vm.uuid === uuid)).length
  return choices?.muted.some((muted) => isAbout(muted, { host, uuid }, count)) === true
}

interface Deed {
  readonly kind: string
  /** Undefined: notices of earlier Stillpoints do not say it. */
  readonly host: string | undefined
  readonly vm: { readonly uuid: string }
}

const wentWellAfter = ({ kind, host, vm }: Deed, at: string, jobs: readonly JobView[]): boolean =>
  jobs.some(
    (later) =>
      later.kind === kind &&
      later.vm.uuid === vm.uuid &&
      (host === undefined || later.host === host) &&
      (later.state === 'done' || later.state === 'done-with-warnings') &&
      (later.endedAt ?? '') > at
  )
