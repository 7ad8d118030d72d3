import { Text } from '@mantine/core'
import type { HostPolicies } from '../../../shared/views/policy-view.ts'
import { Ago } from '../../ui/ago.tsx'
import { Name } from '../../ui/name.tsx'
import { StateMark } from '../../ui/state-mark.tsx'
import { ChannelLine } from './channel-line.tsx'
import { words } from './channel-words.ts'
import type { ChannelOf } from './channels-slice.ts'
import { mailLines, untold, webhookLines, type TellingHost } from './channels-view.ts'
import classes from './channels.module.css'
import { OutboxTable } from './outbox-table.tsx'

interface ChannelHostRowProps {
  readonly host: TellingHost
  readonly onRemove: (of: ChannelOf) => void
}

/** One host: its mail, its webhook, and what it could not get rid of. */
export function ChannelHostRow({ host: { name, said }, onRemove }: ChannelHostRowProps) {
  return (
    <li className={classes['host']}>
      <div className={classes['hostName']}>
        <b>
          <Name text={name} lines={2} />
        </b>
        {said?.reachable === false && <AsOf said={said} />}
      </div>
      {said === undefined ? (
        <Text c="dimmed">{words.notYet}</Text>
      ) : (
        <div className={classes['channels']}>
          <Untold said={said} />
          <ChannelLine
            of={{ channel: 'mail', host: name }}
            said={said}
            lines={mailLines(said.channels)}
            onRemove={onRemove}
          />
          <ChannelLine
            of={{ channel: 'webhook', host: name }}
            said={said}
            lines={webhookLines(said.channels)}
            onRemove={onRemove}
          />
          {said.outbox.length > 0 && <OutboxTable host={name} outbox={said.outbox} />}
        </div>
      )}
    </li>
  )
}

const AsOf = ({ said }: { readonly said: HostPolicies }) => (
  <Text component="div" size="sm" c="dimmed">
    <StateMark tone="unknown" label={words.noAnswer} />
    <div>
      {words.asOf} <Ago at={said.asOf} />
    </div>
  </Text>
)

function Untold({ said }: { readonly said: HostPolicies }) {
  const why = untold(said)
  return why === undefined ? undefined : <StateMark tone="attention" label={why} />
}
