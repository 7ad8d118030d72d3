import type { BrowserWindow, BrowserWindowConstructorOptions } from 'electron'
import { WINDOW_URL } from './app-scheme.ts'

/** The page's own surfaces (`ui/theme.ts`), so that nothing flashes before the first paint. */
const SURFACE = { light: '#f6f7f8', dark: '#15181b' }

/** What the window is made of. The page gets no node, no other world than its own, and only the bridge of the preload. */
export function windowOptions(preload: string, dark: boolean): BrowserWindowConstructorOptions {
  return {
    width: 1100,
    height: 720,
    minWidth: 900,
    minHeight: 560,
    title: 'Stillpoint',
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
      // Chromium would fetch dictionaries from elsewhere.
      spellcheck: false
    }
  }
}

/** Loads the page, and shows the window once there is something to see. */
export async function showWindow(window: Pick<BrowserWindow, 'once' | 'show' | 'loadURL'>): Promise<void> {
  window.once('ready-to-show', () => window.show())
  await window.loadURL(WINDOW_URL)
}

/** Brings a window back to the front, from wherever it is. */
export function bringToFront(window: Pick<BrowserWindow, 'isMinimized' | 'restore' | 'show' | 'focus'>): void {
  if (window.isMinimized()) window.restore()
  window.show()
  window.focus()
}
