import { overallOf, safetyOf, type Overall } from '../../shared/safety.ts'
import { safetySentence } from '../../shared/safety-words.ts'
import { openNotices } from './open-notices.ts'
import type { Seen } from './mirror.ts'
import { shown } from './words.ts'

/** The company in one word and one sentence, for the tray. */
export interface Status {
  readonly worst: Overall
  readonly sentence: string
}

/** From best to worst. */
const RANKS: readonly Overall[] = ['good', 'empty', 'unknown', 'attention', 'danger']

/** The worst of what is, and of what happened and nobody has acknowledged yet. */
export function statusOf(seen: Seen, now: Date): Status {
  const vms = safetyOf(seen, now)
  const overall = overallOf(seen.hosts, vms)
  const [notice] = openNotices(seen)
  const told: Overall = notice?.severity === 'failure' ? 'danger' : 'attention'
  if (notice !== undefined && RANKS.indexOf(told) > RANKS.indexOf(overall))
    return { worst: told, sentence: shown(notice.title) }
  return { worst: overall, sentence: shown(safetySentence(seen.hosts, vms, now)) }
}
