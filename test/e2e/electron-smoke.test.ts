import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { _electron, type ElectronApplication, type Page } from '@playwright/test'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { electronBinary, noElectronBecause } from '../../scripts/how-to-start.mjs'
import { contract } from '../../src/shared/contract.ts'
import { buildIfStale } from '../contract/built-window.ts'
import { PATIENCE_MS } from '../lab/run.ts'

const ROOT = join(import.meta.dirname, '../..')
const { platform, env } = process
const binary = electronBinary(ROOT, env)
const whyNot =
  binary === undefined
    ? "Electron's binary is not here: node node_modules/electron/install.js fetches it"
    : noElectronBecause({ platform, uid: process.getuid?.(), env })
if (whyNot !== undefined) console.log(`The smoke test of Electron itself is skipped. ${whyNot}.`)

describe.skipIf(whyNot !== undefined)(
  `the desktop in Electron itself${whyNot === undefined ? '' : ` (${whyNot})`}`,
  () => {
    const home = mkdtempSync(join(tmpdir(), 'stillpoint-electron-'))
    let app: ElectronApplication
    let page: Page
    beforeAll(async () => {
      buildIfStale()
      app = await _electron.launch({
        executablePath: binary ?? '',
        args: [ROOT],
        env: { ...definedOf(env), STILLPOINT_HOME: home, XDG_CONFIG_HOME: home },
        timeout: PATIENCE_MS
      })
      page = await app.firstWindow()
    })
    afterAll(async () => {
      await app.evaluate(({ app: electron }) => electron.exit(0)).catch(() => undefined) // it is gone before it answers
      rmSync(home, { recursive: true })
    })

    it('shows the window over its own protocol', async () => {
      expect(page.url()).toBe('app://stillpoint/index.html')
      await page.getByRole('navigation').waitFor()
      expect(await page.title()).toContain('Stillpoint')
    })

    it('gives the page the bridge of the contract, and nothing of Node', async () => {
      const found = await page.evaluate(() => ({
        node: ['require', 'process', 'module', 'Buffer', 'global'].filter((name) => name in globalThis),
        bridge: Object.keys((globalThis as unknown as { stillpoint: object }).stillpoint)
      }))
      expect(found).toEqual({ node: [], bridge: Object.keys(contract) })
    })

    it('answers the page from the core', async () => {
      const info = await page.evaluate(() => window.stillpoint?.app.info())
      expect(info).toMatchObject({ ok: true, value: { door: 'desktop', home } })
    })

    it('loads nothing from a network, and runs no inline script', async () => {
      const reached = await page.evaluate(async () => {
        const script = document.createElement('script')
        script.textContent = 'globalThis.inlineRan = true'
        document.head.append(script)
        const fetched = await fetch('http://127.0.0.1:1/').then(
          () => true,
          () => false
        )
        return { fetched, ran: 'inlineRan' in globalThis }
      })
      expect(reached).toEqual({ fetched: false, ran: false })
    })

    it('opens no other window, and goes nowhere else', async () => {
      expect(await page.evaluate(() => window.open('app://stillpoint/index.html'))).toBeNull()
      await page.evaluate(() => location.assign('https://stillpoint.invalid/'))
      expect(await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(1)
      expect(page.url()).toBe('app://stillpoint/index.html')
    })
  }
)

const definedOf = (given: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
