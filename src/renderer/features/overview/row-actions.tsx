import { pointName } from '../../../shared/point-name.ts'
import { Menu } from '@mantine/core'
import { IconBell, IconBellOff, IconCheck, IconExternalLink, IconHistory, IconPlayerRecord } from '@tabler/icons-react'
import { wantsYou, type VmSafety } from '../../../shared/safety.ts'
import { useWindow } from '../../state/store-context.ts'
import { words } from './words.ts'

/** The items of a row's menu. */
export function RowActions({ row }: { readonly row: VmSafety }) {
  const { uuid, host, vm, running, lastPoint } = row
  const go = useWindow((state) => state.go)
  const openBackup = useWindow((state) => state.openBackup)
  return (
    <>
      <Menu.Item leftSection={<IconExternalLink size={18} />} onClick={() => go({ screen: 'vm', host, vm: uuid })}>
        {words.open}
      </Menu.Item>
      <Menu.Item
        leftSection={<IconPlayerRecord size={18} />}
        disabled={vm === undefined || running !== undefined}
        onClick={() => openBackup({ host, vm: uuid })}
      >
        {words.backUpMenu}
      </Menu.Item>
      <Menu.Item
        leftSection={<IconHistory size={18} />}
        disabled={lastPoint === undefined}
        onClick={() => go({ screen: 'restore', ...(lastPoint && { point: pointName(lastPoint) }) })}
      >
        {words.restore}
      </Menu.Item>
      <Menu.Divider />
      <AcknowledgeItem row={row} />
      <MuteItem row={row} />
    </>
  )
}

function AcknowledgeItem({ row }: { readonly row: VmSafety }) {
  const acknowledge = useWindow((state) => state.acknowledgeVms)
  const takeBack = useWindow((state) => state.unacknowledgeVm)
  if (!wantsYou(row) && !row.isAcknowledged) return undefined
  return (
    <Menu.Item
      leftSection={<IconCheck size={18} />}
      onClick={() => void (row.isAcknowledged ? takeBack(row) : acknowledge([row]))}
    >
      {row.isAcknowledged ? words.unacknowledgeMenu : words.acknowledge}
    </Menu.Item>
  )
}

function MuteItem({ row }: { readonly row: VmSafety }) {
  const openMute = useWindow((state) => state.openMute)
  const unmute = useWindow((state) => state.unmuteVm)
  return row.mutedBecause === undefined ? (
    <Menu.Item leftSection={<IconBellOff size={18} />} onClick={() => openMute(row)}>
      {words.mute}
    </Menu.Item>
  ) : (
    <Menu.Item leftSection={<IconBell size={18} />} onClick={() => void unmute(row)}>
      {words.unmute}
    </Menu.Item>
  )
}
