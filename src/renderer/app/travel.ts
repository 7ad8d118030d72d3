import type { Route } from '../state/route-slice.ts'
import { focusHeading } from './focus-heading.ts'

/** Where the window has been: it arrives at a page once, and finds one that it comes back to as it was left. */
export class Travel {
  private at: Route
  private readonly scrolled = new WeakMap<Route, number>()

  constructor(at: Route) {
    this.at = at
  }

  /** The page of this route is there. Returns what ends the watch over how far it is scrolled. */
  arrive(route: Route, page: HTMLElement): () => void {
    const isOther = !isSamePage(route, this.at)
    this.at = route
    if (isOther) {
      focusHeading()
      page.scrollTo({ top: this.scrolled.get(route) ?? 0 })
    }
    const remember = (): void => void this.scrolled.set(route, page.scrollTop)
    page.addEventListener('scroll', remember, { passive: true })
    return () => page.removeEventListener('scroll', remember)
  }
}

/** A point of a VM opens over the VM's page, and a run over its schedule's, which stay as they are below. */
function isSamePage(a: Route, b: Route): boolean {
  if (a.screen === 'vm' && b.screen === 'vm') return a.vm === b.vm
  if (a.screen !== 'schedules' || b.screen !== 'schedules') return a === b
  return a.host === b.host && a.policy === b.policy && a.edit === b.edit
}
