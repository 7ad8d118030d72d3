import type { Policy, RunReport } from '../../shared/model/policy.ts'
import type { Digest, DigestPart } from './digest-message.ts'
import type { SilentVm } from './message.ts'
import { nextRunAt } from '../../shared/schedule/next-run.ts'

type Cadence = Digest['cadence']

/** At seven in the morning of the host. */
const HOUR = 7
const HOUR_MS = 3_600_000

/** The last time at or before now that a digest was wanted: every day, or every Monday. In this process's time zone. */
export function lastSlot(cadence: Cadence, now: Date): Date {
  const slot = new Date(now.getFullYear(), now.getMonth(), now.getDate(), HOUR)
  if (slot > now) slot.setDate(slot.getDate() - 1)
  const sinceMonday = (slot.getDay() + 6) % 7
  if (cadence === 'weekly') slot.setDate(slot.getDate() - sinceMonday)
  return slot
}

export interface DigestNews {
  readonly policies: readonly Policy[]
  /** Until when the runs of a policy have been in a digest. */
  readonly told: Readonly<Record<string, string>>
  /** Newest first; those that are younger than `since`, running ones too. */
  readonly runsSince: (policy: string, since: Date) => readonly RunReport[]
  readonly silent: readonly SilentVm[]
}

export interface DueDigests {
  readonly digests: readonly (Digest & { readonly mailTo: readonly string[] })[]
  /** To be remembered before anything of it is sent. */
  readonly told: Readonly<Record<string, string>>
}

/**
 * Digests that are due, one for all policies that share cadence and readers. A policy that is new here, or was told of by
 * a clock that has been put back since, begins now.
 */
export function dueDigests({ policies, told, runsSince, silent }: DigestNews, now: Date, zone: string): DueDigests {
  const wanting = policies.flatMap((policy) =>
    policy.tell.digest === 'none' ? [] : [{ policy, cadence: policy.tell.digest, since: sinceOf(told[policy.id], now) }]
  )
  const due = wanting.filter(({ cadence, since }) => lastSlot(cadence, now) > since)
  const groups = Map.groupBy(due, ({ policy, cadence }) => JSON.stringify([cadence, policy.tell.mailTo.toSorted()]))
  const digests = [...groups.values()].flatMap((group) => {
    const [first] = group
    if (first === undefined) return []
    const parts = group.map(({ policy, since }) => partOf(policy, since, runsSince, silent, now, zone))
    const { cadence, policy } = first
    return [{ cadence, slot: lastSlot(cadence, now), at: now, parts, mailTo: policy.tell.mailTo }]
  })
  const until = (each: (typeof wanting)[number]): Date => (due.includes(each) ? now : each.since)
  return { digests, told: Object.fromEntries(wanting.map((each) => [each.policy.id, until(each).toISOString()])) }
}

/** Whether there is one, before anything is gathered for it. */
export const hasDueDigest = (policies: readonly Policy[], told: DigestNews['told'], now: Date): boolean =>
  policies.some(({ id, tell: { digest } }) => digest !== 'none' && lastSlot(digest, now) > sinceOf(told[id], now))

function sinceOf(told: string | undefined, now: Date): Date {
  const since = told === undefined ? now : new Date(told)
  return since > now ? now : since
}

function partOf(
  policy: Policy,
  since: Date,
  runsSince: DigestNews['runsSince'],
  silent: readonly SilentVm[],
  now: Date,
  zone: string
): DigestPart {
  // A run may have begun long before the last digest and ended after it.
  const runs = runsSince(policy.id, new Date(since.getTime() - 48 * HOUR_MS))
  const ended = runs.filter(({ endedAt }) => endedAt !== undefined && Date.parse(endedAt) > since.getTime())
  const silentOnes = silent.filter((each) => each.policy.id === policy.id)
  return { policy, since, runs: ended.toReversed(), silent: silentOnes, nextRunAt: nextRunAt(policy, zone, now) }
}
