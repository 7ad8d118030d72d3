import { wantsYou, type VmSafety } from '../../shared/safety.ts'
import type { HostView } from '../../shared/views/host-view.ts'
import { words } from '../words.ts'

/** The window's title: the worst that is known, so that a tab or task bar tells it. */
export function titleOf(link: 'up' | 'lost', hosts: readonly HostView[] | undefined, vms: readonly VmSafety[]): string {
  const worst = worstOf(link, hosts, vms)
  return worst === undefined ? words.product : `⚠ ${worst} · ${words.product}`
}

function worstOf(
  link: 'up' | 'lost',
  hosts: readonly HostView[] | undefined,
  vms: readonly VmSafety[]
): string | undefined {
  if (link === 'lost') return words.title.lost
  const wanting = vms.filter(wantsYou).length
  if (wanting > 0) return words.title.needYou(wanting)
  const down = (hosts ?? []).filter(({ state }) => state === 'down').length
  return down > 0 ? words.title.down(down) : undefined
}
