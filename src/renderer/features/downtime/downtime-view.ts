import { downMs, type Downtime } from '../../../shared/downtimes.ts'
import type { JobKind } from '../../../shared/model/job.ts'
import { isHostClaimed, isOfHost } from '../../../shared/point-name.ts'

/** Undefined and empty parts let everything through. */
export interface DowntimeFilter {
  readonly host: string | undefined
  /** Part of the VM's name, or its whole UUID. */
  readonly vm: string
  readonly kind: JobKind | undefined
  /** Only what is no older. */
  readonly days: number | undefined
}

export const ALL_DOWNTIMES: DowntimeFilter = { host: undefined, vm: '', kind: undefined, days: undefined }

const DAY_MS = 24 * 3_600_000

export function filtered(entries: readonly Downtime[], filter: DowntimeFilter, now: Date): readonly Downtime[] {
  const { host, kind, days } = filter
  const since = days === undefined ? '' : new Date(now.getTime() - days * DAY_MS).toISOString()
  const sought = filter.vm.trim().toLowerCase()
  return entries.filter(
    (entry) =>
      entry.at >= since &&
      (host === undefined || isOfHost(entry, host, true)) &&
      (kind === undefined || entry.kind === kind) &&
      (sought === '' || entry.vm.toLowerCase().includes(sought) || entry.vmUuid === sought)
  )
}

/** To choose from: what only points say of a host is of none. */
export const hostsOf = (entries: readonly Downtime[]): readonly string[] =>
  [...new Set(entries.flatMap((entry) => (isHostClaimed(entry) ? [] : [entry.host])))].sort()

/** Of one kind of job, in ms. Those that cost no downtime because nothing ran are not counted. */
export interface Figures {
  readonly count: number
  readonly medianMs: number
  readonly worst: Downtime
  readonly worstMs: number
  readonly overBudget: number
}

export function figuresOf(entries: readonly Downtime[], kind: JobKind, budgetMs: number): Figures | undefined {
  const measured = entries
    .flatMap((entry) => {
      const ms = entry.kind === kind ? downMs(entry) : undefined
      return ms === undefined ? [] : [{ entry, ms }]
    })
    .sort((a, b) => a.ms - b.ms)
  const worst = measured.at(-1)
  if (worst === undefined) return undefined
  return {
    count: measured.length,
    medianMs: median(measured.map(({ ms }) => ms)),
    worst: worst.entry,
    worstMs: worst.ms,
    overBudget: measured.filter(({ ms }) => ms > budgetMs).length
  }
}

/** Of sorted numbers; at least one. */
function median(sorted: readonly number[]): number {
  const middle = Math.floor(sorted.length / 2)
  const [below = 0, above = 0] = [sorted[middle - 1], sorted[middle]]
  return sorted.length % 2 === 1 ? above : (below + above) / 2
}

/** A pause counts against the budget; how long a restore takes does not. */
export function isOverBudget(entry: Downtime, budgetMs: number): boolean {
  const ms = downMs(entry)
  return entry.kind === 'backup' && ms !== undefined && ms > budgetMs
}
