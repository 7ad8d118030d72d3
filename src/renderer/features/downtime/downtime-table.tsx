import { useMemo } from 'react'
import { downMs, type Downtime } from '../../../shared/downtimes.ts'
import { formatPause, formatTime } from '../../../shared/format.ts'
import { DataTable, type Column } from '../../ui/data-table.tsx'
import { Name } from '../../ui/name.tsx'
import { StateMark } from '../../ui/state-mark.tsx'
import { phaseWord } from '../../words.ts'
import { partsOf } from './csv.ts'
import { isOverBudget } from './downtime-view.ts'
import classes from './downtime.module.css'
import { whatText, whereText, words } from './words.ts'

interface DowntimeTableProps {
  /** Newest first. */
  readonly entries: readonly Downtime[]
  readonly budgetMs: number
  readonly onOpen: (entry: Downtime) => void
}

const { columns: titles } = words

/** The figures behind the chart. */
export function DowntimeTable({ entries, budgetMs, onOpen }: DowntimeTableProps) {
  const columns = useMemo(() => columnsFor(budgetMs), [budgetMs])
  const keyOf = useMemo(() => keysOf(entries), [entries])
  return (
    <DataTable label={words.table} columns={columns} rows={entries} rowKey={keyOf} onOpen={onOpen} rowHeight={56} />
  )
}

/** By their place, from the oldest: of what hosts say nothing need be there once. */
function keysOf(entries: readonly Downtime[]): (entry: Downtime) => string {
  const keys = new Map(entries.map((entry, n) => [entry, String(entries.length - n)]))
  return (entry) => keys.get(entry) ?? ''
}

const columnsFor = (budgetMs: number): readonly Column<Downtime>[] => [
  {
    key: 'vm',
    title: titles.vm,
    cell: (entry) => (
      <>
        <Name text={entry.vm} />
        <span className={classes['soft']}>
          <Name text={whereText(entry)} />
        </span>
      </>
    )
  },
  { key: 'at', title: titles.at, width: '158px', cell: ({ at }) => formatTime(at) },
  { key: 'what', title: titles.what, width: '150px', cell: ({ kind, method, mode }) => whatText(kind, method ?? mode) },
  {
    key: 'down',
    title: titles.down,
    width: '110px',
    align: 'end',
    cell: (entry) => <Down entry={entry} isOver={isOverBudget(entry, budgetMs)} />
  },
  {
    key: 'parts',
    title: titles.parts,
    width: '28%',
    cell: (entry) => (
      <div className={classes['parts']}>
        <Name
          lines={2}
          text={partsOf(entry)
            .map(({ phase, ms }) => `${phaseWord(phase)} ${formatPause(ms)}`)
            .join(', ')}
        />
      </div>
    )
  }
]

function Down({ entry, isOver }: { readonly entry: Downtime; readonly isOver: boolean }) {
  const ms = downMs(entry)
  if (ms === undefined) return <span className={classes['soft']}>{words.none}</span>
  return isOver ? <StateMark tone="attention" label={formatPause(ms)} hint={words.overBudget} /> : formatPause(ms)
}
