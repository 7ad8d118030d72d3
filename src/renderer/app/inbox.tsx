import { Button, Group, Stack, Text, Title } from '@mantine/core'
import { IconBell } from '@tabler/icons-react'
import { useState } from 'react'
import type { NoticeView } from '../../shared/views/notice-view.ts'
import { routeOf } from '../state/route-slice.ts'
import { useWindow } from '../state/store-context.ts'
import { FailureNotice } from '../ui/failure-notice.tsx'
import { failureShown } from '../ui/failure-shown.ts'
import { words } from '../words.ts'
import { BarButton } from './bar-button.tsx'
import { inboxShown } from './inbox-view.ts'
import { NoticeRow } from './notice-row.tsx'

/** Everything that was worth hearing, until somebody has acknowledged it. */
export function Inbox() {
  const [opened, setOpened] = useState(false)
  const { unread, isBad, notices, hidden } = inboxShown(useWindow((state) => state.notices))
  const failure = useWindow((state) => state.inboxFailure)
  const acknowledge = useWindow((state) => state.acknowledge)
  const go = useWindow((state) => state.go)
  const open = ({ id, goTo, acknowledged }: NoticeView): void => {
    if (!acknowledged) acknowledge(id)
    if (goTo === undefined) return
    setOpened(false)
    go(routeOf(goTo))
  }
  return (
    <BarButton
      icon={IconBell}
      label={words.inbox.label(unread)}
      count={unread}
      color={isBad ? 'danger' : 'still'}
      opened={opened}
      onChange={setOpened}
    >
      <Stack gap="sm">
        <Group justify="space-between">
          <Title order={2}>{words.inbox.title}</Title>
          <Button variant="default" size="xs" disabled={unread === 0} onClick={() => acknowledge()}>
            {words.inbox.acknowledgeAll}
          </Button>
        </Group>
        {failure !== undefined && <FailureNotice failure={failureShown(failure)} />}
        {notices.length === 0 && <Text c="dimmed">{words.inbox.none}</Text>}
        {notices.map((notice) => (
          <NoticeRow
            key={notice.id}
            notice={notice}
            onOpen={() => open(notice)}
            onAcknowledge={() => acknowledge(notice.id)}
          />
        ))}
        {hidden > 0 && (
          <Text size="sm" c="dimmed">
            {words.inbox.older(hidden)}
          </Text>
        )}
      </Stack>
    </BarButton>
  )
}
