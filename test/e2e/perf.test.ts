import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Browser } from '@playwright/test'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BrowserDoor } from '../../src/main/doors/serve/open-browser-door.ts'
import { built } from '../contract/built-window.ts'
import { launch, openPage, type WatchedPage } from './browser.ts'
import { liveOf, type FakeCore } from './fake-core.ts'
import { openFakeDoor } from './fake-door.ts'

let browser: Browser
let door: BrowserDoor
let core: FakeCore

beforeAll(async () => {
  browser = await launch()
  ;({ door, core } = await openFakeDoor('full'))
})
afterAll(async () => {
  await browser.close()
  await door.close()
})

/** Milliseconds of each frame while `work` goes on. */
async function framesDuring({ page }: WatchedPage, work: () => Promise<void>): Promise<number[]> {
  await page.evaluate(() => {
    const frames: number[] = []
    let last = performance.now()
    const tick = (now: number): void => {
      frames.push(now - last)
      last = now
      requestAnimationFrame(tick)
    }
    requestAnimationFrame(tick)
    ;(globalThis as unknown as { frames: number[] }).frames = frames
  })
  await work()
  return page.evaluate(() => (globalThis as unknown as { frames: number[] }).frames)
}

const share = (frames: readonly number[], slowerThanMs: number): number =>
  frames.filter((ms) => ms > slowerThanMs).length / frames.length

describe('the window over 10 hosts and 300 VMs', () => {
  it('starts with less than 450 kB of scripts, compressed', () => {
    const html = readFileSync(join(built.renderer, 'index.html'), 'utf8')
    const named = Array.from(html.matchAll(/(?:src|href)="\.\/([^"]+\.js)"/g), ([, path]) => path ?? '')
    expect(named.length).toBeGreaterThan(0)
    const bytes = named.reduce((sum, path) => sum + gzipSync(readFileSync(join(built.renderer, path))).length, 0)
    const all = globSync('assets/*.js', { cwd: built.renderer }).length
    console.log(`scripts at start: ${(bytes / 1000).toFixed(0)} kB gzipped, ${named.length} of ${all} files`)
    expect(bytes).toBeLessThan(450_000)
  })

  it('has painted, with its VMs, within a second', async () => {
    const times: number[] = []
    for (let n = 0; n < 5; n++) {
      const { page, context } = await openPage(browser, door.url)
      await page.getByRole('table').first().waitFor()
      const paint = await page.evaluate(
        () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 1e9
      )
      times.push(paint)
      await context.close()
    }
    times.sort((a, b) => a - b)
    console.log(`first paint: ${times.map((ms) => ms.toFixed(0)).join(', ')} ms`)
    expect(times[0]).toBeLessThan(1000)
  })

  it('scrolls and filters its list without long frames', async () => {
    const opened = await openPage(browser, door.url)
    const { page, context, problems } = opened
    await page.getByRole('table').first().waitFor()
    await page.mouse.move(700, 500)
    const frames = await framesDuring(opened, async () => {
      for (let n = 0; n < 60; n++) {
        await page.mouse.wheel(0, 240)
        await page.waitForTimeout(16)
      }
      const filter = page.getByPlaceholder('Name, host or UUID')
      await filter.pressSequentially('web', { delay: 40 })
      await page.waitForTimeout(200)
    })
    const sorted = frames.toSorted((a, b) => a - b)
    console.log(
      `${frames.length} frames: median ${sorted[Math.floor(sorted.length / 2)]?.toFixed(0)} ms, longest ${sorted.at(-1)?.toFixed(0)} ms, ${(share(frames, 50) * 100).toFixed(1)} % over 50 ms`
    )
    // This machine is shared: a hiccup of its own is no fault of the window.
    expect(share(frames, 50)).toBeLessThan(0.05)
    expect(problems).toEqual([])
    await context.close()
  })

  it('stays responsive under a thousand job updates a second, and its memory flat', async () => {
    const opened = await openPage(browser, door.url)
    const { page, context, problems } = opened
    await page.getByRole('table').first().waitFor()
    const session = await context.newCDPSession(page)
    const heap = async (): Promise<number> => {
      await session.send('HeapProfiler.collectGarbage')
      const { usedSize } = (await session.send('Runtime.getHeapUsage')) as { usedSize: number }
      return usedSize
    }
    const jobs = core.jobs.value ?? []
    const job = jobs[0]
    if (job === undefined) throw new Error('no job')
    let sent = 0
    const storm = async (ms: number): Promise<void> => {
      const end = Date.now() + ms
      while (Date.now() < end) {
        for (let n = 0; n < 10; n++) core.live.set([liveOf(job, (sent++ % 1000) / 1000)])
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    }
    await storm(1500)
    const before = await heap()
    const frames = await framesDuring(opened, () => storm(10_000))
    const after = await heap()
    console.log(
      `${sent} updates, ${frames.length} frames, ${(share(frames, 50) * 100).toFixed(1)} % over 50 ms; heap ${(before / 1e6).toFixed(1)} → ${(after / 1e6).toFixed(1)} MB`
    )
    expect(sent).toBeGreaterThan(5000)
    expect(share(frames, 100)).toBeLessThan(0.05)
    expect(after).toBeLessThan(before * 1.2 + 2e6)
    expect(problems).toEqual([])
    await context.close()
  })
})
