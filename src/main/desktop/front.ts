import { join } from 'node:path'
import { dialog, Notification, type BrowserWindow } from 'electron'
import type { GoTo } from '../../shared/views/notice-view.ts'
import { Dialogs } from './dialogs.ts'
import { GoToSource } from './go-to-source.ts'
import { Notifier } from './notifier.ts'
import type { Desktop } from './start.ts'
import { WindowPlaces } from './window-file.ts'
import { WindowKeeper } from './window-keeper.ts'

/** What a person meets: the window, dialogs over it, notifications beside it. */
export class Front {
  readonly wanted = new GoToSource()
  readonly keeper: WindowKeeper
  readonly dialogs: Dialogs = new Dialogs(dialog, () => this.keeper.window)
  readonly notifier = new Notifier(Notification, (to) => this.goTo(to))

  /** @param onWindow gets every window that is made, before it loads */
  constructor({ preload, icons, windowFile, onFailure }: Desktop, onWindow: (window: BrowserWindow) => void) {
    const icon = join(icons, 'app/256x256.png')
    this.keeper = new WindowKeeper({ preload, icon, places: new WindowPlaces(windowFile), onWindow, onFailure })
  }

  /** Opens the window there, or brings it to the front and leads it there. */
  goTo(to: GoTo): void {
    this.wanted.go(to)
    this.keeper.comeForward()
  }
}
