import type { Stop } from '../../shared/contract-shape.ts'
import type { GoTo } from '../../shared/views/notice-view.ts'
import type { ExternalLink } from './external-links.ts'

/** What the handlers behind the window ask of the desktop. */
export interface DesktopSide {
  readonly version: string
  readonly canStartAtLogin: boolean
  /** Asked anew each time: a panel may come and go. */
  hasTray(): Promise<boolean>
  openLink(key: ExternalLink): Promise<void>
  goTo(listener: (to: GoTo | undefined) => void): Stop
}
