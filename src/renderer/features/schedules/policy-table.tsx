import { VisuallyHidden } from '@mantine/core'
import { formatUntil } from '../../../shared/format.ts'
import { formatThere, ownBeside } from '../../../shared/host-time.ts'
import { safeText } from '../../../shared/safe-text.ts'
import { runHeadline } from '../../../shared/run-words.ts'
import { scheduleWords } from '../../../shared/schedule/schedule-words.ts'
import { Ago } from '../../ui/ago.tsx'
import { DataTable, type Column } from '../../ui/data-table.tsx'
import { Name } from '../../ui/name.tsx'
import { StateMark } from '../../ui/state-mark.tsx'
import { useNow } from '../../ui/use-now.ts'
import { PolicyActions } from './policy-actions.tsx'
import { keepWords, selectionWords } from './policy-words.ts'
import { standingOf, type PolicyRow } from './schedules-view.ts'
import classes from './schedules.module.css'
import { words } from './words.ts'

interface PolicyTableProps {
  readonly rows: readonly PolicyRow[]
  readonly onOpen: (row: PolicyRow) => void
}

const { columns: titles } = words

/** Schedules of one host, a row each. */
export const PolicyTable = ({ rows, onOpen }: PolicyTableProps) => (
  <DataTable
    label={words.title}
    columns={COLUMNS}
    rows={rows}
    rowKey={({ key }) => key}
    onOpen={onOpen}
    rowHeight={72}
  />
)

const COLUMNS: readonly Column<PolicyRow>[] = [
  { key: 'name', title: titles.name, cell: (row) => <What row={row} /> },
  { key: 'when', title: titles.when, width: '19%', cell: (row) => <When row={row} /> },
  { key: 'next', title: titles.next, width: '17%', cell: (row) => <Next row={row} /> },
  { key: 'last', title: titles.last, width: '22%', cell: (row) => <Last row={row} /> },
  {
    key: 'keep',
    title: titles.keep,
    width: '16%',
    wideOnly: true,
    cell: ({ state }) => <Name text={keepWords(state.policy.keep)} lines={3} />
  },
  {
    key: 'actions',
    title: <VisuallyHidden>{titles.actions}</VisuallyHidden>,
    width: '6.5rem',
    align: 'end',
    cell: ({ at, state }) => <PolicyActions host={at.host} state={state} />
  }
]

const What = ({ row: { state, vms } }: { readonly row: PolicyRow }) => (
  <span className={classes['two']}>
    <b>
      <Name text={state.policy.name} />
    </b>
    <span className={classes['soft']}>
      <Name text={selectionWords(state.policy.vms)} />
      <span>{words.vmsNow(vms?.length)}</span>
    </span>
  </span>
)

function When({ row: { state } }: { readonly row: PolicyRow }) {
  const { calendar, window } = state.policy.schedule
  return (
    <span className={classes['two']}>
      <Name text={scheduleWords(calendar)} lines={2} />
      {window !== undefined && <span className={classes['soft']}>{`${window.from}–${window.to}`}</span>}
    </span>
  )
}

function Next({ row: { at, state } }: { readonly row: PolicyRow }) {
  const now = useNow()
  if (state.nextRunAt === undefined) return <span className={classes['soft']}>{words.noNext}</span>
  const own = ownBeside(state.nextRunAt, at.timeZone, now)
  return (
    <span className={classes['two']}>
      <span>{formatThere(state.nextRunAt, at.timeZone, now)}</span>
      <span className={classes['soft']}>
        {formatUntil(state.nextRunAt, now)}
        {own !== undefined && `, ${words.host.own(own)}`}
      </span>
    </span>
  )
}

function Last({ row: { state } }: { readonly row: PolicyRow }) {
  const { tone, label, why } = standingOf(state, useNow())
  return (
    <span className={classes['two']}>
      <StateMark tone={tone} label={label} hint={why} />
      <span className={classes['soft']}>
        {why !== undefined ? (
          <Name text={why} lines={2} />
        ) : (
          state.lastRun !== undefined && (
            <>
              <Ago at={state.lastRun.startedAt} />: {safeText(runHeadline(state.lastRun))}
            </>
          )
        )}
      </span>
    </span>
  )
}
