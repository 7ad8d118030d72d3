import { join } from 'node:path'
import { app, BrowserWindow, ipcMain, Menu, nativeImage, powerMonitor, protocol, session, shell, Tray } from 'electron'
import type { DesktopCore } from './desktop-core.ts'
import { act } from './errands.ts'
import { openLink, type ExternalLink } from '../../shared/external-links.ts'
import { follow } from './follow.ts'
import { Front } from './front.ts'
import { electronIpcPort } from './ipc-port.ts'
import { Leaving } from './leaving.ts'
import { canStartAtLogin } from './login-item.ts'
import { menuTemplate } from './menu.ts'
import { Mirror } from './mirror.ts'
import { openFirst } from './open-first.ts'
import { watchWaking } from './power.ts'
import { closeThenExit, putAway } from './put-away.ts'
import { guardSession } from './session-guard.ts'
import type { Desktop } from './start.ts'
import { TrayIcon } from './tray.ts'
import { trayIcon } from './tray-icons.ts'
import type { TrayAction } from './tray-menu.ts'
import { guardWindow } from './window-guard.ts'

/** Puts the parts together, once Electron is ready. */
export async function runDesktop(desktop: Desktop): Promise<void> {
  const { onFailure } = desktop
  guardSession(session.defaultSession, protocol, desktop.rendererRoot, () => app.getPath('downloads'))
  const front = new Front(desktop, (window) => guardWindow(window, leaving, core, front.dialogs, onFailure))
  const tray = trayOf(desktop, (action) => act({ core, front, quit: () => app.quit() }, action))
  const hasTray = async (): Promise<boolean> => tray.isThere && (await desktop.trayIsShown())
  const core = openCore(desktop, front, hasTray)
  const mirror = new Mirror(core)
  const leaving = new Leaving({
    choice: () => mirror.choices.onClose,
    running: () => mirror.running,
    hasTray,
    ask: (question) => front.dialogs.ask(question),
    remember: (onClose) => void core.changeChoices({ onClose }).catch(onFailure),
    hide: () => putAway(front, mirror.running),
    quit: () => app.quit()
  })
  follow(mirror, core, front, tray, desktop)
  setMenu(front, onFailure)
  listen(core, front, leaving, onFailure)
  await openFirst(front.keeper, hasTray, process.argv)
}

function trayOf({ icons, onFailure }: Desktop, onAction: (action: TrayAction) => void): TrayIcon {
  return new TrayIcon({
    make: (icon) => new Tray(icon),
    icon: (worst) => trayIcon(nativeImage, process.platform, join(icons, 'tray'), worst),
    menu: (template) => Menu.buildFromTemplate(template),
    act: onAction,
    onFailure
  })
}

const open = (link: ExternalLink): Promise<void> => openLink((url) => shell.openExternal(url), link)

function openCore(desktop: Desktop, front: Front, hasTray: () => Promise<boolean>): DesktopCore {
  const port = electronIpcPort(ipcMain, () => BrowserWindow.getAllWindows())
  return desktop.openCore(port, {
    version: app.getVersion(),
    isPackaged: app.isPackaged,
    canStartAtLogin: canStartAtLogin(process.platform),
    hasTray,
    openLink: open,
    goTo: front.wanted
  })
}

function setMenu(front: Front, onFailure: (error: unknown) => void): void {
  const template = menuTemplate(process.platform, {
    goTo: (to) => front.goTo(to),
    open: (link) => void open(link).catch(onFailure)
  })
  Menu.setApplicationMenu(Menu.buildFromTemplate(template))
}

/** What the system and other starts of Stillpoint say. */
function listen(core: DesktopCore, front: Front, leaving: Leaving, onFailure: (error: unknown) => void): void {
  watchWaking(powerMonitor, () => core.wake())
  powerMonitor.on('shutdown', () => leaving.agree())
  app.on('before-quit', (event) => leaving.quitting(event))
  app.on('will-quit', (event) => closeThenExit(event, core, () => app.exit(), onFailure))
  app.on('second-instance', () => front.keeper.comeForward())
  app.on('activate', () => front.keeper.comeForward())
}
