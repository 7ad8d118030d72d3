import { IconPinFilled } from '@tabler/icons-react'
import { formatBytes, formatPause, formatTime } from '../../../shared/format.ts'
import { safeText } from '../../../shared/safe-text.ts'
import { damagedPlaces } from '../../../shared/point-marks.ts'
import { pointName } from '../../../shared/point-name.ts'
import type { PointView } from '../../../shared/views/point-view.ts'
import { DataTable, type Column } from '../../ui/data-table.tsx'
import { Name } from '../../ui/name.tsx'
import { StateMark } from '../../ui/state-mark.tsx'
import { verdictOf } from './point-words.ts'
import classes from './vm.module.css'
import { words } from './words.ts'

const said = words.columns

const COLUMNS: readonly Column<PointView>[] = [
  { key: 'time', title: said.time, width: '212px', cell: (point) => <Taken point={point} /> },
  { key: 'method', title: said.method, width: '100px', cell: ({ method }) => words.methods[method] },
  { key: 'ram', title: said.ram, width: '64px', cell: ({ hasMemory }) => (hasMemory ? words.yes : words.no) },
  { key: 'size', title: said.size, width: '96px', align: 'end', cell: ({ sizeBytes }) => formatBytes(sizeBytes) },
  {
    key: 'pause',
    title: said.pause,
    width: '88px',
    align: 'end',
    cell: ({ method, pauseMs }) => (method === 'offline' ? words.wasOff : formatPause(pauseMs))
  },
  {
    key: 'places',
    title: said.places,
    cell: ({ places }) => <Name text={places.map(({ label }) => label).join(', ')} />
  },
  { key: 'verified', title: said.verified, width: '116px', cell: (point) => <Verified point={point} /> },
  { key: 'note', title: said.note, wideOnly: true, cell: ({ marks }) => <Name text={marks.note ?? ''} /> }
]

interface PointTableProps {
  readonly points: readonly PointView[]
  readonly onOpen: (point: PointView) => void
}

export const PointTable = ({ points, onOpen }: PointTableProps) => (
  <DataTable label={words.points} columns={COLUMNS} rows={points} rowKey={pointName} onOpen={onOpen} rowHeight={40} />
)

function Taken({ point: { takenAt, marks, warnings } }: { readonly point: PointView }) {
  return (
    <span className={classes['taken']}>
      {formatTime(takenAt)}
      {marks.pinned && <IconPinFilled size={14} role="img" aria-label={words.pinned} />}
      {warnings.length > 0 && <StateMark tone="attention" label="" hint={warnings.map(safeText).join('\n')} />}
    </span>
  )
}

/** Of the copy that a mark is about. */
function checkedAt({ marks, places }: PointView): string {
  const at = damagedPlaces({ marks, places })[0]?.verified?.at ?? marks.verified?.at
  return at === undefined ? '' : formatTime(at)
}

function Verified({ point }: { readonly point: PointView }) {
  const verdict = verdictOf(point)
  return verdict === undefined ? (
    <span className={classes['soft']}>{words.never}</span>
  ) : (
    <StateMark tone={verdict.tone} label={verdict.label} hint={checkedAt(point)} />
  )
}
