import { createStore, type StoreApi } from 'zustand/vanilla'
import type { Bridge } from '../../shared/contract.ts'
import { activitySlice, type ActivitySlice } from '../features/activity/activity-slice.ts'
import { addHostSlice, type AddHostSlice } from '../features/hosts/add-host-slice.ts'
import { hostsSlice, type HostsSlice } from '../features/hosts/hosts-slice.ts'
import { mirrorSlice, type MirrorSlice } from './mirror-slice.ts'
import { routeSlice, type RouteSlice } from './route-slice.ts'

/** Everything the window knows. The core is the truth, `mirrorSlice` holds what it said; each feature adds its errands. */
export type WindowState = MirrorSlice & RouteSlice & HostsSlice & AddHostSlice & ActivitySlice
export type WindowStore = StoreApi<WindowState>

export const createWindowStore = (core: Bridge): WindowStore =>
  createStore<WindowState>()((...args) => ({
    ...mirrorSlice(core)(...args),
    ...routeSlice(...args),
    ...hostsSlice(core)(...args),
    ...addHostSlice(core)(...args),
    ...activitySlice(core)(...args)
  }))
