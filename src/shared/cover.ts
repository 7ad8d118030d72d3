import type { Policy } from './model/policy.ts'
import { isSelected } from './select-vms.ts'
import type { PoliciesView, PolicyState } from './views/policy-view.ts'

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

interface Promising {
  readonly state: PolicyState
  readonly host: string
  readonly timeZone: string
}

interface Named {
  readonly uuid: string
  readonly name: string
  readonly host: string
  /** Of its newest good point. */
  readonly takenAt: string | undefined
}

/** How old the newest good point of a VM may be, by this policy. Undefined: it promises none, for it does not come again. */
export type Expect = (policy: Policy, of: Pick<Promising, 'host' | 'timeZone'>, now: Date) => number | undefined

/** Which policies of its host mean a VM, and what they promise. What a host last said counts while it is silent. */
export function coverOf(vm: Named, policies: PoliciesView | undefined, expect: Expect, now: Date): Cover {
  const covering = (policies?.hosts ?? [])
    .filter(({ host }) => host === vm.host)
    .flatMap(({ host, timeZone, policies: states }) => meaning(vm, states).map((state) => ({ state, host, timeZone })))
  const active = covering.filter(({ state }) => !isPaused(state.policy, now))
  const promised = active.flatMap((each) => {
    const withinMs = expect(each.state.policy, each, now)
    return withinMs === undefined ? [] : [{ withinMs, dueAtMs: countsFrom(each.state, vm, now) + withinMs }]
  })
  const nextRuns = active.flatMap(({ state }) => state.nextRunAt ?? []).sort()
  return {
    policies: covering.map((each) => coveringOf(each, now)),
    nextRunAt: nextRuns[0],
    expectWithinMs: smallest(promised.map(({ withinMs }) => withinMs)),
    dueAtMs: smallest(promised.map(({ dueAtMs }) => dueAtMs))
  }
}

/** Steps of comparing with patterns, for one VM: honest policies take some hundred. */
const MOST_STEPS = 100_000

/** Those that mean the VM. Where it would take too long to find out, of the first that it does not take too long of. */
function meaning(vm: Named, states: readonly PolicyState[]): readonly PolicyState[] {
  let steps = 0
  return states.filter(({ policy: { vms } }) => {
    if (steps > MOST_STEPS) return false
    steps += stepsOf(vms, vm.name)
    return steps <= MOST_STEPS && isSelected(vms, vm)
  })
}

/** At most; names of chosen VMs are not looked at. */
function stepsOf(selection: Policy['vms'], name: string): number {
  if (selection.kind === 'chosen') return selection.vms.length
  const patterns = selection.kind === 'all' ? selection.exclude : [...selection.patterns, ...selection.exclude]
  return patterns.reduce((sum, pattern) => sum + pattern.length * (pattern.includes('*') ? name.length : 1), 0)
}

export const isPaused = ({ pausedUntil }: Policy, now: Date): boolean =>
  pausedUntil !== undefined && Date.parse(pausedUntil) > now.getTime()

function coveringOf({ state: { policy }, host }: Promising, now: Date): Covering {
  const { id, name, pausedUntil } = policy
  return { id, name, host, ...(pausedUntil !== undefined && isPaused(policy, now) && { pausedUntil }) }
}

/**
 * From the newest good point on; and nobody waits for a policy before it could run: it was paused, it is new, or the VM
 * is newer than its last run, which did not find it. Of a VM without a point every change of the policy counts as new.
 */
function countsFrom({ policy, lastRun }: PolicyState, { uuid, takenAt }: Named, now: Date): number {
  const found = lastRun?.vms ?? []
  const isNewVm = takenAt === undefined && found.length > 0 && !found.some(({ vm }) => vm.uuid === uuid)
  const starts = [
    takenAt,
    policy.pausedUntil,
    lastRun === undefined || takenAt === undefined ? policy.changedAt : undefined,
    isNewVm ? lastRun?.startedAt : undefined
  ]
  const past = starts.flatMap((at) => (at === undefined ? [] : Date.parse(at))).filter((ms) => ms <= now.getTime())
  return Math.max(0, ...past)
}

const smallest = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : Math.min(...values)
