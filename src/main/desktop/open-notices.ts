import { isOtherCopy } from '../core/live/job-notice.ts'
import type { RunReport } from '../../shared/model/policy.ts'
import { runSeverity } from '../../shared/run-words.ts'
import { groupBy } from '../../shared/vm-places.ts'
import type { JobView } from '../../shared/views/job-view.ts'
import { problemInShort, type NoticeView, type Subject } from '../../shared/views/notice-view.ts'
import type { HostPolicies, PolicyState } from '../../shared/views/policy-view.ts'
import { isAbout, type Acknowledged, type MutedVm } from '../../shared/views/settings-view.ts'
import type { Seen } from './mirror.ts'

/** Warnings and failures that nobody has acknowledged and no later success has superseded. Failures first. */
export function openNotices(seen: Seen): readonly NoticeView[] {
  const told = seen.notices.filter(
    ({ acknowledged, severity }) => !acknowledged && (severity === 'failure' || severity === 'warning')
  )
  if (told.length === 0) return []
  const since = new WhatCameSince(seen)
  return told
    .filter((notice) => !since.supersedes(notice))
    .toSorted((a, b) => Number(b.severity === 'failure') - Number(a.severity === 'failure'))
}

interface Deed {
  readonly kind: string
  /** Undefined: notices of earlier Stillpoints do not say it. */
  readonly host?: string | undefined
  readonly vm: { readonly uuid: string }
}

type PolicySubject = Exclude<Subject, { what: 'job' }>

/** What is seen now, by what notices ask for: there may be two hundred of them, each about fifty things. */
class WhatCameSince {
  private readonly seen: Seen
  private readonly jobs: ReadonlyMap<string, JobView>
  /** When something last went well, by kind, VM and host, and by kind and VM alone. */
  private readonly wentWell = new Map<string, string>()
  /** How many hosts have a VM. */
  private readonly counts = new Map<string, number>()
  private readonly acknowledged: ReadonlyMap<string, readonly Acknowledged[]>
  private readonly muted: ReadonlyMap<string, readonly MutedVm[]>
  private readonly policies: ReadonlyMap<string, PoliciesOf>

  constructor(seen: Seen) {
    const { jobs = [], hosts = [], choices, policies } = seen
    this.seen = seen
    this.jobs = new Map(jobs.toReversed().map((job) => [job.id, job]))
    for (const job of jobs) this.note(job)
    for (const { vms } of hosts)
      for (const uuid of new Set(vms.map((vm) => vm.uuid))) this.counts.set(uuid, (this.counts.get(uuid) ?? 0) + 1)
    this.acknowledged = groupBy(choices?.acknowledged ?? [], ({ what }) => what)
    this.muted = groupBy(choices?.muted ?? [], ({ uuid }) => uuid)
    this.policies = new Map((policies?.hosts ?? []).map((said) => [said.host, new PoliciesOf(said)]))
  }

  /** What it is about is over; else by where it leads: a backup of the same VM worked since, or the host answers again. */
  supersedes({ about = [], goTo, at }: NoticeView): boolean {
    if (about.length > 0) return about.every((subject) => this.isOver(subject))
    if (goTo?.screen === 'job') {
      const job = this.jobs.get(goTo.job)
      if (this.isKnown(goTo.job, job?.kind, job?.host, job?.vm.uuid)) return true
      // What a copy lacks it lacks whatever is copied after it.
      return job !== undefined && !(wasDone(job) && isOtherCopy(job)) && this.wentWellAfter(job, at)
    }
    if (goTo?.screen === 'vm') return this.wentWellAfter({ kind: 'backup', host: goTo.host, vm: { uuid: goTo.vm } }, at)
    if (goTo?.screen === 'hosts' && goTo.host !== undefined)
      return (this.seen.hosts ?? []).some(
        ({ name, state, asOf = '' }) => name === goTo.host && state === 'up' && asOf > at
      )
    return false
  }

  private note(job: JobView): void {
    if (!wasDone(job)) return
    const { kind, host, vm, endedAt = '' } = job
    for (const key of [keyOf({ kind, host, vm }), keyOf({ kind, vm })])
      if (endedAt > (this.wentWell.get(key) ?? '')) this.wentWell.set(key, endedAt)
  }

  private wentWellAfter(deed: Deed, at: string): boolean {
    return (this.wentWell.get(keyOf(deed)) ?? '') > at
  }

  private isOver(subject: Subject): boolean {
    if (subject.what !== 'job') return this.policies.get(subject.host)?.isOver(subject) === true
    const { job, kind, host, vm, endedAt } = subject
    return this.isKnown(job, kind, host, vm) || this.wentWellAfter({ kind, host, vm: { uuid: vm } }, endedAt)
  }

  /** Somebody said that they know about it, or muted its VM. */
  private isKnown(job: string, kind?: string, host?: string, uuid?: string): boolean {
    if (this.acknowledged.get(job)?.some((known) => (known.host ?? host) === host) === true) return true
    if (kind !== 'backup' || host === undefined || uuid === undefined) return false
    const count = this.counts.get(uuid) ?? 0
    return this.muted.get(uuid)?.some((muted) => isAbout(muted, { host, uuid }, count)) === true
  }
}

const wasDone = ({ state }: JobView): boolean => state === 'done' || state === 'done-with-warnings'

const keyOf = ({ kind, host = '', vm }: Deed): string => `${kind}\0${vm.uuid}\0${host}`

/** What a host says of its policies, or last said. Of one that it has no longer, everything is over. */
class PoliciesOf {
  private readonly said: HostPolicies
  private readonly states: ReadonlyMap<string, PolicyState>
  private readonly problems: ReadonlyMap<string, string>
  private readonly waiting: ReadonlySet<string>
  constructor(said: HostPolicies) {
    this.said = said
    this.states = new Map(said.policies.toReversed().map((state) => [state.policy.id, state]))
    this.problems = new Map([...this.states].map(([id, { problem = '' }]) => [id, problemInShort(problem)]))
    this.waiting = new Set(said.outbox.map(({ id }) => id))
  }

  isOver(subject: PolicySubject): boolean {
    if (subject.what === 'policies') return this.said.reachable
    if (subject.what === 'message') return !this.waiting.has(subject.message)
    const state = this.states.get(subject.policy)
    if (subject.what === 'problem') return this.problems.get(subject.policy) !== problemInShort(subject.problem)
    if (state?.lastRun === undefined) return state === undefined
    const { id, endedAt, pruned } = state.lastRun
    if (id <= subject.run || endedAt === undefined) return false
    return subject.what === 'pruning' ? pruned?.refused.length === 0 : wentWell(state.lastRun)
  }
}

/** Runs that were looked at: what was said of one does not change, and it may be one of thousands of VMs. */
const areGood = new WeakMap<RunReport, boolean>()

function wentWell(run: RunReport): boolean {
  const isGood = areGood.get(run) ?? (run.state !== 'skipped' && runSeverity(run) !== 'failure')
  areGood.set(run, isGood)
  return isGood
}
