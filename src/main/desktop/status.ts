import { overallOf, safetyOf, type Overall, type VmSafety } from '../../shared/safety.ts'
import type { HostView } from '../../shared/views/host-view.ts'
import type { Seen } from './mirror.ts'
import { openNotices } from './open-notices.ts'
import { words } from './words.ts'

/** The company in one word and one sentence, for the tray. */
export interface Status {
  readonly worst: Overall
  readonly sentence: string
}

const { status } = words

/** From best to worst. */
const RANKS: readonly Overall[] = ['good', 'empty', 'unknown', 'attention', 'danger']

/** The worst of what is, and of what happened and nobody has acknowledged yet. */
export function statusOf(seen: Seen, now: Date): Status {
  const vms = safetyOf(seen, now)
  const overall = overallOf(seen.hosts, vms)
  const [notice] = openNotices(seen)
  if (notice === undefined) return { worst: overall, sentence: sentenceOf(overall, seen.hosts ?? [], vms, now) }
  const told: Overall = notice.severity === 'failure' ? 'danger' : 'attention'
  return RANKS.indexOf(told) > RANKS.indexOf(overall)
    ? { worst: told, sentence: status.notice(notice.title) }
    : { worst: overall, sentence: sentenceOf(overall, seen.hosts ?? [], vms, now) }
}

function sentenceOf(overall: Overall, hosts: readonly HostView[], vms: readonly VmSafety[], now: Date): string {
  if (overall === 'empty') return status.empty
  if (overall === 'unknown') return status.unknown
  const counted = vms.filter(({ safety }) => safety !== 'muted')
  if (overall === 'good') return status.good(counted.length, oldestPointAgeMs(counted, now))
  const needy = counted.filter(({ safety }) => safety === 'none' || safety === 'failing' || safety === 'old')
  const [first] = needy
  if (first !== undefined) return status.needy(needy.length, counted.length, reasonOf(first, now))
  return status.down(hosts.flatMap(({ name, state }) => (state === 'down' ? [name] : [])))
}

function reasonOf({ safety, name, lastPoint }: VmSafety, now: Date): string {
  if (safety === 'failing') return status.failing(name)
  return lastPoint === undefined ? status.none(name) : status.old(name, now.getTime() - Date.parse(lastPoint.takenAt))
}

function oldestPointAgeMs(vms: readonly VmSafety[], now: Date): number | undefined {
  const ages = vms.flatMap(({ lastPoint }) =>
    lastPoint === undefined ? [] : [now.getTime() - Date.parse(lastPoint.takenAt)]
  )
  return ages.length === 0 ? undefined : Math.max(...ages)
}
