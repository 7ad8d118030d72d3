import { Button, Title } from '@mantine/core'
import { IconDeviceDesktop, IconFilterOff } from '@tabler/icons-react'
import { useCallback, useMemo } from 'react'
import type { VmSafety } from '../../../shared/safety.ts'
import type { HostView } from '../../../shared/views/host-view.ts'
import { useWindow } from '../../state/store-context.ts'
import { DataTable } from '../../ui/data-table.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { filtered, isFiltering, NO_FILTER } from './filter-view.ts'
import { FilterBar } from './filter-bar.tsx'
import classes from './overview.module.css'
import { COLUMNS } from './vm-columns.tsx'
import { words } from './words.ts'

interface VmTableProps {
  readonly hosts: readonly HostView[]
  readonly vms: readonly VmSafety[]
}

/** Every VM. What moves in a running job is drawn by its own cell, so a busy host does not draw the table again. */
export function VmTable({ hosts, vms }: VmTableProps) {
  const filter = useWindow((state) => state.overviewFilter)
  const go = useWindow((state) => state.go)
  const rows = useMemo(() => filtered(vms, filter), [vms, filter])
  const open = useCallback(({ host, uuid }: VmSafety) => go({ screen: 'vm', host, vm: uuid }), [go])
  return (
    <section className={classes['vms']} aria-labelledby="overview-vms">
      <div className={classes['vmsHead']}>
        <Title order={2} id="overview-vms">
          {words.vms} <span className={classes['count']}>{words.shown(rows.length, vms.length)}</span>
        </Title>
        {vms.length > 0 && <FilterBar hosts={hosts} />}
      </div>
      {rows.length > 0 ? (
        <DataTable label={words.vms} columns={COLUMNS} rows={rows} rowKey={keyOf} onOpen={open} rowHeight={60} />
      ) : (
        <NoRows isFiltered={vms.length > 0 && isFiltering(filter)} />
      )}
    </section>
  )
}

/** One VM may be on two hosts: moved, or restored beside. */
const keyOf = ({ host, uuid }: VmSafety): string => `${host} ${uuid}`

function NoRows({ isFiltered }: { readonly isFiltered: boolean }) {
  const filterOverview = useWindow((state) => state.filterOverview)
  if (!isFiltered) return <EmptyState icon={IconDeviceDesktop} title={words.noVms.title} text={words.noVms.text} />
  return (
    <EmptyState icon={IconFilterOff} title={words.noneFound.title} text={words.noneFound.text}>
      <Button variant="default" onClick={() => filterOverview(NO_FILTER)}>
        {words.noneFound.clear}
      </Button>
    </EmptyState>
  )
}
