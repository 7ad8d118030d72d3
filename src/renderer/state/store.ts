import { createStore, type StoreApi } from 'zustand/vanilla'
import type { Bridge } from '../../shared/contract.ts'
import { mirrorSlice, type MirrorSlice } from './mirror-slice.ts'
import { routeSlice, type RouteSlice } from './route-slice.ts'

/** Everything the window knows. The core is the truth, `mirrorSlice` holds what it said; each feature adds its errands. */
export type WindowState = MirrorSlice & RouteSlice
export type WindowStore = StoreApi<WindowState>

export const createWindowStore = (core: Bridge): WindowStore =>
  createStore<WindowState>()((...args) => ({
    ...mirrorSlice(core)(...args),
    ...routeSlice(...args)
  }))
