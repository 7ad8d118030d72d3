import type { Steps } from './glob.ts'
import type { Policy, RunReport } from './model/policy.ts'
import { isSelected } from './select-vms.ts'
import type { HostPolicies, PoliciesView, PolicyState } from './views/policy-view.ts'

/** A policy that backs up a VM. */
export interface Covering {
  readonly id: string
  readonly name: string
  readonly host: string
  /** Paused now, until then. */
  readonly pausedUntil?: string
}

/**
 * Why nobody here knows whether others back it up as well: its host has more than are shown of one, and none of those; or it would
 * take too long to compare their patterns with its name.
 */
export type NotKnown = 'left-out' | 'too-many-patterns'

/** What its policies promise for a VM. */
export interface Cover {
  readonly policies: readonly Covering[]
  /** Undefined: these are all. */
  readonly notKnown: NotKnown | undefined
  /** The soonest run of those that are not paused. */
  readonly nextRunAt: string | undefined
  /** The shortest of what they promise; undefined where every one is paused, or there is none. */
  readonly expectWithinMs: number | undefined
  /** When a promise is broken, unless a good point comes before. */
  readonly dueAtMs: number | undefined
}

interface Named {
  readonly uuid: string
  readonly name: string
  readonly host: string
  /** Of its newest good point. */
  readonly takenAt: string | undefined
}

/** How old the newest good point of a VM may be, by this policy. Undefined: it promises none, for it does not come again. */
export type Expect = (policy: Policy, of: Pick<HostPolicies, 'host' | 'timeZone'>, now: Date) => number | undefined

/**
 * Which policies of its host mean a VM, and what they promise, for all VMs that are judged together: what is the same for each
 * of them is found out once. What a host last said counts while it is silent.
 */
export class Covers {
  private readonly ofHosts: ReadonlyMap<string, PoliciesOfHost>

  constructor(policies: PoliciesView | undefined, expect: Expect, now: Date) {
    this.ofHosts = new Map(policies?.hosts.map((each) => [each.host, new PoliciesOfHost(each, expect, now)]))
  }

  of(vm: Named): Cover {
    return this.ofHosts.get(vm.host)?.coverOf(vm) ?? NO_COVER
  }
}

const NO_COVER: Cover = {
  ...{ policies: [], notKnown: undefined, nextRunAt: undefined, expectWithinMs: undefined, dueAtMs: undefined }
}

/**
 * Steps of comparing with patterns, as they are made, for one VM and for all of a host: two or three for each pattern that does not
 * fit. A hundred schedules of ten patterns each are compared with a thousand VMs.
 */
const MOST_STEPS = { ofVm: 100_000, ofHost: 4_000_000 } as const

class PoliciesOfHost {
  private readonly promising: readonly Promising[]
  private readonly nowMs: number
  private readonly hasMore: boolean
  private steps: number = MOST_STEPS.ofHost

  constructor({ policies, leftOut = 0, ...host }: HostPolicies, expect: Expect, now: Date) {
    this.nowMs = now.getTime()
    this.hasMore = leftOut > 0
    this.promising = policies.map((state) => new Promising(state, host, expect, now))
  }

  coverOf(vm: Named): Cover {
    const { covering, areAll } = this.meaning(vm)
    const active = covering.filter(({ isPaused }) => !isPaused)
    const takenAtMs = past(vm.takenAt, this.nowMs)
    const within = active.map((each) => each.withinMs)
    const due = active.map((each, n) => Math.max(takenAtMs, each.countsFrom(vm)) + (within[n] ?? Infinity))
    return {
      policies: covering.map((each) => each.covering),
      notKnown: this.notKnown(covering, areAll),
      nextRunAt: first(active.map(({ nextRunAt }) => nextRunAt)),
      expectWithinMs: smallest(within),
      dueAtMs: smallest(due)
    }
  }

  /** Those that mean the VM. Where it would take too long to find out, those that were found until then. */
  private meaning(vm: Named): { readonly covering: readonly Promising[]; readonly areAll: boolean } {
    const most = Math.min(MOST_STEPS.ofVm, this.steps)
    const steps: Steps = { left: most }
    const covering: Promising[] = []
    for (const each of this.promising) {
      steps.left -= 1
      const isMeant = each.means(vm, steps)
      if (steps.left <= 0) break
      if (isMeant) covering.push(each)
    }
    this.steps -= most - steps.left
    return { covering, areAll: steps.left > 0 }
  }

  private notKnown({ length }: readonly Promising[], areAll: boolean): NotKnown | undefined {
    if (!areAll) return 'too-many-patterns'
    return this.hasMore && length === 0 ? 'left-out' : undefined
  }
}

/** A policy, with what is the same for each VM. */
class Promising {
  readonly covering: Covering
  readonly isPaused: boolean
  readonly nextRunAt: string | undefined
  private readonly state: PolicyState
  private readonly chosen: ReadonlySet<string> | undefined
  private readonly expected: () => number | undefined
  private readonly pastMs: { readonly pausedUntilMs: number; readonly changedAtMs: number; readonly ranAtMs: number }
  private known: { readonly withinMs: number | undefined } | undefined

  constructor(state: PolicyState, of: Pick<HostPolicies, 'host' | 'timeZone'>, expect: Expect, now: Date) {
    const { policy, nextRunAt } = state
    const { id, name, pausedUntil } = policy
    const nowMs = now.getTime()
    this.state = state
    this.pastMs = {
      pausedUntilMs: past(pausedUntil, nowMs),
      changedAtMs: past(policy.changedAt, nowMs),
      ranAtMs: past(state.lastRun?.startedAt, nowMs)
    }
    this.isPaused = isPaused(policy, now)
    this.covering = {
      ...{ id, name, host: of.host },
      ...(pausedUntil !== undefined && this.isPaused && { pausedUntil })
    }
    this.nextRunAt = nextRunAt
    this.chosen = policy.vms.kind === 'chosen' ? new Set(policy.vms.vms.map(({ uuid }) => uuid)) : undefined
    this.expected = () => expect(policy, of, now)
  }

  get withinMs(): number | undefined {
    this.known ??= { withinMs: this.expected() }
    return this.known.withinMs
  }

  means(vm: Named, steps: Steps): boolean {
    return this.chosen?.has(vm.uuid) ?? isSelected(this.state.policy.vms, vm, steps)
  }

  /**
   * Nobody waits for a policy before it could run: it was paused, it is new, or the VM is newer than its last run, which did not
   * find it. Of a VM without a point every change of the policy counts as new.
   */
  countsFrom({ uuid, takenAt }: Named): number {
    const { pausedUntilMs, changedAtMs, ranAtMs } = this.pastMs
    if (takenAt !== undefined) return Math.max(pausedUntilMs, this.state.lastRun === undefined ? changedAtMs : 0)
    const isNewVm = this.found.size > 0 && !this.found.has(uuid)
    return Math.max(pausedUntilMs, changedAtMs, isNewVm ? ranAtMs : 0)
  }

  private get found(): ReadonlySet<string> {
    const { lastRun } = this.state
    return lastRun === undefined ? NONE : foundBy(lastRun)
  }
}

const NONE: ReadonlySet<string> = new Set()
/** VMs by UUID, of runs that were looked at: what was said of one does not change. */
const found = new WeakMap<RunReport, ReadonlySet<string>>()

function foundBy(run: RunReport): ReadonlySet<string> {
  const uuids = found.get(run) ?? new Set(run.vms.map(({ vm }) => vm.uuid))
  found.set(run, uuids)
  return uuids
}

/** 0: it is not past, or there is no such time. */
function past(at: string | undefined, nowMs: number): number {
  const ms = at === undefined ? 0 : Date.parse(at)
  return ms <= nowMs ? ms : 0
}

export const isPaused = ({ pausedUntil }: Policy, now: Date): boolean =>
  pausedUntil !== undefined && Date.parse(pausedUntil) > now.getTime()

function first(times: readonly (string | undefined)[]): string | undefined {
  let soonest: string | undefined
  for (const at of times) if (at !== undefined && (soonest === undefined || at < soonest)) soonest = at
  return soonest
}

function smallest(values: readonly (number | undefined)[]): number | undefined {
  let least = Infinity
  for (const value of values) if (value !== undefined && value < least) least = value
  return least === Infinity ? undefined : least
}
