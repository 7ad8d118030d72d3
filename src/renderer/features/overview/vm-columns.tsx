import { VisuallyHidden } from '@mantine/core'
import { IconInfoCircle } from '@tabler/icons-react'
import { formatBytes, formatPause } from '../../../shared/format.ts'
import { hostInWords } from '../../../shared/point-name.ts'
import type { VmSafety } from '../../../shared/safety.ts'
import { safeText } from '../../../shared/safe-text.ts'
import type { VmView } from '../../../shared/views/host-view.ts'
import type { Column } from '../../ui/data-table.tsx'
import { Name } from '../../ui/name.tsx'
import { Sparkline } from '../../ui/sparkline.tsx'
import classes from './overview.module.css'
import { PointCell, ProvenCell } from './light-cells.tsx'
import { RunCell } from './run-cell.tsx'
import { RowMenu } from './row-menu.tsx'
import { words } from './words.ts'

/** The columns of the overview; outside of the page, so that rows that did not change are not drawn again. */
export const COLUMNS: readonly Column<VmSafety>[] = [
  { key: 'vm', title: words.columns.vm, cell: (row) => <NameCell row={row} /> },
  {
    key: 'host',
    title: words.columns.host,
    width: '9rem',
    wideOnly: true,
    cell: (row) => <Name text={hostInWords(row)} />
  },
  { key: 'point', title: words.columns.point, width: '9.5rem', cell: (row) => <PointCell row={row} /> },
  { key: 'proven', title: words.columns.proven, width: '8.25rem', cell: (row) => <ProvenCell row={row} /> },
  { key: 'pause', title: words.columns.pause, width: '9.5rem', cell: (row) => <PauseCell row={row} /> },
  { key: 'size', title: words.columns.size, width: '6rem', align: 'end', wideOnly: true, cell: sizeOf },
  { key: 'next', title: words.columns.next, width: '8.5rem', cell: (row) => <RunCell row={row} /> },
  {
    key: 'actions',
    title: <VisuallyHidden>{words.columns.actions}</VisuallyHidden>,
    width: '3.5rem',
    align: 'end',
    cell: (row) => <RowMenu row={row} />
  }
]

function NameCell({ row }: { readonly row: VmSafety }) {
  const { name, vm } = row
  return (
    <>
      <span className={classes['vmName']}>
        <b>
          <Name text={name} />
        </b>
        <LimitsMark limits={vm?.limits} />
      </span>
      <span className={classes['second']}>
        <span className={classes['narrowOnly']}>{safeText(hostInWords(row))} · </span>
        {vm === undefined ? words.needs.gone : `${safeText(vm.state)} · ${formatBytes(vm.ramBytes)}`}
      </span>
    </>
  )
}

/** Not all of the VM is in its points; its page says what, and what follows. */
function LimitsMark({ limits = [] }: { readonly limits: VmView['limits'] }) {
  if (limits.length === 0) return undefined
  return (
    <span className={classes['limitsMark']} title={limits.map((limit) => `${safeText(limit)}.`).join('\n')}>
      <IconInfoCircle size={16} aria-hidden />
      <VisuallyHidden>{words.limits}</VisuallyHidden>
    </span>
  )
}

function PauseCell({ row: { pausesMs } }: { readonly row: VmSafety }) {
  const last = pausesMs.at(-1)
  if (last === undefined) return <span className={classes['second']}>{words.nothingPaused}</span>
  return (
    <span className={classes['pause']}>
      <span className={classes['pauseMs']}>{formatPause(last)}</span>
      <Sparkline values={pausesMs} label={words.pauses(formatPause(last), pausesMs.length)} />
    </span>
  )
}

function sizeOf({ lastPoint }: VmSafety): string {
  return lastPoint === undefined ? words.nothingPaused : formatBytes(lastPoint.sizeBytes)
}
