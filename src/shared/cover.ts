import type { Policy } from './model/policy.ts'
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

/** What its policies promise for a VM. */
export interface Cover {
  readonly policies: readonly Covering[]
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

const NO_COVER: Cover = { policies: [], nextRunAt: undefined, expectWithinMs: undefined, dueAtMs: undefined }

/** Steps of comparing with patterns, for one VM and for all of a host: honest policies take some hundred for each VM. */
const MOST_STEPS = { ofVm: 100_000, ofHost: 4_000_000 } as const

class PoliciesOfHost {
  private readonly promising: readonly Promising[]
  private readonly nowMs: number
  private steps = 0

  constructor({ policies, ...host }: HostPolicies, expect: Expect, now: Date) {
    this.nowMs = now.getTime()
    this.promising = policies.map((state) => new Promising(state, host, expect, now))
  }

  coverOf(vm: Named): Cover {
    const covering = this.meaning(vm)
    const active = covering.filter(({ isPaused }) => !isPaused)
    const takenAtMs = past(vm.takenAt, this.nowMs)
    const within = active.map((each) => each.withinMs)
    const due = active.map((each, n) => Math.max(takenAtMs, each.countsFrom(vm)) + (within[n] ?? Infinity))
    return {
      policies: covering.map((each) => each.covering),
      nextRunAt: first(active.map(({ nextRunAt }) => nextRunAt)),
      expectWithinMs: smallest(within),
      dueAtMs: smallest(due)
    }
  }

  /** Those that mean the VM. Where it would take too long to find out, of the first that it does not take too long of. */
  private meaning(vm: Named): readonly Promising[] {
    let steps = 0
    return this.promising.filter((each) => {
      if (steps > MOST_STEPS.ofVm || this.steps > MOST_STEPS.ofHost) return false
      const taking = each.stepsFor(vm)
      steps += taking
      if (steps > MOST_STEPS.ofVm || this.steps + taking > MOST_STEPS.ofHost) return false
      this.steps += taking
      return each.means(vm)
    })
  }
}

/** A policy, with what is the same for each VM. */
class Promising {
  readonly covering: Covering
  readonly isPaused: boolean
  readonly nextRunAt: string | undefined
  private readonly state: PolicyState
  private readonly chosen: ReadonlySet<string> | undefined
  private readonly lengths: { readonly plain: number; readonly open: number }
  private readonly expected: () => number | undefined
  private readonly pastMs: { readonly pausedUntilMs: number; readonly changedAtMs: number; readonly ranAtMs: number }
  private known: { readonly withinMs: number | undefined } | undefined
  private uuidsFound: ReadonlySet<string> | undefined

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
    this.lengths = lengthsOf(policy.vms)
    this.expected = () => expect(policy, of, now)
  }

  get withinMs(): number | undefined {
    this.known ??= { withinMs: this.expected() }
    return this.known.withinMs
  }

  /** At most. */
  stepsFor({ name }: Named): number {
    return 1 + this.lengths.plain + this.lengths.open * name.length
  }

  means(vm: Named): boolean {
    return this.chosen?.has(vm.uuid) ?? isSelected(this.state.policy.vms, vm)
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

  /** By its last run. */
  private get found(): ReadonlySet<string> {
    this.uuidsFound ??= new Set(this.state.lastRun?.vms.map(({ vm }) => vm.uuid))
    return this.uuidsFound
  }
}

/** 0: it is not past, or there is no such time. */
function past(at: string | undefined, nowMs: number): number {
  const ms = at === undefined ? 0 : Date.parse(at)
  return ms <= nowMs ? ms : 0
}

/** Characters of its patterns: of those with a `*` each may be compared with each of a name. */
function lengthsOf(selection: Policy['vms']): { plain: number; open: number } {
  if (selection.kind === 'chosen') return { plain: 0, open: 0 }
  const patterns = selection.kind === 'all' ? selection.exclude : [...selection.patterns, ...selection.exclude]
  const sum = (isMeant: (pattern: string) => boolean): number =>
    patterns.reduce((length, pattern) => length + (isMeant(pattern) ? pattern.length : 0), 0)
  return { plain: sum((pattern) => !pattern.includes('*')), open: sum((pattern) => pattern.includes('*')) }
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
