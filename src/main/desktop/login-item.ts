import type { App } from 'electron'
import { setAutostart } from '../core/session/autostart-entry.ts'

type LoginApp = Pick<App, 'isPackaged' | 'getAppPath' | 'getLoginItemSettings' | 'setLoginItemSettings'>

/** Says that nobody asked for this start just now: it stays in the background. */
export const HIDDEN = '--hidden'

export interface Place {
  readonly platform: NodeJS.Platform
  readonly env: Readonly<Record<string, string | undefined>>
  readonly execPath: string
  readonly autostartFile: string
}

/** The command that starts this very Stillpoint. An AppImage is mounted elsewhere each time, so its own file counts. */
export function startCommand(app: Pick<App, 'isPackaged' | 'getAppPath'>, { env, execPath }: Place): readonly string[] {
  const image = env['APPIMAGE']
  if (app.isPackaged) return [image === undefined || image === '' ? execPath : image, HIDDEN]
  return [execPath, app.getAppPath(), HIDDEN]
}

export const canStartAtLogin = (platform: NodeJS.Platform): boolean => ['linux', 'darwin', 'win32'].includes(platform)

/** Makes Stillpoint start with the session, hidden, or no longer. @throws `usage`, `io`: it is as it was */
export async function startAtLogin(app: LoginApp, place: Place, wanted: boolean): Promise<void> {
  const [program = '', ...args] = startCommand(app, place)
  if (place.platform === 'linux') {
    await setAutostart(place.autostartFile, wanted ? [program, ...args] : undefined)
    return
  }
  const item = { path: program, args }
  if (app.getLoginItemSettings(item).openAtLogin !== wanted) app.setLoginItemSettings({ ...item, openAtLogin: wanted })
}
