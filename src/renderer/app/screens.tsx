import {
  IconActivity,
  IconCalendarTime,
  IconClockPause,
  IconHistory,
  IconLayoutDashboard,
  IconServer2,
  IconSettings,
  type Icon
} from '@tabler/icons-react'
import type { ComponentType } from 'react'
import { ActivityPage } from '../features/activity/activity-page.tsx'
import { JobPage } from '../features/activity/job-page.tsx'
import { HostsPage } from '../features/hosts/hosts-page.tsx'
import { OverviewPage } from '../features/overview/overview-page.tsx'
import { RestorePage } from '../features/restore/restore-page.tsx'
import { SettingsPage } from '../features/settings/settings-page.tsx'
import type { ScreenName } from '../state/route-slice.ts'
import { lazyPart } from '../ui/lazy-part.ts'
import { words } from '../words.ts'

/** Charts are heavy, and so is the form of a schedule: these come when they are asked for. */
const VmPage = lazyPart(async () => (await import('../features/vm/vm-page.tsx')).VmPage)
const DowntimePage = lazyPart(async () => (await import('../features/downtime/downtime-page.tsx')).DowntimePage)
const SchedulesPage = lazyPart(async () => (await import('../features/schedules/schedules-page.tsx')).SchedulesPage)

/** Every screen by its name in a route. */
export const PAGES: Readonly<Record<ScreenName, ComponentType>> = {
  overview: OverviewPage,
  hosts: HostsPage,
  vm: VmPage,
  restore: RestorePage,
  schedules: SchedulesPage,
  activity: ActivityPage,
  job: JobPage,
  downtime: DowntimePage,
  settings: SettingsPage
}

type RailScreen = 'overview' | 'hosts' | 'restore' | 'schedules' | 'activity' | 'downtime' | 'settings'

export interface RailEntry {
  readonly screen: RailScreen
  readonly label: string
  readonly icon: Icon
  /** Screens that count as being in this one. */
  readonly holds: readonly ScreenName[]
}

const { screens } = words

/** The rail from top to bottom. */
export const RAIL: readonly RailEntry[] = [
  { screen: 'overview', label: screens.overview, icon: IconLayoutDashboard, holds: ['overview', 'vm'] },
  { screen: 'hosts', label: screens.hosts, icon: IconServer2, holds: ['hosts'] },
  { screen: 'restore', label: screens.restore, icon: IconHistory, holds: ['restore'] },
  { screen: 'schedules', label: screens.schedules, icon: IconCalendarTime, holds: ['schedules'] },
  { screen: 'activity', label: screens.activity, icon: IconActivity, holds: ['activity', 'job'] },
  { screen: 'downtime', label: screens.downtime, icon: IconClockPause, holds: ['downtime'] },
  { screen: 'settings', label: screens.settings, icon: IconSettings, holds: ['settings'] }
]
