import { useMemo } from 'react'
import { formatBytes } from '../../../shared/format.ts'
import { formatThere } from '../../../shared/host-time.ts'
import type { PointFate } from '../../../shared/model/policy.ts'
import { DataTable, type Column } from '../../ui/data-table.tsx'
import { Name } from '../../ui/name.tsx'
import { StateMark } from '../../ui/state-mark.tsx'
import { useNow } from '../../ui/use-now.ts'
import type { VmPointFate } from './fate-view.ts'
import classes from './schedules.module.css'
import { words } from './words.ts'

interface FateTableProps {
  readonly fates: readonly VmPointFate[]
  readonly timeZone: string
}

const { columns: titles, ...said } = words.fate

/** Points one by one: what becomes of each, and why. */
export function FateTable({ fates, timeZone }: FateTableProps) {
  const columns = useMemo(() => columnsIn(timeZone), [timeZone])
  return (
    <DataTable
      label={said.label}
      columns={columns}
      rows={fates}
      rowKey={({ vm, fate }) => `${vm.uuid} ${fate.id}`}
      rowHeight={40}
    />
  )
}

const columnsIn = (timeZone: string): readonly Column<VmPointFate>[] => [
  {
    key: 'point',
    title: titles.point,
    width: '10.625rem',
    cell: ({ fate }) => <Taken at={fate.takenAt} zone={timeZone} />
  },
  { key: 'vm', title: titles.vm, width: '20%', cell: ({ vm }) => <Name text={vm.name} /> },
  { key: 'size', title: titles.size, width: '5.25rem', align: 'end', cell: ({ fate }) => formatBytes(fate.sizeBytes) },
  { key: 'fate', title: titles.fate, cell: ({ fate }) => <Fate fate={fate} /> },
  {
    key: 'frees',
    title: titles.frees,
    width: '5.25rem',
    align: 'end',
    cell: ({ fate }) => (fate.freesBytes === 0 ? '' : formatBytes(fate.freesBytes))
  }
]

function Taken({ at, zone }: { readonly at: string; readonly zone: string }) {
  return <time dateTime={at}>{formatThere(`${at.slice(0, 16)}:00.000Z`, zone, useNow())}</time>
}

function Fate({ fate: { keep, reasons, memory } }: { readonly fate: PointFate }) {
  const why = reasons.join(', ')
  return (
    <span className={classes['fate']}>
      <StateMark tone={keep ? 'good' : 'unknown'} label={keep ? said.keep : said.go} />
      <Name text={why} />
      {keep && memory === 'dropped' && <span className={classes['soft']}>{said.ramGoes}</span>}
    </span>
  )
}
