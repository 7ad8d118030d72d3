import { ActionIcon, Menu } from '@mantine/core'
import {
  IconCopy,
  IconDots,
  IconEdit,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlayerSkipForward,
  IconTrash
} from '@tabler/icons-react'
import { safeText, shorten } from '../../../shared/safe-text.ts'
import type { PolicyState } from '../../../shared/views/policy-view.ts'
import { useWindow } from '../../state/store-context.ts'
import { useNow } from '../../ui/use-now.ts'
import { pausedNow } from './policy-words.ts'
import { errandOf } from './schedules-slice.ts'
import { words } from './words.ts'

interface PolicyActionsProps {
  readonly host: string
  readonly state: PolicyState
}

const said = words.actions

/** Run now, and what is behind the dots. */
export function PolicyActions({ host, state }: PolicyActionsProps) {
  const run = useWindow((all) => all.runPolicy)
  const { id, name } = state.policy
  const isBusy = useWindow((all) => all.scheduleErrands.get(errandOf({ host, id }))?.isBusy === true)
  const shown = shorten(safeText(name), 60)
  return (
    <ActionIcon.Group style={{ justifyContent: 'flex-end' }}>
      <ActionIcon
        variant="default"
        size="lg"
        aria-label={said.runNowOf(shown)}
        title={said.runNow}
        loading={isBusy}
        onClick={() => run({ host, id })}
      >
        <IconPlayerPlay size={16} aria-hidden />
      </ActionIcon>
      <PolicyMenu host={host} state={state} />
    </ActionIcon.Group>
  )
}

export function PolicyMenu({ host, state: { policy } }: PolicyActionsProps) {
  const go = useWindow((all) => all.go)
  const open = useWindow((all) => all.openScheduleDialog)
  const resume = useWindow((all) => all.resumePolicy)
  const isPaused = pausedNow(policy, useNow()) !== undefined
  const { id, name } = policy
  const edit = (how: 'change' | 'copy') => () => go({ screen: 'schedules', host, policy: id, edit: how })
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="default" size="lg" aria-label={said.menu(shorten(safeText(name), 60))}>
          <IconDots size={16} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {isPaused ? (
          <Menu.Item leftSection={<IconPlayerSkipForward size={16} />} onClick={() => resume({ host, id })}>
            {said.resume}
          </Menu.Item>
        ) : (
          <Menu.Item
            leftSection={<IconPlayerPause size={16} />}
            onClick={() => open({ kind: 'pause', host, id, name })}
          >
            {said.pause}
          </Menu.Item>
        )}
        <Menu.Item leftSection={<IconEdit size={16} />} onClick={edit('change')}>
          {said.edit}
        </Menu.Item>
        <Menu.Item leftSection={<IconCopy size={16} />} onClick={edit('copy')}>
          {said.duplicate}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item leftSection={<IconTrash size={16} />} onClick={() => open({ kind: 'remove', host, id, name })}>
          {said.remove}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
