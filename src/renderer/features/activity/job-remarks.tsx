import { IconAlertTriangle, IconCircleX, IconInfoCircle, type Icon } from '@tabler/icons-react'
import { safeLines } from '../../../shared/safe-text.ts'
import type { JobView } from '../../../shared/views/job-view.ts'
import { Panel } from '../../ui/panel.tsx'
import classes from './activity.module.css'
import { words } from './words.ts'

/** Warnings of a job. */
export const JobWarnings = ({ warnings }: { readonly warnings: readonly string[] }) =>
  warnings.length > 0 && (
    <Panel title={words.job.warnings}>
      <ul className={classes['list']}>
        {warnings.map((warning, n) => (
          <Remark key={n} icon={IconAlertTriangle} tone="attention" text={warning} />
        ))}
      </ul>
    </Panel>
  )

/** What a verification found, file by file. */
export function JobFindings({ verify }: { readonly verify: JobView['verify'] }) {
  if (verify === undefined || verify.problems.length + verify.notes.length === 0) return undefined
  return (
    <Panel title={words.job.findings}>
      <ul className={classes['list']}>
        {verify.problems.map(({ file, detail }) => (
          <Remark key={file} icon={IconCircleX} tone="danger" text={`${file}: ${detail}`} />
        ))}
        {verify.notes.map((note) => (
          <Remark key={note} icon={IconInfoCircle} text={note} />
        ))}
      </ul>
    </Panel>
  )
}

interface RemarkProps {
  readonly icon: Icon
  readonly tone?: 'attention' | 'danger'
  readonly text: string
}

const Remark = ({ icon: Symbol, tone, text }: RemarkProps) => (
  <li>
    <Symbol size={18} stroke={1.8} aria-hidden className={tone && classes[tone]} />
    <bdi className={classes['lines']}>{safeLines(text)}</bdi>
  </li>
)
