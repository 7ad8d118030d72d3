import { createStore, type StoreApi } from 'zustand/vanilla'
import type { Bridge } from '../../shared/contract.ts'
import { hostsSlice, type HostsSlice } from '../features/hosts/hosts-slice.ts'

/** Everything the window knows: one slice for each feature. The core is the truth, this mirrors it. */
export type WindowState = HostsSlice
export type WindowStore = StoreApi<WindowState>

export const createWindowStore = (core: Bridge): WindowStore => createStore<WindowState>()(hostsSlice(core))
