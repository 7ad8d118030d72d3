import type { MenuItemConstructorOptions } from 'electron'
import type { DesktopCore } from '../../src/main/desktop/desktop-core.ts'
import { followCore } from '../../src/main/desktop/follow-core.ts'
import { Mirror } from '../../src/main/desktop/mirror.ts'
import { Notifier } from '../../src/main/desktop/notifier.ts'
import { StayAwake } from '../../src/main/desktop/power.ts'
import { TrayIcon } from '../../src/main/desktop/tray.ts'

/** What the system would show. */
export interface Shown {
  tip(text: string): void
  menu(template: readonly MenuItemConstructorOptions[]): void
  notification(options: { readonly title: string; readonly body: string }): void
}

const nothing = (): void => undefined

/** A tray as the desktop has it, without Electron. */
export const paperTray = ({ tip = nothing, menu = nothing }: Partial<Shown> = {}): TrayIcon =>
  new TrayIcon({
    make: () => ({ setImage: nothing, setToolTip: tip, setContextMenu: nothing, on: nothing }) as never,
    icon: () => ({}) as never,
    menu: (template) => {
      menu(template)
      return null
    },
    act: nothing,
    onFailure: nothing
  })

export function paperNotifier(
  { notification = nothing }: Partial<Shown> = {},
  platform: NodeJS.Platform = 'linux'
): Notifier {
  class Maker {
    static isSupported = (): boolean => true
    readonly on = (): this => this
    readonly show = nothing
    constructor(options: Parameters<Shown['notification']>[0]) {
      notification(options)
    }
  }
  return new Notifier(Maker as never, nothing, platform)
}

/** Everything of the desktop that follows a core, but for the window. */
export function followOnPaper(core: DesktopCore, shown: Partial<Shown> = {}): void {
  const tray = paperTray(shown)
  const notifier = paperNotifier(shown)
  const stayAwake = new StayAwake({ start: () => 1, stop: () => true })
  followCore(new Mirror(core), {
    draw: (seen, now) => tray.draw(seen, now),
    notify: (notification) => void notifier.notify(notification),
    stayAwake: (seen) => stayAwake.follow(seen),
    progress: nothing,
    startAtLogin: nothing
  })
}
