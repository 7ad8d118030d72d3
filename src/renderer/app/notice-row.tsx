import { ActionIcon, Text, UnstyledButton } from '@mantine/core'
import { IconCheck } from '@tabler/icons-react'
import { safeText } from '../../shared/safe-text.ts'
import type { NoticeView } from '../../shared/views/notice-view.ts'
import { Ago } from '../ui/ago.tsx'
import { Name } from '../ui/name.tsx'
import { StateMark } from '../ui/state-mark.tsx'
import { words } from '../words.ts'
import classes from './frame.module.css'
import { SEVERITY_TONES } from './inbox-view.ts'

interface NoticeRowProps {
  readonly notice: NoticeView
  /** Acknowledges it, and goes to what it is about. */
  readonly onOpen: () => void
  readonly onAcknowledge: () => void
}

export function NoticeRow({ notice, onOpen, onAcknowledge }: NoticeRowProps) {
  return (
    <div className={classes['notice']} data-unread={!notice.acknowledged}>
      <UnstyledButton className={classes['noticeText']} onClick={onOpen}>
        <div className={classes['noticeHead']}>
          <StateMark tone={SEVERITY_TONES[notice.severity]} label={words.inbox.severity[notice.severity]} />
          <Text component="span" size="sm" c="dimmed">
            <Ago at={notice.at} />
          </Text>
        </div>
        <Text component="div" fw={notice.acknowledged ? 400 : 600}>
          <Name text={notice.title} lines={2} />
        </Text>
        <Text component="div" size="sm" c="dimmed">
          <Name text={notice.text} lines={3} />
        </Text>
      </UnstyledButton>
      {!notice.acknowledged && (
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={words.inbox.acknowledge(safeText(notice.title))}
          title={words.inbox.acknowledgeShort}
          onClick={onAcknowledge}
        >
          <IconCheck size={18} aria-hidden />
        </ActionIcon>
      )}
    </div>
  )
}
