import { IconServer2, type Icon } from '@tabler/icons-react'
import type { ComponentType } from 'react'
import { HostsPage } from '../features/hosts/hosts-page.tsx'
import { words } from '../words.ts'

export interface Screen {
  readonly id: string
  readonly label: string
  readonly icon: Icon
  readonly page: ComponentType
}

const HOSTS: Screen = { id: 'hosts', label: words.screens.hosts, icon: IconServer2, page: HostsPage }

/** The rail from top to bottom. Only screens that exist: an entry that leads nowhere is a broken promise. */
export const SCREENS: readonly Screen[] = [HOSTS]
export const FIRST_SCREEN = HOSTS
