import { selectVms } from '../../shared/select-vms.ts'
import type { Policy, RunReport } from '../../shared/model/policy.ts'
import { expectedWithinMs } from '../../shared/schedule/expectation.ts'
import type { SilentVm } from './message.ts'

const HOUR_MS = 3_600_000
/** Once a day; a little less, as the timer does not come at the same second each day. */
const TOLD_AGAIN_MS = 24 * HOUR_MS - 10 * 60_000

interface Named {
  readonly uuid: string
  readonly name: string
}

export interface Known {
  readonly policies: readonly Policy[]
  /** All VMs of this host. */
  readonly vms: readonly Named[]
  /** When the newest good point of a VM was taken, by UUID. */
  readonly lastGood: ReadonlyMap<string, string>
  /** The newest run that has ended, by policy. */
  readonly lastRun: ReadonlyMap<string, RunReport>
}

/** VMs that a policy covers and that have no good point as new as it promises; each once, the longest overdue first. */
export function silentVms(known: Known, now: Date, zone: string): SilentVm[] {
  const all = known.policies
    .filter(({ pausedUntil }) => pausedUntil === undefined || Date.parse(pausedUntil) <= now.getTime())
    .flatMap((policy) => silentOf(policy, known, now, zone))
    .sort((a, b) => a.since.localeCompare(b.since))
  return all.filter(({ vm }, n) => all.findIndex((other) => other.vm.uuid === vm.uuid) === n)
}

function silentOf(policy: Policy, known: Known, now: Date, zone: string): SilentVm[] {
  const expectedEveryMs = expectedMs(policy, now, zone)
  if (expectedEveryMs === undefined) return []
  return selectVms(policy.vms, known.vms).flatMap((vm) => {
    const lastGoodAt = known.lastGood.get(vm.uuid)
    const from = countsFrom(policy, vm, lastGoodAt, known.lastRun.get(policy.id), now)
    const since = from === undefined ? now.getTime() : from + expectedEveryMs
    if (since > now.getTime()) return []
    const { uuid, name } = vm
    const about = { vm: { uuid, name }, policy: { id: policy.id, name: policy.name } }
    const last = lastGoodAt !== undefined && { lastGoodAt }
    return [{ ...about, ...last, since: new Date(since).toISOString(), expectedEveryMs }]
  })
}

const expectedMs = ({ expectEveryHours, schedule }: Policy, now: Date, zone: string): number | undefined =>
  expectEveryHours === undefined ? expectedWithinMs(schedule, zone, now) : expectEveryHours * HOUR_MS

/**
 * Nobody expects anything before the policy is there or went on, nor of a VM that its last run did not see yet. Saved anew it
 * is no new one, for a VM that has a point. What a clock that was ahead has noted does not count. Undefined: nothing is known
 * that is past.
 */
function countsFrom(
  policy: Policy,
  vm: Named,
  lastGoodAt: string | undefined,
  lastRun: RunReport | undefined,
  now: Date
): number | undefined {
  const isNewer = lastRun !== undefined && lastRun.vms.length > 0 && !lastRun.vms.some((run) => run.vm.uuid === vm.uuid)
  const starts = [
    lastGoodAt,
    policy.pausedUntil,
    lastRun === undefined || lastGoodAt === undefined ? policy.changedAt : undefined,
    isNewer ? lastRun.startedAt : undefined
  ]
  const past = starts.flatMap((at) => (at === undefined ? [] : Date.parse(at))).filter((ms) => ms <= now.getTime())
  return past.length === 0 ? undefined : Math.max(...past)
}

export interface DueSilence {
  /** To be told now, by who is to hear of it. */
  readonly groups: readonly { readonly mailTo: readonly string[]; readonly silent: readonly SilentVm[] }[]
  /** To be remembered before anything of it is sent. */
  readonly told: Readonly<Record<string, string>>
}

/** Each silent VM once a day, for policies that tell of failures. A VM that has a good point again begins anew. */
export function dueSilence(
  silent: readonly SilentVm[],
  policies: readonly Policy[],
  told: Readonly<Record<string, string>>,
  now: Date
): DueSilence {
  const rules = new Map(policies.map(({ id, tell }) => [id, tell]))
  const heard = silent.filter(({ policy }) => rules.get(policy.id)?.onFailure === true)
  const due = heard.filter(({ vm }) => isDue(told[vm.uuid], now))
  const groups = Map.groupBy(due, ({ policy }) => JSON.stringify(rules.get(policy.id)?.mailTo ?? []))
  return {
    groups: [...groups].map(([mailTo, each]) => ({ mailTo: JSON.parse(mailTo) as string[], silent: each })),
    told: Object.fromEntries(heard.map(({ vm: { uuid } }) => [uuid, toldAt(told[uuid], now)]))
  }
}

function isDue(toldAt: string | undefined, now: Date): boolean {
  const ageMs = toldAt === undefined ? Infinity : now.getTime() - Date.parse(toldAt)
  return ageMs < 0 || ageMs >= TOLD_AGAIN_MS
}

const toldAt = (before: string | undefined, now: Date): string =>
  before === undefined || isDue(before, now) ? now.toISOString() : before
