import { ActionIcon, VisuallyHidden } from '@mantine/core'
import { IconRefresh } from '@tabler/icons-react'
import { useMemo } from 'react'
import { formatBytes, formatDuration, formatPause, formatTime } from '../../../shared/format.ts'
import { safeText, shorten } from '../../../shared/safe-text.ts'
import type { JobView } from '../../../shared/views/job-view.ts'
import { DataTable, type Column } from '../../ui/data-table.tsx'
import { Name } from '../../ui/name.tsx'
import { tookMs } from './activity-view.ts'
import classes from './activity.module.css'
import { JobKindIcon } from './job-kind-icon.tsx'
import { OutcomeMark } from './outcome-mark.tsx'
import { words } from './words.ts'

interface PastJobsProps {
  readonly jobs: readonly JobView[]
  readonly onOpen: (job: JobView) => void
  readonly onRetry: (job: JobView) => void
}

const { columns: titles } = words

/** Jobs that ended, one line each: what and where, when and how long, what it cost the VM, how it ended. */
export function PastJobs({ jobs, onOpen, onRetry }: PastJobsProps) {
  const columns = useMemo(() => [...COLUMNS, retryColumn(onRetry)], [onRetry])
  return (
    <DataTable
      label={words.past}
      columns={columns}
      rows={jobs}
      rowKey={({ id }) => id}
      onOpen={onOpen}
      rowHeight={56}
    />
  )
}

const COLUMNS: readonly Column<JobView>[] = [
  { key: 'job', title: titles.job, cell: (job) => <What job={job} /> },
  {
    key: 'started',
    title: titles.started,
    width: '158px',
    cell: (job) => (
      <>
        <div>{formatTime(job.startedAt)}</div>
        <div className={classes['soft']}>{words.took(tookMs(job, NEVER))}</div>
      </>
    )
  },
  { key: 'down', title: titles.down, width: '88px', align: 'end', cell: downText },
  {
    key: 'size',
    title: titles.size,
    width: '84px',
    align: 'end',
    cell: ({ sizeBytes }) => (sizeBytes === undefined ? '' : formatBytes(sizeBytes))
  },
  { key: 'outcome', title: titles.outcome, width: '28%', cell: (job) => <OutcomeMark job={job} /> }
]

/** Past jobs have an end of their own. */
const NEVER = new Date(0)

/** `Backup on kvm-1 · schedule nightly`. */
const whereabouts = ({ kind, host, policy, copyOf }: JobView): string =>
  [
    `${words.kind[kind]} ${words.on(host)}`,
    ...(policy ? [words.bySchedule(policy.name)] : []),
    ...(copyOf ? [words.copyOf(copyOf.name)] : [])
  ].join(' · ')

const What = ({ job }: { readonly job: JobView }) => (
  <span className={classes['what']}>
    <JobKindIcon kind={job.kind} />
    <span className={classes['whatText']}>
      <Name text={job.vm.name} />
      <span className={classes['soft']}>
        <Name text={whereabouts(job)} />
      </span>
    </span>
  </span>
)

function downText({ kind, pauses, pauseMs, runningMs }: JobView): string {
  if (kind === 'restore') return runningMs === undefined ? '' : formatDuration(runningMs)
  return kind === 'backup' && pauses.length > 0 ? formatPause(pauseMs) : ''
}

const retryColumn = (onRetry: (job: JobView) => void): Column<JobView> => ({
  key: 'retry',
  title: <VisuallyHidden>{titles.retry}</VisuallyHidden>,
  width: '48px',
  align: 'end',
  cell: (job) =>
    job.retryable && (
      <ActionIcon
        variant="default"
        aria-label={words.retryOf(job.kind, shorten(safeText(job.vm.name), 60))}
        title={words.retry}
        onClick={() => onRetry(job)}
      >
        <IconRefresh size={16} aria-hidden />
      </ActionIcon>
    )
})
