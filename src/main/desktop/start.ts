import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { app, BrowserWindow, ipcMain, Menu, nativeTheme, protocol, session, shell } from 'electron'
import type { IpcPort } from '../../shared/ipc-port.ts'
import { registerAppScheme, serveWindowFiles } from './app-scheme.ts'
import { openLink, type ExternalLink } from './external-links.ts'
import { electronIpcPort } from './ipc-port.ts'
import { menuTemplate } from './menu.ts'
import { confine } from './navigation.ts'
import { denyPermissions } from './permissions.ts'
import { bringToFront, showWindow, windowOptions } from './window.ts'

export interface Desktop {
  /** Where Chromium may keep its own things. One running Stillpoint for each such folder. */
  readonly userData: string
  /** The built window and its preload. */
  readonly rendererRoot: string
  readonly preload: string
  /** Opens the door to the core, once and before the first window. */
  readonly openDoor: (port: IpcPort, openLink: (link: ExternalLink) => Promise<void>) => void
  readonly onFailure: (error: unknown) => void
}

/** Runs the desktop app: one instance, one window. A second start only brings the window of the first to the front. */
export function startDesktop(desktop: Desktop): void {
  useFolder(desktop)
  if (!app.requestSingleInstanceLock()) {
    app.quit()
    return
  }
  registerAppScheme(protocol)
  app.enableSandbox()
  app.on('web-contents-created', (_event, contents) => confine(contents))
  app.on('window-all-closed', () => app.quit())
  app
    .whenReady()
    .then(() => whenReady(desktop))
    .catch(desktop.onFailure)
}

/** Electron wants the folder to be there. Where it cannot be made, its own default is as good. */
function useFolder({ userData, onFailure }: Desktop): void {
  try {
    mkdirSync(userData, { recursive: true, mode: 0o700 })
    app.setPath('userData', userData)
  } catch (error) {
    onFailure(error)
  }
}

async function whenReady(desktop: Desktop): Promise<void> {
  denyPermissions(session.defaultSession)
  serveWindowFiles(protocol, desktop.rendererRoot)
  const openInBrowser = (link: ExternalLink): Promise<void> => openLink((url) => shell.openExternal(url), link)
  const open = (link: ExternalLink): void => {
    openInBrowser(link).catch(desktop.onFailure)
  }
  Menu.setApplicationMenu(Menu.buildFromTemplate(menuTemplate(process.platform, open)))
  desktop.openDoor(
    electronIpcPort(ipcMain, () => BrowserWindow.getAllWindows()),
    openInBrowser
  )
  const comeForward = (): void => {
    openOrFocus(desktop.preload).catch(desktop.onFailure)
  }
  app.on('second-instance', comeForward)
  app.on('activate', comeForward)
  await openOrFocus(desktop.preload)
}

async function openOrFocus(preload: string): Promise<void> {
  const [window] = BrowserWindow.getAllWindows()
  if (window !== undefined) bringToFront(window)
  else await showWindow(new BrowserWindow(windowOptions(preload, nativeTheme.shouldUseDarkColors)))
}

/** Where the build puts main, preload and window, seen from the main bundle. */
export const builtFiles = (mainFolder: string): Pick<Desktop, 'rendererRoot' | 'preload'> => ({
  rendererRoot: join(mainFolder, '../renderer'),
  preload: join(mainFolder, '../preload/index.cjs')
})
