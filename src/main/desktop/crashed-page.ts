import type { BrowserWindow } from 'electron'

export interface CrashPorts {
  /** The page was loaded again. */
  readonly onReloaded: () => void
  /** It stopped twice within a minute: true to try again. */
  readonly askAgain: () => Promise<boolean>
  readonly quit: () => void
  readonly onFailure: (error: unknown) => void
  readonly now?: () => number
}

const TOO_SOON_MS = 60_000

/** A page whose process is gone shows nothing for ever. It is loaded again: once by itself, then as the person says. */
export function reloadAfterCrash(window: Pick<BrowserWindow, 'webContents' | 'isDestroyed'>, ports: CrashPorts): void {
  const { onReloaded, askAgain, quit, onFailure, now = () => performance.now() } = ports
  let reloadedAt = -Infinity
  const reload = (): void => {
    reloadedAt = now()
    if (!window.isDestroyed()) window.webContents.reload()
  }
  window.webContents.on('render-process-gone', (_event, { reason, exitCode }) => {
    if (reason === 'clean-exit' || window.isDestroyed()) return
    onFailure(new Error(`The window's process ended: ${reason}, exit code ${exitCode}`))
    if (now() - reloadedAt >= TOO_SOON_MS) {
      reload()
      onReloaded()
    } else void askAgain().then((again) => (again ? reload() : quit()))
  })
}
