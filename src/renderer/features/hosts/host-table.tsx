import { Table } from '@mantine/core'
import { words } from '../../words.ts'
import type { HostRow } from './hosts-view.ts'
import classes from './hosts.module.css'

const { columns, fromSshConfig } = words.hosts

export function HostTable({ rows }: { readonly rows: readonly HostRow[] }) {
  return (
    <div className={classes['panel']}>
      <Table className={classes['table']} layout="fixed" verticalSpacing="12px" horizontalSpacing="md">
        <HostTableHead />
        <Table.Tbody>
          {rows.map((row) => (
            <HostTableRow key={row.name} row={row} />
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}

export function HostTableHead() {
  return (
    <Table.Thead>
      <Table.Tr>
        <Table.Th w="34%">{columns.name}</Table.Th>
        <Table.Th>{columns.address}</Table.Th>
        <Table.Th w={176}>{columns.user}</Table.Th>
        <Table.Th w={152}>{columns.added}</Table.Th>
      </Table.Tr>
    </Table.Thead>
  )
}

function HostTableRow({ row }: { readonly row: HostRow }) {
  return (
    <Table.Tr>
      <Table.Th scope="row" className={classes['name']}>
        <Clamped text={row.name} />
      </Table.Th>
      <Table.Td className={classes['mono']}>
        <Clamped text={row.address} />
      </Table.Td>
      <Table.Td>
        {row.user === undefined ? (
          <span className={classes['soft']}>{fromSshConfig}</span>
        ) : (
          <Clamped text={row.user} />
        )}
      </Table.Td>
      <Table.Td className={classes['added']}>{row.added}</Table.Td>
    </Table.Tr>
  )
}

/** Two lines at most, the whole on hovering; isolated, so that a name cannot turn its neighbours round. */
function Clamped({ text }: { readonly text: string }) {
  return (
    <bdi className={classes['clamped']} title={text}>
      {text}
    </bdi>
  )
}
