import { memo, type MouseEvent, type ReactNode } from 'react'
import classes from './ui.module.css'
import { useRowWindow } from './use-row-window.ts'

export interface Column<Row> {
  readonly key: string
  readonly title: ReactNode
  /** CSS width; without one the columns share what is left. */
  readonly width?: string | undefined
  /** `end` for figures that are compared. */
  readonly align?: 'start' | 'end' | undefined
  /** Left out where the window is narrow (1200 px): what can also be seen elsewhere. */
  readonly wideOnly?: boolean | undefined
  readonly cell: (row: Row) => ReactNode
}

export interface DataTableProps<Row> {
  /** What is listed, for those who do not see it. */
  readonly label: string
  /** Keep them outside of the component (or in a memo): rows are drawn again when they change. */
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly rowKey: (row: Row) => string
  /** A click on the row, or on its first cell by keyboard. Keep it stable as well. */
  readonly onOpen?: ((row: Row) => void) | undefined
  /** About how high a row is, in px. */
  readonly rowHeight?: number | undefined
}

/**
 * A table on a panel whose head stays in sight. Of many rows only those in sight are there; it scrolls with its page.
 * Plain elements: many rows come and go while one scrolls.
 */
export function DataTable<Row>({ label, columns, rows, rowKey, onOpen, rowHeight = 48 }: DataTableProps<Row>) {
  const { hold, shown, before, after } = useRowWindow(rows.length, rowHeight)
  return (
    <div className={classes['table']} ref={hold}>
      <table aria-label={label} aria-rowcount={rows.length + 1}>
        <thead className={classes['tableHead']}>
          <tr aria-rowindex={1}>
            {columns.map(({ key, title, width, align, wideOnly }) => (
              <th key={key} scope="col" style={{ width }} data-align={align} data-wide={wideOnly}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Gap height={before} />
          {shown.map((n) => {
            const row = rows[n]
            if (row === undefined) return undefined
            return <DataRow key={rowKey(row)} row={row} n={n} {...{ columns, onOpen, rowHeight }} />
          })}
          <Gap height={after} />
        </tbody>
      </table>
    </div>
  )
}

/** Stands for the rows that are not there. */
function Gap({ height }: { readonly height: number }) {
  if (height <= 0) return undefined
  return (
    <tr aria-hidden>
      <td style={{ height, padding: 0 }} />
    </tr>
  )
}

interface DataRowProps<Row> extends Required<Pick<DataTableProps<Row>, 'columns' | 'onOpen'>> {
  readonly row: Row
  readonly n: number
  readonly rowHeight: number
}

const DataRow = memo(function DataRow<Row>({ row, n, columns, onOpen, rowHeight }: DataRowProps<Row>) {
  const open = onOpen && (() => onOpen(row))
  return (
    <tr
      className={classes['tableRow']}
      style={{ height: rowHeight }}
      data-opens={onOpen !== undefined}
      aria-rowindex={n + 2}
      onClick={open && ((event) => isOfRow(event) && open())}
    >
      {columns.map(({ key, align, wideOnly, cell }, column) => (
        <td key={key} data-align={align} data-wide={wideOnly}>
          {open !== undefined && column === 0 ? (
            <button type="button" className={classes['tableOpen']} onClick={open}>
              {cell(row)}
            </button>
          ) : (
            cell(row)
          )}
        </td>
      ))}
    </tr>
  )
}) as <Row>(props: DataRowProps<Row>) => ReactNode

/** A click that no button, link or field in the row is meant by. Dialogs opened from a row are none of its elements. */
function isOfRow({ target, currentTarget }: MouseEvent): boolean {
  if (!(target instanceof Element) || !currentTarget.contains(target)) return false
  return target.closest('button, a, input, select, textarea, [role="menuitem"]') === null
}
