import type { Policy, RunTrigger } from '../../shared/model/policy.ts'
import { isWithin, windowEnd } from '../../shared/schedule/window.ts'
import type { RunContext } from './run-context.ts'

/** How long VMs that somebody else has are waited for. */
const LONGEST_RUN_MS = 12 * 3_600_000

const hoursOf = ({ from, to }: NonNullable<Policy['schedule']['window']>): string => `${from} to ${to}`

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

/** Until when its VMs may begin. */
export function untilWhen(
  { schedule: { window } }: Policy,
  trigger: RunTrigger,
  timeZone: string,
  now: Date
): RunContext['until'] {
  const longest = { at: new Date(now.getTime() + LONGEST_RUN_MS), why: 'its turn did not come within 12 hours' }
  if (trigger === 'manual' || window === undefined) return longest
  const end = { at: windowEnd(window, timeZone, now), why: `its hours, ${hoursOf(window)}, ended before its turn` }
  return end.at < longest.at ? end : longest
}
