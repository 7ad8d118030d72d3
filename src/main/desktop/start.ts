import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { app, dialog, protocol } from 'electron'
import { describeFailure } from '../../shared/failure-words.ts'
import { failureOf } from '../../shared/failure.ts'
import type { IpcPort } from '../../shared/ipc-port.ts'
import { safeLines } from '../../shared/safe-text.ts'
import { registerAppScheme } from './app-scheme.ts'
import type { DesktopCore } from './desktop-core.ts'
import type { DesktopSide } from './desktop-side.ts'
import { confine } from './navigation.ts'
import { runDesktop } from './run.ts'
import { words } from './words.ts'

/** By which Windows, and the packages' own files, know the app. The same stands in electron-builder.config.ts. */
const APP_ID = 'app.stillpoint'

export interface Desktop {
  /** Where Chromium may keep its own things. One running Stillpoint for each such folder. */
  readonly userData: string
  /** Where the window's places are remembered. */
  readonly windowFile: string
  /** The built window, its preload, and the folder of icons. */
  readonly rendererRoot: string
  readonly preload: string
  readonly icons: string
  /** The file that starts Stillpoint with a Linux session. */
  readonly autostartFile: string
  /** True if an icon in the tray can be seen. Asked each time that it matters. */
  readonly trayIsShown: () => Promise<boolean>
  /** Opens the core and the door to it, once and before the first window. */
  readonly openCore: (port: IpcPort, side: DesktopSide) => DesktopCore
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
  app.setAppUserModelId(APP_ID)
  app.on('web-contents-created', (_event, contents) => confine(contents))
  app.on('window-all-closed', () => app.quit())
  app
    .whenReady()
    .then(() => runDesktop(desktop))
    .catch((error: unknown) => giveUp(error, desktop))
}

/** Without a core there is nothing to show but why: settings of a newer Stillpoint, a disk that is full. */
function giveUp(error: unknown, { onFailure }: Desktop): void {
  onFailure(error)
  const { title, explanation, nextStep } = describeFailure(failureOf(error))
  const text = [title, explanation, nextStep].filter((part) => part !== '').join('\n\n')
  dialog.showErrorBox(words.trouble.noStart, safeLines(text))
  app.exit(1)
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

/** Where the build puts main, preload and window, seen from the main bundle, and the icons beside. */
export const builtFiles = (mainFolder: string): Pick<Desktop, 'rendererRoot' | 'preload' | 'icons'> => ({
  rendererRoot: join(mainFolder, '../renderer'),
  preload: join(mainFolder, '../preload/index.cjs'),
  icons: join(mainFolder, '../../resources')
})
