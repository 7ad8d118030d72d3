import type { Stop } from '../../shared/contract-shape.ts'
import type { GoTo } from '../../shared/views/notice-view.ts'

/** Long enough for a window that has to be opened first; afterwards a reload stays where it was. */
const STANDS_MS = 10_000

/** Where the desktop wants the window to be. Whoever begins to listen while that stands hears it too. */
export class GoToSource {
  private readonly listeners = new Set<(to: GoTo | undefined) => void>()
  private to: GoTo | undefined
  private timer: NodeJS.Timeout | undefined

  listen(listener: (to: GoTo | undefined) => void): Stop {
    this.listeners.add(listener)
    listener(this.to)
    return () => void this.listeners.delete(listener)
  }

  go(to: GoTo): void {
    clearTimeout(this.timer)
    // A window takes the same again for an echo, unless it was taken back in between.
    if (this.to !== undefined) this.tell(undefined)
    this.tell(to)
    this.timer = setTimeout(() => this.tell(undefined), STANDS_MS)
    this.timer.unref()
  }

  private tell(to: GoTo | undefined): void {
    this.to = to
    this.listeners.forEach((listener) => listener(to))
  }
}
