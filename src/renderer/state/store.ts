import { createStore, type StoreApi } from 'zustand/vanilla'
import type { Bridge } from '../../shared/contract.ts'
import { activitySlice, type ActivitySlice } from '../features/activity/activity-slice.ts'
import { backupSlice, type BackupSlice } from '../features/backup/backup-slice.ts'
import { downtimeSlice, type DowntimeSlice } from '../features/downtime/downtime-slice.ts'
import { addHostSlice, type AddHostSlice } from '../features/hosts/add-host-slice.ts'
import { hostsSlice, type HostsSlice } from '../features/hosts/hosts-slice.ts'
import { overviewSlice, type OverviewSlice } from '../features/overview/overview-slice.ts'
import { channelsSlice, type ChannelsSlice } from '../features/settings/channels-slice.ts'
import { schedulesSlice, type SchedulesSlice } from '../features/schedules/schedules-slice.ts'
import { settingsSlice, type SettingsSlice } from '../features/settings/settings-slice.ts'
import { vmSlice, type VmSlice } from '../features/vm/vm-slice.ts'
import { frameSlice, type FrameSlice } from '../app/frame-slice.ts'
import { restoreSlice, type RestoreSlice } from '../features/restore/restore-slice.ts'
import { mirrorSlice, type MirrorSlice } from './mirror-slice.ts'
import { routeSlice, type RouteSlice } from './route-slice.ts'

/** Everything the window knows. The core is the truth, `mirrorSlice` holds what it said; each feature adds its errands. */
export type WindowState = MirrorSlice &
  RouteSlice &
  FrameSlice &
  HostsSlice &
  AddHostSlice &
  OverviewSlice &
  SettingsSlice &
  ChannelsSlice &
  ActivitySlice &
  RestoreSlice &
  DowntimeSlice &
  BackupSlice &
  SchedulesSlice &
  VmSlice
export type WindowStore = StoreApi<WindowState>

export const createWindowStore = (core: Bridge): WindowStore =>
  createStore<WindowState>()((...args) => ({
    ...mirrorSlice(core)(...args),
    ...routeSlice(...args),
    ...hostsSlice(core)(...args),
    ...addHostSlice(core)(...args),
    ...activitySlice(core)(...args),
    ...restoreSlice(core)(...args),
    ...downtimeSlice(...args),
    ...frameSlice(core)(...args),
    ...overviewSlice(core)(...args),
    ...settingsSlice(core)(...args),
    ...channelsSlice(core)(...args),
    ...backupSlice(core)(...args),
    ...schedulesSlice(core)(...args),
    ...vmSlice(core)(...args)
  }))
