import { formatAge } from '../../../shared/format.ts'
import type { Overall, Safety, VmSafety } from '../../../shared/safety.ts'
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

/** The first light: the newest good point, against what is expected. */
export function pointLight(vm: VmSafety, expectHours: number | undefined, ago: (at: string) => string): Light {
  const { safety, lastPoint, mutedBecause } = vm
  const label =
    lastPoint === undefined ? words.pointNone[safety === 'unknown' ? 'unknown' : 'none'] : ago(lastPoint.takenAt)
  const reason =
    mutedBecause === undefined ? words.why[safety](hoursWords(expectHours)) : words.mutedWhy(safeText(mutedBecause))
  return { tone: SAFETY_TONES[safety], label, reason }
}

/** `26 hours`, `3 days`. */
export const hoursWords = (hours: number | undefined): string =>
  hours === undefined ? words.expected : formatAge(hours * 3_600_000)

/** The second light: the newest restore after which the VM ran. */
export function provenLight({ lastProven }: VmSafety, ago: (at: string) => string): Light {
  return lastProven === undefined
    ? { tone: 'unknown', label: words.provenNever, reason: words.provenNeverWhy }
    : { tone: 'good', label: ago(lastProven.at), reason: words.provenOn(safeText(lastProven.host)) }
}
