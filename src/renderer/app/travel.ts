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

/** A point of a VM opens over the VM's page, which stays as it is below. */
const isSamePage = (a: Route, b: Route): boolean => a === b || (a.screen === 'vm' && b.screen === 'vm' && a.vm === b.vm)
