import { Skeleton, Table, VisuallyHidden } from '@mantine/core'
import { words } from '../../words.ts'
import { HostTableHead } from './host-table.tsx'
import classes from './hosts.module.css'

const ROWS = ['60%', '45%', '70%']

/** The table as it will stand, without its text: nothing jumps when that comes. */
export function HostsSkeleton() {
  return (
    <div className={classes['panel']} aria-busy>
      <VisuallyHidden role="status">{words.hosts.loading}</VisuallyHidden>
      <Table className={classes['table']} layout="fixed" verticalSpacing="12px" horizontalSpacing="md" aria-hidden>
        <HostTableHead />
        <Table.Tbody>
          {ROWS.map((width) => (
            <Table.Tr key={width}>
              {[width, '80%', '50%', '70%'].map((cell, column) => (
                <Table.Td key={column}>
                  <Skeleton height={16} my={3} width={cell} />
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}
