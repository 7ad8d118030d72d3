import type { Policy, RunTrigger } from '../../shared/model/policy.ts'
import { isWithin, windowEnd, type Window } from '../../shared/schedule/window.ts'

/** How long VMs that somebody else has are waited for. */
const LONGEST_RUN_MS = 12 * 3_600_000

const hoursOf = ({ from, to }: Window): string => `${from} to ${to}`

/** Why a run does not begin now. A run by hand always does. */
export function whyNotNow(
  { pausedUntil, schedule: { window } }: Policy,
  trigger: RunTrigger,
  timeZone: string,
  now: Date
): string | undefined {
  if (trigger === 'manual') return undefined
  if (pausedUntil !== undefined && Date.parse(pausedUntil) > now.getTime()) return `paused until ${pausedUntil}`
  if (window !== undefined && !isWithin(window, timeZone, now)) return `outside of its hours, ${hoursOf(window)}`
  return undefined
}

/** Until when its VMs may begin, as it looks when it begins. */
export function untilWhen(
  { schedule: { window } }: Policy,
  trigger: RunTrigger,
  timeZone: string,
  now: Date
): { readonly at: Date; readonly why: string } {
  const longest = { at: new Date(now.getTime() + LONGEST_RUN_MS), why: 'its turn did not come within 12 hours' }
  if (trigger === 'manual' || window === undefined) return longest
  const end = { at: windowEnd(window, timeZone, now), why: endedWords(window) }
  return end.at < longest.at ? end : longest
}

/**
 * Why no further VM begins, undefined while one may. How long it goes on is counted by a clock that never leaps, as the
 * host's may do behind a boot; the hours are those that the host's clock shows when it is asked.
 */
export function closing(policy: Policy, trigger: RunTrigger, timeZone: string, now: Date): () => string | undefined {
  const { at, why } = untilWhen(policy, trigger, timeZone, now)
  const { window } = policy.schedule
  const closesAt = performance.now() + at.getTime() - now.getTime()
  return () => {
    if (performance.now() >= closesAt) return why
    const isOpen = trigger === 'manual' || window === undefined || isWithin(window, timeZone, new Date())
    return isOpen ? undefined : endedWords(window)
  }
}

const endedWords = (window: Window): string => `its hours, ${hoursOf(window)}, ended before its turn`
