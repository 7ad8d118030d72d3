import { useMemo } from 'react'
import { IconHistory } from '@tabler/icons-react'
import { formatDuration } from '../../../shared/format.ts'
import { formatThere } from '../../../shared/host-time.ts'
import type { RunReport } from '../../../shared/model/policy.ts'
import { missedWords, prunedWords, runHeadline, runStateWords } from '../../../shared/run-words.ts'
import { safeText } from '../../../shared/safe-text.ts'
import { DataTable, type Column } from '../../ui/data-table.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { Name } from '../../ui/name.tsx'
import { StateMark } from '../../ui/state-mark.tsx'
import { useNow } from '../../ui/use-now.ts'
import { Folded } from './folded.tsx'
import { runMs, runTone } from './run-view.ts'
import classes from './schedules.module.css'
import { words } from './words.ts'

interface RunsPanelProps {
  readonly runs: readonly RunReport[]
  readonly timeZone: string
  readonly onOpen: (run: RunReport) => void
}

const titles = words.run.columns

/** What each run did, newest first. */
export function RunsPanel({ runs, timeZone, onOpen }: RunsPanelProps) {
  const columns = useMemo(() => columnsIn(timeZone), [timeZone])
  if (runs.length === 0)
    return <EmptyState icon={IconHistory} title={words.policy.noRuns} text={words.policy.noRunsText} />
  return (
    <section aria-label={words.policy.runs}>
      <h2 className={classes['sectionTitle']}>{words.policy.runs}</h2>
      <Folded rows={runs} first={10}>
        {(rows) => (
          <DataTable
            label={words.policy.runs}
            columns={columns}
            rows={rows}
            rowKey={({ id }) => id}
            onOpen={onOpen}
            rowHeight={56}
          />
        )}
      </Folded>
    </section>
  )
}

const columnsIn = (timeZone: string): readonly Column<RunReport>[] => [
  { key: 'at', title: titles.at, width: '11.875rem', cell: (run) => <When run={run} timeZone={timeZone} /> },
  {
    key: 'outcome',
    title: titles.outcome,
    width: '10.75rem',
    cell: (run) => <StateMark tone={runTone(run)} label={runStateWords(run.state)} />
  },
  {
    key: 'vms',
    title: titles.vms,
    cell: (run) => (
      <span className={classes['two']}>
        <Name text={runHeadline(run)} lines={2} />
        {run.missedCount > 0 && (
          <span className={classes['soft']}>
            <Name text={missedWords(run)} />
          </span>
        )}
      </span>
    )
  },
  {
    key: 'pruned',
    title: titles.pruned,
    width: '24%',
    wideOnly: true,
    cell: ({ pruned }) => pruned && <OldPoints pruned={pruned} />
  },
  {
    key: 'told',
    title: titles.told,
    width: '6.875rem',
    cell: ({ told }) => (
      <span className={classes['two']}>
        {told.map(({ channel, ok, text }, n) => (
          <StateMark
            key={n}
            tone={ok ? 'good' : 'danger'}
            label={words.run.channels[channel]}
            hint={`${ok ? words.run.ok : words.run.notOk}. ${safeText(text)}`}
          />
        ))}
      </span>
    )
  }
]

function When({ run, timeZone }: { readonly run: RunReport; readonly timeZone: string }) {
  const now = useNow()
  const took = formatDuration(runMs(run, now))
  return (
    <span className={classes['two']}>
      <span>{formatThere(minute(run.startedAt), timeZone, now)}</span>
      <span className={classes['soft']}>
        {words.run[run.trigger]}, {run.endedAt === undefined ? words.run.soFar(took) : took}
      </span>
    </span>
  )
}

/** To the minute: the second of a start says nothing. */
const minute = (iso: string): string => `${iso.slice(0, 16)}:00.000Z`

/** What was refused is what counts. */
function OldPoints({ pruned }: { readonly pruned: NonNullable<RunReport['pruned']> }) {
  const [refused] = pruned.refused
  if (refused === undefined) return <Name text={prunedWords(pruned)} lines={2} />
  return <StateMark tone="attention" label={words.run.refused} hint={safeText(refused)} />
}
