import type { MenuItemConstructorOptions } from 'electron'
import type { ExternalLink } from './external-links.ts'

/** The menu bar by platform. Electron's own would bring links to its website. */
export function menuTemplate(
  platform: NodeJS.Platform,
  open: (link: ExternalLink) => void
): MenuItemConstructorOptions[] {
  const app: MenuItemConstructorOptions[] = platform === 'darwin' ? [{ role: 'appMenu' }] : []
  return [
    ...app,
    { role: 'fileMenu' },
    { role: 'editMenu' },
    { role: 'viewMenu' },
    { role: 'windowMenu' },
    {
      role: 'help',
      submenu: [
        { label: 'libvirt manual', click: () => open('libvirtManual') },
        { label: 'QEMU manual', click: () => open('qemuManual') }
      ]
    }
  ]
}
