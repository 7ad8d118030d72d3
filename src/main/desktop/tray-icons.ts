import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { NativeImage } from 'electron'
import type { Overall } from '../../shared/safety.ts'

interface Images {
  createFromPath(path: string): NativeImage
  createFromBuffer(buffer: Buffer): NativeImage
}

/** The picture for each state; `empty` has nothing to worry about either. */
const PICTURE: Readonly<Record<Overall, string>> = {
  good: 'good',
  empty: 'good',
  unknown: 'unknown',
  attention: 'attention',
  danger: 'danger'
}

/**
 * The tray's picture. macOS paints a template in its own colours; Windows takes the size for its scale from the files
 * beside (`@2x`, `@3x`); panels of Linux scale the one that they are given, so they get the largest.
 * @param folder `resources/tray`
 */
export function trayIcon(images: Images, platform: NodeJS.Platform, folder: string, worst: Overall): NativeImage {
  const name = PICTURE[worst]
  if (platform === 'linux') return images.createFromBuffer(readFileSync(join(folder, `${name}@3x.png`)))
  if (platform !== 'darwin') return images.createFromPath(join(folder, `${name}.png`))
  const image = images.createFromPath(join(folder, `${name}Template.png`))
  image.setTemplateImage(true)
  return image
}
