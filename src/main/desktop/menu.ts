import type { MenuItemConstructorOptions } from 'electron'
import type { GoTo } from '../../shared/views/notice-view.ts'
import type { ExternalLink } from '../../shared/external-links.ts'
import { words } from './words.ts'

type Item = MenuItemConstructorOptions

export interface MenuPorts {
  readonly goTo: (to: GoTo) => void
  readonly open: (link: ExternalLink) => void
}

const { menu } = words
const LINE: Item = { type: 'separator' }

/** The menu bar by platform. Electron's own would bring links to its website. */
export function menuTemplate(platform: NodeJS.Platform, ports: MenuPorts): Item[] {
  const isMac = platform === 'darwin'
  const going = (label: string, accelerator: string, to: GoTo): Item => ({
    label,
    accelerator,
    click: () => ports.goTo(to)
  })
  const settings = going(menu.settings, 'CmdOrCtrl+,', { screen: 'settings' })
  const file: Item[] = [
    going(menu.backUp, 'CmdOrCtrl+B', { screen: 'overview' }),
    going(menu.addHost, 'CmdOrCtrl+N', { screen: 'hosts', adding: true }),
    LINE,
    ...(isMac ? [] : [settings, LINE]),
    { role: 'close', label: menu.closeWindow },
    ...(isMac ? [] : [{ role: 'quit', accelerator: 'CmdOrCtrl+Q' } as const])
  ]
  return [
    ...(isMac ? [appMenu(settings)] : []),
    { label: menu.file, submenu: file },
    { role: 'editMenu' },
    { label: menu.view, submenu: viewMenu(going) },
    { role: 'windowMenu' },
    { role: 'help', submenu: helpMenu(isMac, ports) }
  ]
}

const appMenu = (settings: Item): Item => ({
  label: words.product,
  submenu: [
    { role: 'about' },
    LINE,
    settings,
    LINE,
    { role: 'services' },
    LINE,
    { role: 'hide' },
    { role: 'hideOthers' },
    { role: 'unhide' },
    LINE,
    { role: 'quit' }
  ]
})

/** In the order of the window's own rail. */
const SCREENS = ['overview', 'hosts', 'restore', 'activity', 'downtime', 'settings'] as const

const viewMenu = (going: (label: string, accelerator: string, to: GoTo) => Item): Item[] => [
  ...SCREENS.map((screen, n) => going(menu.screens[screen], `CmdOrCtrl+${n + 1}`, { screen })),
  LINE,
  { role: 'reload' },
  LINE,
  { role: 'resetZoom' },
  { role: 'zoomIn' },
  { role: 'zoomOut' },
  LINE,
  { role: 'togglefullscreen' }
]

const helpMenu = (isMac: boolean, { goTo, open }: MenuPorts): Item[] => [
  { label: menu.firstSteps, accelerator: 'F1', click: () => goTo({ screen: 'overview', firstSteps: true }) },
  LINE,
  { label: menu.libvirtManual, click: () => open('libvirtManual') },
  { label: menu.qemuManual, click: () => open('qemuManual') },
  ...(isMac ? [] : [LINE, { role: 'about', label: menu.about } as const])
]
