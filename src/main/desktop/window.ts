import type { BrowserWindow, BrowserWindowConstructorOptions } from 'electron'
import { WINDOW_URL } from './app-scheme.ts'
import type { Area } from './display-setup.ts'

/** The page's own surfaces (`ui/theme.ts`), so that nothing flashes before the first paint. */
const SURFACE = { light: '#f6f7f8', dark: '#15181b' }

export interface WindowWish {
  readonly preload: string
  readonly icon: string
  readonly dark: boolean
  /** For looking into a checkout; the packaged app has none. */
  readonly devTools: boolean
  /** Undefined: in the middle. */
  readonly bounds: Area | undefined
}

/** What the window is made of. The page gets no node, no other world than its own, and only the bridge of the preload. */
export function windowOptions({ preload, icon, dark, devTools, bounds }: WindowWish): BrowserWindowConstructorOptions {
  return {
    width: 1100,
    height: 720,
    ...bounds,
    minWidth: 900,
    minHeight: 560,
    title: 'Stillpoint',
    icon,
    show: false,
    autoHideMenuBar: true,
    backgroundColor: dark ? SURFACE.dark : SURFACE.light,
    webPreferences: {
      preload,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      experimentalFeatures: false,
      webviewTag: false,
      navigateOnDragDrop: false,
      disableDialogs: true,
      devTools,
      // Chromium would fetch dictionaries from elsewhere.
      spellcheck: false
    }
  }
}

/** Loads the page, and shows the window once there is something to see. */
export async function showWindow(window: Pick<BrowserWindow, 'once' | 'loadURL'>, show: () => void): Promise<void> {
  window.once('ready-to-show', show)
  await window.loadURL(WINDOW_URL)
}

/** Brings a window back to the front, from wherever it is. */
export function bringToFront(window: Pick<BrowserWindow, 'isMinimized' | 'restore' | 'show' | 'focus'>): void {
  if (window.isMinimized()) window.restore()
  window.show()
  window.focus()
}
