import type { StateCreator } from 'zustand/vanilla'
import type { GoTo } from '../../shared/views/notice-view.ts'

/** Where the window is. */
export type Route =
  | { readonly screen: 'overview' }
  | { readonly screen: 'hosts'; readonly host?: string }
  | { readonly screen: 'vm'; readonly host: string; readonly vm: string; readonly point?: string }
  /** Without a point: choose one. */
  | { readonly screen: 'restore'; readonly point?: string }
  /** Without a policy: all of them. `edit` opens the form: for a new one, for this one, or for another like it. */
  | {
      readonly screen: 'schedules'
      readonly host?: string
      readonly policy?: string
      readonly run?: string
      readonly edit?: 'new' | 'change' | 'copy'
    }
  | { readonly screen: 'activity' }
  | { readonly screen: 'job'; readonly job: string }
  | { readonly screen: 'downtime' }
  | { readonly screen: 'settings' }
export type ScreenName = Route['screen']

export interface RouteSlice {
  readonly route: Route
  /** Those that Back leads to, oldest first. */
  readonly trail: readonly Route[]
  readonly go: (to: Route) => void
  readonly goBack: () => void
}

const KEY = 'stillpoint-route'
const LONGEST_TRAIL = 50

/** A reload comes back to where the window was. */
export const routeSlice: StateCreator<RouteSlice> = (set, get) => {
  const keep = (route: Route): Route => {
    sessionStorage.setItem(KEY, JSON.stringify(route))
    return route
  }
  return {
    route: kept() ?? { screen: 'overview' },
    trail: [],
    go: (to) => set({ route: keep(to), trail: [...get().trail, get().route].slice(-LONGEST_TRAIL) }),
    goBack: () => {
      const before = get().trail.at(-1)
      if (before !== undefined) set({ route: keep(before), trail: get().trail.slice(0, -1) })
    }
  }
}

/** Where a notice leads. */
export function routeOf(to: GoTo): Route {
  if (to.screen === 'overview') return { screen: 'overview' }
  if (to.screen !== 'hosts') return to
  return to.host === undefined ? { screen: 'hosts' } : { screen: 'hosts', host: to.host }
}

function kept(): Route | undefined {
  try {
    const text = sessionStorage.getItem(KEY)
    return text === null ? undefined : (JSON.parse(text) as Route)
  } catch {
    return undefined
  }
}
