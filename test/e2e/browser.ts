import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import { chromium, type Browser, type BrowserContext, type Page } from '@playwright/test'
import { PATIENCE_MS } from '../lab/run.ts'

export interface Look {
  readonly colorScheme: 'light' | 'dark'
  readonly width: number
  readonly height: number
}

export const DESK: Look = { colorScheme: 'light', width: 1280, height: 800 }
const SHOTS = join(import.meta.dirname, 'screenshots')

/** Debian's Chromium. */
export const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
    timeout: PATIENCE_MS
  })

/** A page that remembers whatever went wrong in it: exceptions, violations of its policy, files that are not there. */
export interface WatchedPage {
  readonly page: Page
  readonly context: BrowserContext
  readonly problems: readonly string[]
}

export async function openPage(browser: Browser, url: string, look: Partial<Look> = {}): Promise<WatchedPage> {
  const { colorScheme, width, height } = { ...DESK, ...look }
  const context = await browser.newContext({
    colorScheme,
    viewport: { width, height },
    reducedMotion: 'reduce',
    acceptDownloads: true
  })
  context.setDefaultTimeout(PATIENCE_MS)
  const page = await context.newPage()
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(`exception: ${error.message}`))
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning')
      problems.push(`${message.type()}: ${message.text()}`)
  })
  await page.goto(url)
  return { page, context, problems }
}

/** Everything that moves has stopped, fonts are there; then a picture for people to look at. */
export async function shoot(page: Page, name: string): Promise<void> {
  mkdirSync(SHOTS, { recursive: true })
  await page.evaluate(() => document.fonts.ready)
  await page.screenshot({ path: join(SHOTS, `${name}.png`), animations: 'disabled' })
}

/** What axe finds that keeps people out, by all rules or some: serious and critical, with the elements. */
export async function seriousFindings(page: Page, rules?: string[]): Promise<string[]> {
  // Only what is wrong is written down, and there are no frames to look into: a third of the time is saved.
  const axe = new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ['violations'] })
  const { violations } = await (
    rules === undefined ? axe.withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']) : axe.withRules(rules)
  ).analyze()
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id} ${target.join(' ')} ${failureSummary ?? ''}`)
    )
}
