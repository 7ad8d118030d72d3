import type { Stop } from '../../shared/contract-shape.ts'
import type { GoTo } from '../../shared/views/notice-view.ts'
import type { ExternalLink } from '../../shared/external-links.ts'

/** What the handlers behind the window ask of the desktop. */
export interface DesktopSide {
  readonly version: string
  /** Installed, and not run from a checkout. */
  readonly isPackaged: boolean
  readonly canStartAtLogin: boolean
  /** Asked anew each time: a panel may come and go. */
  readonly hasTray: () => Promise<boolean>
  readonly openLink: (key: ExternalLink) => Promise<void>
  readonly goTo: { listen(listener: (to: GoTo | undefined) => void): Stop }
}
