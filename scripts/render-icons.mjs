// Renders the SVGs of resources/ to the PNGs beside them, with Chromium. Run it after changing one: node scripts/render-icons.mjs
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from '@playwright/test'

const resources = join(dirname(dirname(fileURLToPath(import.meta.url))), 'resources')
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'

/** macOS paints a template itself: only the shape counts, not its colours. */
const asTemplate = (svg) => svg.replaceAll(/"#(?!000"|fff")[0-9a-f]{6}"/g, '"#000"')

const SCALES = [
  [16, ''],
  [32, '@2x'],
  [48, '@3x']
]
const tray = ['good', 'attention', 'danger', 'unknown'].flatMap((name) => {
  const svg = readFileSync(join(resources, `tray/${name}.svg`), 'utf8')
  return SCALES.flatMap(([size, suffix]) => [
    { svg, size, png: `tray/${name}${suffix}.png` },
    { svg: asTemplate(svg), size, png: `tray/${name}Template${suffix}.png` }
  ])
})
const icon = readFileSync(join(resources, 'app/icon.svg'), 'utf8')
const app = [16, 32, 48, 64, 128, 256, 512, 1024].map((size) => ({ svg: icon, size, png: `app/${size}x${size}.png` }))

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
for (const { svg, size, png } of [...tray, ...app]) {
  const page = await browser.newPage({ viewport: { width: size, height: size } })
  await page.setContent(`<style>html,body{margin:0}svg{display:block;width:${size}px;height:${size}px}</style>${svg}`)
  writeFileSync(join(resources, png), await page.screenshot({ omitBackground: true }))
  await page.close()
}
await browser.close()
