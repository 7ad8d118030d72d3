import { ActionIcon, Kbd, Menu, UnstyledButton } from '@mantine/core'
import { spotlight } from '@mantine/spotlight'
import { IconBook2, IconHelpCircle, IconInfoCircle, IconKeyboard, IconSearch } from '@tabler/icons-react'
import { useWindow } from '../state/store-context.ts'
import { words } from '../words.ts'
import classes from './frame.module.css'
import { Inbox } from './inbox.tsx'
import { RunningJobs } from './running-jobs.tsx'
import { HELP_MENU } from './frame-dialogs.tsx'
import { modKey } from './mod-key.ts'

export function TopBar() {
  return (
    <header className={classes['bar']}>
      <UnstyledButton className={classes['search']} onClick={spotlight.open}>
        <IconSearch size={18} stroke={1.6} aria-hidden />
        <span className={classes['searchText']}>{words.search.open}</span>
        <Kbd className={classes['searchKey']} aria-hidden>
          {modKey('K')}
        </Kbd>
      </UnstyledButton>
      <RunningJobs />
      <Inbox />
      <Help />
    </header>
  )
}

function Help() {
  const open = useWindow((state) => state.openFrameDialog)
  const openLink = useWindow((state) => state.openLink)
  return (
    <Menu id={HELP_MENU} position="bottom-end" width={260}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={words.help.open} title={words.help.open}>
          <IconHelpCircle size={22} stroke={1.6} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconInfoCircle size={18} aria-hidden />} onClick={() => open('how-it-works')}>
          {words.help.howItWorks}
        </Menu.Item>
        <Menu.Item leftSection={<IconKeyboard size={18} aria-hidden />} onClick={() => open('shortcuts')}>
          {words.help.shortcuts}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item leftSection={<IconBook2 size={18} aria-hidden />} onClick={() => openLink('libvirtManual')}>
          {words.help.libvirtManual}
        </Menu.Item>
        <Menu.Item leftSection={<IconBook2 size={18} aria-hidden />} onClick={() => openLink('qemuManual')}>
          {words.help.qemuManual}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
