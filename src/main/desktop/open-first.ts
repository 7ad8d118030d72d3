import { setTimeout as sleep } from 'node:timers/promises'
import { app } from 'electron'
import { HIDDEN } from './login-item.ts'
import type { WindowKeeper } from './window-keeper.ts'

/** When a session begins, its panel may come later than we do. */
const PANEL_TRIES = 15
const PANEL_EVERY_MS = 1000

/** Opens the window, unless the session started us: then the tray is enough, and without one a minimised window. */
export async function openFirst(
  keeper: Pick<WindowKeeper, 'window' | 'open'>,
  hasTray: () => Promise<boolean>,
  argv: readonly string[],
  everyMs = PANEL_EVERY_MS
): Promise<void> {
  if (!isStartedHidden(argv)) {
    keeper.open(false)
    return
  }
  for (let tries = 0; tries < PANEL_TRIES; tries++) {
    if (await hasTray()) return
    await sleep(everyMs)
  }
  if (keeper.window === undefined) keeper.open(true)
}

/** macOS passes no arguments to what it starts at login. */
const isStartedHidden = (argv: readonly string[]): boolean =>
  argv.includes(HIDDEN) || (process.platform === 'darwin' && app.getLoginItemSettings().wasOpenedAtLogin)
