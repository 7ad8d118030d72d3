import { formatTime } from '../../../shared/format.ts'
import { safeText } from '../../../shared/safe-text.ts'
import { overallOf, type VmSafety } from '../../../shared/safety.ts'
import { safetySentence } from '../../../shared/safety-words.ts'
import type { HostView } from '../../../shared/views/host-view.ts'
import { useWindow } from '../../state/store-context.ts'
import { PageHeader } from '../../ui/page-header.tsx'
import { StateMark } from '../../ui/state-mark.tsx'
import { useNow } from '../../ui/use-now.ts'
import classes from './overview.module.css'
import { countsOf, OVERALL_TONES } from './overview-view.ts'
import { words } from './words.ts'

interface OverviewHeaderProps {
  readonly hosts: readonly HostView[]
  readonly vms: readonly VmSafety[]
}

/** The one sentence, and below it how many of each. What may be old is grey. */
export function OverviewHeader({ hosts, vms }: OverviewHeaderProps) {
  const now = useNow()
  const lostAt = useWindow((state) => state.lostAt)
  const tone = lostAt === undefined ? OVERALL_TONES[overallOf(hosts, vms)] : 'unknown'
  const counts = countsOf(hosts, vms)
  return (
    <PageHeader
      title={
        <span className={classes['sentence']}>
          <StateMark tone={tone} label={safeText(safetySentence(hosts, vms, now))} />
        </span>
      }
      subtitle={lostAt === undefined ? counts : `${counts} · ${words.asOf(formatTime(lostAt))}`}
    />
  )
}
