import type { StateCreator } from 'zustand/vanilla'
import { ALL_DOWNTIMES, type DowntimeFilter } from './downtime-view.ts'

export interface DowntimeSlice {
  readonly downtimeFilter: DowntimeFilter
  readonly filterDowntimes: (change: Partial<DowntimeFilter>) => void
}

export const FIRST_FILTER: DowntimeFilter = { ...ALL_DOWNTIMES, days: 30 }

export const downtimeSlice: StateCreator<DowntimeSlice> = (set, get) => ({
  downtimeFilter: FIRST_FILTER,
  filterDowntimes: (change) => set({ downtimeFilter: { ...get().downtimeFilter, ...change } })
})
