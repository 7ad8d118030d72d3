import { Text } from '@mantine/core'
import type { OutboxItem } from '../../../shared/model/channels.ts'
import { safeText } from '../../../shared/safe-text.ts'
import { Ago } from '../../ui/ago.tsx'
import { Name } from '../../ui/name.tsx'
import { StateMark } from '../../ui/state-mark.tsx'
import { useNow } from '../../ui/use-now.ts'
import { words } from './channel-words.ts'
import { inTurn, nextTryWords } from './channels-view.ts'
import classes from './channels.module.css'

interface OutboxTableProps {
  readonly host: string
  readonly outbox: readonly OutboxItem[]
}

/** Messages that wait on their host for the next try, and those that were given up. */
export function OutboxTable({ host, outbox }: OutboxTableProps) {
  const { message, tries, error, next } = words.outboxColumns
  return (
    <div className={classes['outbox']}>
      <StateMark tone="attention" label={words.outbox(outbox.length)} />
      <table aria-label={words.outboxOf(safeText(host))}>
        <thead>
          <tr>
            <th scope="col">{message}</th>
            <th scope="col">{tries}</th>
            <th scope="col">{error}</th>
            <th scope="col">{next}</th>
          </tr>
        </thead>
        <tbody>
          {inTurn(outbox).map((item) => (
            <OutboxRow key={item.id} item={item} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function OutboxRow({ item }: { readonly item: OutboxItem }) {
  const now = useNow()
  return (
    <tr>
      <td>
        <Name text={item.subject} lines={2} />
        <Text component="div" size="sm" c="dimmed">
          {words[item.channel]} · <Ago at={item.at} />
        </Text>
      </td>
      <td>{item.tries}</td>
      <td>
        <Name text={item.lastError} lines={3} />
      </td>
      <td>
        {item.nextTryAt === undefined ? <StateMark tone="danger" label={words.givenUp} /> : nextTryWords(item, now)}
      </td>
    </tr>
  )
}
