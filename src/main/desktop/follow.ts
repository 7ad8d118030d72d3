import { app, BrowserWindow, powerSaveBlocker } from 'electron'
import { describeFailure } from '../../shared/failure-words.ts'
import { failureOf } from '../../shared/failure.ts'
import type { DesktopCore } from './desktop-core.ts'
import { followCore } from './follow-core.ts'
import type { Front } from './front.ts'
import { startAtLogin } from './login-item.ts'
import type { Mirror } from './mirror.ts'
import { StayAwake } from './power.ts'
import type { Desktop } from './start.ts'
import type { TrayIcon } from './tray.ts'
import { words } from './words.ts'

/** Tray, notifications, taskbar, power and login item, as the core has it. */
export function follow(mirror: Mirror, core: DesktopCore, front: Front, tray: TrayIcon, desktop: Desktop): void {
  const stayAwake = new StayAwake(powerSaveBlocker)
  followCore(mirror, {
    draw: (seen, now) => tray.draw(seen, now),
    notify: (notification) => void front.notifier.notify(notification),
    stayAwake: (seen) => stayAwake.follow(seen),
    progress: (bar) => BrowserWindow.getAllWindows().forEach((window) => window.setProgressBar(bar)),
    startAtLogin: (wanted) => void setLogin(wanted, core, front, desktop)
  })
}

async function setLogin(wanted: boolean, core: DesktopCore, front: Front, desktop: Desktop): Promise<void> {
  const { platform, env, execPath } = process
  try {
    await startAtLogin(app, { platform, env, execPath, autostartFile: desktop.autostartFile }, wanted)
  } catch (error) {
    const { title, explanation } = describeFailure(failureOf(error))
    front.dialogs.say(words.trouble.startAtLogin, [title, explanation].filter((text) => text !== '').join('. '))
    if (wanted) await core.changeChoices({ startAtLogin: false }).catch(desktop.onFailure)
  }
}
