import { formatAge, formatMoment, formatUntil } from '../../../shared/format.ts'
import { isBrokenPromise, type Overall, type Safety, type VmSafety } from '../../../shared/safety.ts'
import { safeText } from '../../../shared/safe-text.ts'
import type { HostView } from '../../../shared/views/host-view.ts'
import type { Tone } from '../../ui/state-mark.tsx'
import { words } from './words.ts'

export const OVERALL_TONES: Readonly<Record<Overall, Tone>> = {
  empty: 'unknown',
  unknown: 'unknown',
  good: 'good',
  attention: 'attention',
  danger: 'danger'
}

export const SAFETY_TONES: Readonly<Record<Safety, Tone>> = {
  none: 'danger',
  failing: 'danger',
  gone: 'attention',
  old: 'attention',
  unknown: 'unknown',
  waiting: 'unknown',
  muted: 'muted',
  good: 'good'
}

/** `1 host out of reach · 3 without a good point · 290 protected`: only what there is, worst first. */
export function countsOf(hosts: readonly HostView[], vms: readonly VmSafety[]): string {
  const down = hosts.filter(({ state }) => state === 'down').length
  const counts = new Map<Safety, number>()
  for (const { safety } of vms) counts.set(safety, (counts.get(safety) ?? 0) + 1)
  const ofVms = Object.entries(words.counts).flatMap(([safety, told]) => {
    const count = counts.get(safety as Safety)
    return count === undefined ? [] : [told(count)]
  })
  return [...(down === 0 ? [] : [words.hostsDown(down)]), ...ofVms].join(' · ')
}

export interface Light {
  readonly tone: Tone
  readonly label: string
  /** Why it has this colour. */
  readonly reason: string
}

/** A broken promise is as bad as a failure; what has been acknowledged is calm. */
export function toneOf(vm: VmSafety): Tone {
  if (vm.isAcknowledged) return 'muted'
  return isBrokenPromise(vm) ? 'danger' : SAFETY_TONES[vm.safety]
}

/** The first light: the newest good point, against what is expected. */
export function pointLight(vm: VmSafety, ago: (at: string) => string): Light {
  const { safety, lastPoint } = vm
  const label =
    lastPoint === undefined ? words.pointNone[safety === 'unknown' ? 'unknown' : 'none'] : ago(lastPoint.takenAt)
  return { tone: toneOf(vm), label, reason: reasonOf(vm) }
}

function reasonOf({ safety, mutedBecause, isAcknowledged, expectWithinMs, notKnown }: VmSafety): string {
  if (mutedBecause !== undefined) return words.mutedWhy(safeText(mutedBecause))
  if (safety === 'unknown' && notKnown !== undefined) return words.notKnownWhy
  return isAcknowledged ? words.acknowledgedWhy : words.why[safety](expectedWords(expectWithinMs))
}

/** `26 hours`, `3 days`. */
export const expectedWords = (ms: number | undefined): string =>
  ms === undefined || !Number.isFinite(ms) ? words.expected : formatAge(ms)

/** The next run of a VM's schedules, or why there is none. */
export interface NextRun {
  readonly text: string
  readonly more: string
  /** Something keeps its schedules from running. */
  readonly isStuck?: boolean
  /** No schedule means this VM: one can be made. */
  readonly isUncovered?: boolean
}

export function nextRunOf({ policies, nextRunAt, notKnown }: VmSafety, now: Date): NextRun {
  if (policies.length === 0 && notKnown !== undefined) return { text: words.schedulesNotKnown, more: '' }
  if (policies.length === 0) return { text: words.noSchedule, more: '', isUncovered: true }
  if (nextRunAt !== undefined) return { text: formatMoment(nextRunAt, now), more: formatUntil(nextRunAt, now) }
  const [soonest] = policies.flatMap(({ pausedUntil }) => pausedUntil ?? []).sort()
  if (soonest === undefined) return { text: words.noRun, more: words.noRunWhy, isStuck: true }
  return { text: words.paused, more: soonest >= FOR_GOOD ? '' : words.pausedUntil(formatMoment(soonest, now)) }
}

/** A pause that ends later than anyone plans. */
const FOR_GOOD = '9000'

/** The second light: the newest restore after which the VM ran. */
export function provenLight({ lastProven }: VmSafety, ago: (at: string) => string): Light {
  return lastProven === undefined
    ? { tone: 'unknown', label: words.provenNever, reason: words.provenNeverWhy }
    : { tone: 'good', label: ago(lastProven.at), reason: words.provenOn(safeText(lastProven.host)) }
}
