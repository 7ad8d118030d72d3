import type { NoticeView } from '../../shared/views/notice-view.ts'
import type { Tone } from '../ui/state-mark.tsx'

/** More than that nobody reads in a list that hangs from a bar. */
const SHOWN = 100

export const SEVERITY_TONES: Readonly<Record<NoticeView['severity'], Tone>> = {
  good: 'good',
  info: 'unknown',
  warning: 'attention',
  failure: 'danger'
}

export interface InboxShown {
  readonly unread: number
  /** The badge is a warning only if something failed. */
  readonly isBad: boolean
  readonly notices: readonly NoticeView[]
  /** Older ones that are not listed. */
  readonly hidden: number
}

/** Unread ones first, each newest first. */
export function inboxShown(notices: readonly NoticeView[]): InboxShown {
  const unread = notices.filter(({ acknowledged }) => !acknowledged)
  const sorted = [...unread, ...notices.filter(({ acknowledged }) => acknowledged)]
  return {
    unread: unread.length,
    isBad: unread.some(({ severity }) => severity === 'failure'),
    notices: sorted.slice(0, SHOWN),
    hidden: Math.max(0, sorted.length - SHOWN)
  }
}
