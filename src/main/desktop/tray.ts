import type { MenuItemConstructorOptions, NativeImage, Tray } from 'electron'
import { safeText } from '../../shared/safe-text.ts'
import type { Overall } from '../../shared/safety.ts'
import type { Seen } from './mirror.ts'
import { statusOf, type Status } from './status.ts'
import { trayMenu, type TrayAction, type TrayEntry } from './tray-menu.ts'
import { words } from './words.ts'

type TrayOf = Pick<Tray, 'setImage' | 'setToolTip' | 'setContextMenu' | 'on'>

export interface TrayPorts {
  readonly make: (icon: NativeImage) => TrayOf
  readonly icon: (worst: Overall) => NativeImage
  readonly menu: (template: MenuItemConstructorOptions[]) => Parameters<TrayOf['setContextMenu']>[0]
  readonly act: (action: TrayAction) => void
  readonly onFailure: (error: unknown) => void
}

/** The icon in the tray. A desktop without one costs nothing but the icon. */
export class TrayIcon {
  private readonly ports: TrayPorts
  private readonly tray: TrayOf | undefined
  private drawn: { readonly status: Status; readonly entries: string } | undefined

  constructor(ports: TrayPorts) {
    this.ports = ports
    this.tray = this.made()
    this.tray?.on('click', () => ports.act({ do: 'open' }))
  }

  get isThere(): boolean {
    return this.tray !== undefined
  }

  /** Sets only what has changed: a panel may close an open menu whose tray is touched. */
  draw(seen: Seen, now: Date): void {
    const status = statusOf(seen, now)
    const menu = trayMenu(seen, status)
    const entries = JSON.stringify(menu)
    const { drawn, tray, ports } = this
    this.drawn = { status, entries }
    if (drawn?.status.worst !== status.worst) tray?.setImage(ports.icon(status.worst))
    if (drawn?.status.sentence !== status.sentence) tray?.setToolTip(safeText(words.tray.tip(status.sentence)))
    if (drawn?.entries !== entries) tray?.setContextMenu(ports.menu(templateOf(menu, ports.act)))
  }

  private made(): TrayOf | undefined {
    try {
      return this.ports.make(this.ports.icon('unknown'))
    } catch (error) {
      this.ports.onFailure(error)
      return undefined
    }
  }
}

function templateOf(entries: readonly TrayEntry[], act: (action: TrayAction) => void): MenuItemConstructorOptions[] {
  return entries.map((entry): MenuItemConstructorOptions => {
    if (entry === 'line') return { type: 'separator' }
    const label = literal(entry.label)
    if ('entries' in entry) return { label, submenu: templateOf(entry.entries, act) }
    const { action } = entry
    return action === undefined ? { label, enabled: false } : { label, click: () => act(action) }
  })
}

/** A single `&` would mark the next letter as a shortcut, and vanish. The `_` of Linux is Chromium's to double. */
const literal = (label: string): string => safeText(label).replaceAll('&', '&&')
