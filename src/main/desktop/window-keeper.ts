import { app, BrowserWindow, nativeTheme, screen } from 'electron'
import { rememberedPlace, rememberPlace } from './remember-place.ts'
import { bringToFront, showWindow, windowOptions } from './window.ts'
import type { WindowPlaces } from './window-file.ts'

/** As Electron lists them. */
export type Window = ReturnType<typeof BrowserWindow.getAllWindows>[number]

export interface KeeperOptions {
  readonly preload: string
  readonly icon: string
  readonly places: WindowPlaces
  /** Every window that is made, before it loads. */
  readonly onWindow: (window: BrowserWindow) => void
  readonly onFailure: (error: unknown) => void
}

/** The one window: made when it is first wanted, afterwards brought to the front. */
export class WindowKeeper {
  private readonly options: KeeperOptions

  constructor(options: KeeperOptions) {
    this.options = options
  }

  get window(): Window | undefined {
    return BrowserWindow.getAllWindows().find((window) => !window.isDestroyed())
  }

  comeForward(): void {
    const { window } = this
    if (window === undefined) this.open(false)
    else bringToFront(window)
  }

  /** @param minimized for a start that nobody asked for, where there is no tray to wait in */
  open(minimized: boolean): void {
    const { preload, icon, places, onWindow, onFailure } = this.options
    const place = rememberedPlace(places, screen)
    const dark = nativeTheme.shouldUseDarkColors
    const window = new BrowserWindow(
      windowOptions({ preload, icon, dark, devTools: !app.isPackaged, bounds: place?.bounds })
    )
    onWindow(window)
    rememberPlace(window, places, screen)
    const show = (): void => {
      if (minimized) window.minimize()
      else if (place?.maximized === true) window.maximize()
      else window.show()
    }
    showWindow(window, show).catch(onFailure)
  }

  hide(): void {
    this.window?.hide()
  }
}
