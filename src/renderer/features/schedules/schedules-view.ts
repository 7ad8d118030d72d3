import { formatAge } from '../../../shared/format.ts'
import { safeText } from '../../../shared/safe-text.ts'
import { selectVms } from '../../../shared/select-vms.ts'
import type { HostView, VmView } from '../../../shared/views/host-view.ts'
import type { HostPolicies, PolicyState } from '../../../shared/views/policy-view.ts'
import type { Tone } from '../../ui/state-mark.tsx'
import { pausedNow } from './policy-words.ts'
import { words } from './words.ts'

/** A policy, where it is, and the VMs that it means now. */
export interface PolicyRow {
  readonly key: string
  readonly at: HostPolicies
  readonly state: PolicyState
  /** Undefined: what VMs its host has is not known. */
  readonly vms: readonly VmView[] | undefined
}

export const rowOf = (at: HostPolicies, state: PolicyState, hosts: readonly HostView[] | undefined): PolicyRow => {
  const host = hosts?.find(({ name }) => name === at.host)
  const isSeen = host?.asOf !== undefined
  return { key: state.policy.id, at, state, vms: isSeen ? selectVms(state.policy.vms, host.vms) : undefined }
}

/** By name, as people sort. */
export function rowsOf(at: HostPolicies, hosts: readonly HostView[] | undefined): readonly PolicyRow[] {
  const { compare } = new Intl.Collator(undefined, { numeric: true })
  return at.policies
    .map((state) => rowOf(at, state, hosts))
    .sort((a, b) => compare(a.state.policy.name, b.state.policy.name))
}

export interface PolicyStanding {
  readonly tone: Tone
  readonly label: string
  /** Why, in words. */
  readonly why: string | undefined
}

/** How a policy does, worst first: what keeps it from running, the last run, a pause. */
export function standingOf({ policy, problem, lastRun }: PolicyState, now: Date): PolicyStanding {
  const { standing } = words
  if (problem !== undefined) return { tone: 'danger', label: standing.problem, why: safeText(problem) }
  if (lastRun?.state === 'running') return { tone: 'busy', label: standing.running, why: undefined }
  const paused = pausedNow(policy, now)
  if (paused !== undefined) return { tone: 'paused', label: standing.paused, why: words.pausedUntil(paused.until, now) }
  if (lastRun === undefined) return { tone: 'unknown', label: standing.never, why: undefined }
  if (lastRun.missedCount > 0 && lastRun.state === 'done')
    return { tone: 'attention', label: standing.missed(lastRun.missedCount), why: safeText(missedWhy(lastRun)) }
  return { ...standing.last[lastRun.state], why: lastRun.reason && safeText(lastRun.reason) }
}

const missedWhy = ({ missed }: NonNullable<PolicyState['lastRun']>): string => missed[0]?.reason ?? ''

/** Which policies, of one host or of all, in a sentence for the top of the page. */
export function subtitleOf(hosts: readonly HostPolicies[], now: Date): string {
  const all = hosts.flatMap(({ policies }) => policies)
  if (all.length === 0) return words.subtitle
  const bad = all.filter((state) => standingOf(state, now).tone === 'danger').length
  return words.counted(all.length, hosts.filter(({ policies }) => policies.length > 0).length, bad)
}

/** Of a host that does not answer: how old all of this is. */
export const ageOf = ({ asOf }: Pick<HostPolicies, 'asOf'>, now: Date): string =>
  formatAge(Math.max(0, now.getTime() - Date.parse(asOf)))
