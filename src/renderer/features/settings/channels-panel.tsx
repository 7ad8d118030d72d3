import { Button, Skeleton, Text } from '@mantine/core'
import { useState } from 'react'
import { useWindow } from '../../state/store-context.ts'
import { Panel } from '../../ui/panel.tsx'
import { ChannelDialog } from './channel-dialog.tsx'
import { ChannelHostRow } from './channel-host-row.tsx'
import { words } from './channel-words.ts'
import type { ChannelOf } from './channels-slice.ts'
import { tellingHosts } from './channels-view.ts'
import classes from './channels.module.css'
import { RemoveChannelDialog } from './remove-channel-dialog.tsx'

/** How each host tells by itself. */
export function ChannelsPanel() {
  const hosts = useWindow((state) => state.hosts)
  const policies = useWindow((state) => state.policies)
  const [removing, setRemoving] = useState<ChannelOf>()
  const telling = tellingHosts(hosts ?? [], policies)
  return (
    <Panel title={words.title} actions={<SetUp isPossible={telling.some(({ said }) => said?.reachable === true)} />}>
      <Text c="dimmed">{hosts?.length === 0 ? words.noHosts : words.text}</Text>
      {hosts === undefined && <Skeleton h={96} />}
      {telling.length > 0 && (
        <ul className={classes['hosts']}>
          {telling.map((host) => (
            <ChannelHostRow key={host.name} host={host} onRemove={setRemoving} />
          ))}
        </ul>
      )}
      <ChannelDialog telling={telling} />
      <RemoveChannelDialog removing={removing} telling={telling} onClose={() => setRemoving(undefined)} />
    </Panel>
  )
}

function SetUp({ isPossible }: { readonly isPossible: boolean }) {
  const open = useWindow((state) => state.openChannelForm)
  return (
    <>
      <Button variant="default" size="xs" disabled={!isPossible} onClick={() => open('mail')}>
        {words.setUpMail}
      </Button>
      <Button variant="default" size="xs" disabled={!isPossible} onClick={() => open('webhook')}>
        {words.setUpWebhook}
      </Button>
    </>
  )
}
