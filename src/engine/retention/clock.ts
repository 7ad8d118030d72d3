import { existsSync, readdirSync } from 'node:fs'
import { LAB_MARKER, RUNS_DIR } from '../../shared/host-paths.ts'
import { timeOfId } from '../../shared/model/ids.ts'
import { RunId } from '../../shared/model/policy.ts'
import type { Shell } from '../../shared/shell.ts'
import { ENGINE_BUILT_AT } from '../version.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
/** Clocks of several hosts may differ by so much. */
const SLACK_MS = 10 * MINUTE_MS
const LONGEST_GAP_MS = 60 * DAY_MS
const TRUSTED_AFTER_MS = 7 * DAY_MS

export interface ClockFacts {
  readonly now: Date
  /** The day that the engine was built, where that is known. */
  readonly builtAt: string | undefined
  /** Instants that have been: points of the store, runs of this host. */
  readonly seen: readonly string[]
  /** Whether NTP vouches for the clock; asked only where it matters. */
  readonly isSynchronized: () => Promise<boolean>
}

/**
 * Why nothing may be deleted by this clock, in words; undefined if it can be believed. A clock that jumped ahead is believed
 * once NTP vouches for it, or it has gone on from there for a week: it makes graces run out and periods end at once.
 */
export async function clockProblem({ now, builtAt, seen, isSynchronized }: ClockFacts): Promise<string | undefined> {
  const says = `the clock of this host says ${now.toISOString().slice(0, 16).replace('T', ' ')} UTC`
  if (builtAt !== undefined && now.getTime() < Date.parse(builtAt))
    return `${says}, which is before this Stillpoint was built (${builtAt})`
  const times = seen.map((at) => Date.parse(at)).sort((a, b) => a - b)
  const last = times.at(-1)
  if (last !== undefined && last > now.getTime() + SLACK_MS)
    return `${says}, and there are points or runs from the future, the last of ${new Date(last).toISOString()}`
  const era = lastJump([...times, now.getTime()])
  if (era === undefined || now.getTime() - era.to > TRUSTED_AFTER_MS || (await isSynchronized())) return undefined
  const days = Math.round((era.to - era.from) / DAY_MS)
  return `${says}, ${days} days after all that was before; it is believed once NTP vouches for it, or after a week`
}

/** Where the last long time without any point or run ended. */
function lastJump(times: readonly number[]): { readonly from: number; readonly to: number } | undefined {
  for (let index = times.length - 1; index > 0; index--) {
    const [from = 0, to = 0] = times.slice(index - 1, index + 1)
    if (to - from > LONGEST_GAP_MS) return { from, to }
  }
  return undefined
}

/** `STILLPOINT_CLOCK=2040-01-01T00:00:00Z` sets the clock of the lab's containers, which share their machine's. */
function labClock(): Date | undefined {
  const text = process.env['STILLPOINT_CLOCK']
  return text === undefined || !existsSync(LAB_MARKER) ? undefined : new Date(text)
}

export const clockNow = (): Date => labClock() ?? new Date()

/** The same for this host and these points of a store. */
export function hostClockProblem(shell: Shell, pointTimes: readonly string[], now: Date): Promise<string | undefined> {
  const seen = [...pointTimes, ...runTimes()]
  // NTP says nothing about a clock that the lab has made up.
  const isSynchronized = (): Promise<boolean> => (labClock() === undefined ? ntpVouches(shell) : Promise.resolve(false))
  return clockProblem({ now, builtAt: ENGINE_BUILT_AT, seen, isSynchronized })
}

async function ntpVouches(shell: Shell): Promise<boolean> {
  const { exitCode, stdout } = await shell.run(['timedatectl', 'show', '-p', 'NTPSynchronized', '--value'])
  return exitCode === 0 && stdout.trim() === 'yes'
}

/** When the runs began that this host remembers, by their ids. */
function runTimes(): string[] {
  if (!existsSync(RUNS_DIR)) return []
  return readdirSync(RUNS_DIR)
    .filter((name) => RunId.safeParse(name).success)
    .map(timeOfId)
}
