import { ActionIcon, Menu } from '@mantine/core'
import { IconBellOff, IconBell, IconDots, IconExternalLink, IconHistory, IconPlayerRecord } from '@tabler/icons-react'
import { safeText } from '../../../shared/safe-text.ts'
import type { VmSafety } from '../../../shared/safety.ts'
import { useWindow } from '../../state/store-context.ts'
import { words } from './words.ts'

/** What can be done with one VM. */
export function RowMenu({ row }: { readonly row: VmSafety }) {
  const label = words.actions(safeText(row.name))
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={label}>
          <IconDots size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <RowActions row={row} />
      </Menu.Dropdown>
    </Menu>
  )
}

/** Only there while the menu is open. */
function RowActions({ row }: { readonly row: VmSafety }) {
  const { uuid, host, vm, running, lastPoint, mutedBecause } = row
  const go = useWindow((state) => state.go)
  const backUp = useWindow((state) => state.backUpNow)
  const openMute = useWindow((state) => state.openMute)
  const unmute = useWindow((state) => state.unmuteVm)
  return (
    <>
      <Menu.Item
        leftSection={<IconExternalLink size={18} aria-hidden />}
        onClick={() => go({ screen: 'vm', host, vm: uuid })}
      >
        {words.open}
      </Menu.Item>
      <Menu.Item
        leftSection={<IconPlayerRecord size={18} aria-hidden />}
        disabled={vm === undefined || running !== undefined}
        onClick={() => void backUp(host, uuid)}
      >
        {words.backUp}
      </Menu.Item>
      <Menu.Item
        leftSection={<IconHistory size={18} aria-hidden />}
        disabled={lastPoint === undefined}
        onClick={() => go({ screen: 'restore', ...(lastPoint && { point: lastPoint.id }) })}
      >
        {words.restore}
      </Menu.Item>
      <Menu.Divider />
      {mutedBecause === undefined ? (
        <Menu.Item leftSection={<IconBellOff size={18} aria-hidden />} onClick={() => openMute(row)}>
          {words.mute}
        </Menu.Item>
      ) : (
        <Menu.Item leftSection={<IconBell size={18} aria-hidden />} onClick={() => void unmute(uuid)}>
          {words.unmute}
        </Menu.Item>
      )}
    </>
  )
}
