import { ActionIcon, Menu } from '@mantine/core'
import { IconDotsVertical, IconKey, IconRefresh, IconStethoscope, IconTrash } from '@tabler/icons-react'
import { words } from './words.ts'

export interface HostActions {
  readonly onRefresh: () => void
  readonly onDoctor: () => void
  readonly onRemove: () => void
  readonly onJudgeKey: () => void
}

interface HostMenuProps extends HostActions {
  readonly label: string
  /** Its key waits for somebody to judge it. */
  readonly hasKeyProblem: boolean
}

/** What else can be done with a host. */
export function HostMenu({ label, hasKeyProblem, onRefresh, onDoctor, onRemove, onJudgeKey }: HostMenuProps) {
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={label}>
          <IconDotsVertical size={20} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconRefresh size={16} aria-hidden />} onClick={onRefresh}>
          {words.refreshOne}
        </Menu.Item>
        {hasKeyProblem && (
          <Menu.Item leftSection={<IconKey size={16} aria-hidden />} onClick={onJudgeKey}>
            {words.key.judge}
          </Menu.Item>
        )}
        <Menu.Item leftSection={<IconStethoscope size={16} aria-hidden />} onClick={onDoctor}>
          {words.doctor.open}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item color="danger" leftSection={<IconTrash size={16} aria-hidden />} onClick={onRemove}>
          {words.remove.open}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
