import { safeText, shorten } from '../../../shared/safe-text.ts'
import type { KeepRules, Policy, VmSelection } from '../../../shared/model/policy.ts'

const listed = (items: readonly string[], most: number): string => {
  const shown = items.slice(0, most).map((item) => shorten(safeText(item), 40))
  const more = items.length - shown.length
  return more === 0 ? shown.join(', ') : `${shown.join(', ')} and ${more} more`
}

/** Which VMs a policy means: `all VMs but db*`, `VMs named web*`, `web1, db1 and 3 more`. */
export function selectionWords(selection: VmSelection): string {
  if (selection.kind === 'chosen')
    return listed(
      selection.vms.map(({ name }) => name),
      3
    )
  const but = selection.exclude.length === 0 ? '' : ` but ${listed(selection.exclude, 3)}`
  return selection.kind === 'all' ? `all VMs${but}` : `VMs named ${listed(selection.patterns, 3)}${but}`
}

const COUNTS = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const

/** How long points stay: `last 3, daily 7; RAM in the newest 3`. */
export function keepWords(keep: KeepRules): string {
  const counts = COUNTS.flatMap((rule) => (keep[rule] ? [`${rule} ${keep[rule]}`] : []))
  const points = counts.length === 0 ? 'all points stay' : counts.join(', ')
  return keep.memory === undefined ? points : `${points}; RAM in the newest ${keep.memory}`
}

/** Whom it tells of what: `mail on failure, a daily digest`. */
export function tellWords({ onSuccess, onFailure, digest, mailTo }: Policy['tell']): string {
  const parts = [
    ...(onFailure ? ['failures'] : []),
    ...(onSuccess ? ['successes'] : []),
    ...(digest === 'none' ? [] : [`a ${digest} digest`])
  ]
  if (parts.length === 0) return 'nobody'
  return mailTo.length === 0 ? parts.join(', ') : `${parts.join(', ')}, to ${listed(mailTo, 2)}`
}

/** A pause that ends later than anyone plans. */
const FOR_GOOD = '9000'
/** Until somebody lets it go on. */
export const FOR_GOOD_AT = new Date('9999-12-31T00:00:00Z')

/** `until`: undefined where it is for good. */
export function pausedNow(policy: Pick<Policy, 'pausedUntil'>, now: Date): { readonly until?: string } | undefined {
  const { pausedUntil } = policy
  if (pausedUntil === undefined || Date.parse(pausedUntil) <= now.getTime()) return undefined
  return pausedUntil >= FOR_GOOD ? {} : { until: pausedUntil }
}
