import { createContext, use } from 'react'
import { useStore } from 'zustand'
import type { WindowState, WindowStore } from './store.ts'

export const StoreContext = createContext<WindowStore | undefined>(undefined)

/** Part of what the window knows. Select what is stored, and derive from it outside. */
export function useWindow<T>(select: (state: WindowState) => T): T {
  const store = use(StoreContext)
  if (store === undefined) throw new Error('outside of StoreContext')
  return useStore(store, select)
}
