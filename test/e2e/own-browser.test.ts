import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from '@playwright/test'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { Serving } from '../hostile/serving.ts'
import { eventually } from '../patience.ts'
import { launch, openPage, type WatchedPage } from './browser.ts'

let serving: Serving
let browser: Browser
/** What `xdg-open` was given. */
let file: string
let usedAddress: string
let page: Page

beforeAll(async () => {
  serving = Serving.start('echo "$1" > "$HOME/opened"')
  browser = await launch()
  file = await eventually(() => {
    const text = readFileSync(join(serving.home, 'opened'), 'utf8').trim()
    expect(text).toMatch(/^file:/)
    return text
  })
  usedAddress = /url=([^"]+)/.exec(readFileSync(fileURLToPath(file), 'utf8'))?.[1] ?? ''
})
afterAll(async () => {
  await browser.close()
  await serving.stop()
})

/** The core has answered what the overview shows: there is no host yet. */
const isOpen = (page: Page): Promise<void> => page.getByRole('heading', { name: 'Welcome to Stillpoint' }).waitFor()
const saysWhatToDo = (page: Page): Promise<void> => page.getByText(/press Enter for (one|another)/).waitFor()

describe("the operator's own browser", () => {
  it('is led to the window by a file, which is gone then, and leaves no key in the address bar', async () => {
    const opened = await openPage(browser, file)
    ;({ page } = opened)
    await isOpen(page)
    expect(page.url()).toBe(new URL('/', usedAddress).href)
    await eventually(() => expect(existsSync(fileURLToPath(file))).toBe(false))
    expect(opened.problems).toEqual([])
  })

  it('shows the window again after a reload, and in a second tab of the same', async () => {
    await page.reload()
    await isOpen(page)
    const kept = await page.evaluate(() => JSON.stringify(Object.entries(sessionStorage)))
    expect(kept).not.toContain(new URL(usedAddress).hash.slice(1))
    const [second] = await Promise.all([
      page.waitForEvent('popup'),
      page.evaluate(() => void window.open(location.href))
    ])
    await isOpen(second)
    await second.close()
  })

  it('is told in words what to do where an address has been used, or has no key', async () => {
    for (const address of [usedAddress, new URL('/', usedAddress).href, `${new URL(usedAddress).origin}/#nonsense`]) {
      const { page: other, context } = await openPage(browser, address)
      await saysWhatToDo(other)
      expect(await other.getByRole('navigation').count()).toBe(0)
      await context.close()
    }
    await isOpen(page)
  })

  it('keeps its window where the used address is opened in it once more', async () => {
    await page.goto('about:blank')
    await page.goto(usedAddress)
    await isOpen(page)
  })

  it('has all parts of the window at once, and asks for none later, when another program may have the port', async () => {
    const parts = ['vm-page', 'vm-trends', 'schedules-page', 'downtime-page']
    const loaded = await eventually(async () => {
      const names = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name))
      for (const part of parts) expect(names.join(' ')).toContain(`/assets/${part}-`)
      return names
    })
    await page.keyboard.press('Control+5')
    await page.getByRole('navigation').first().waitFor()
    expect(await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name))).toEqual(loaded)
  })

  it('is told in words what to do at another name of this computer', async () => {
    const { port } = new URL(usedAddress)
    const { page: other, context } = await openPage(browser, `http://localhost:${port}/`)
    await other.getByText(/^Stillpoint does not open at this address\./).waitFor()
    await context.close()
  })

  it('opens another window by another address', async () => {
    const { page: other, context, problems } = await openPage(browser, await serving.served.address())
    await isOpen(other)
    expect(problems).toEqual([])
    await context.close()
  })
})

describe('another page in the same browser', () => {
  /** What comes of each way, run in the page. */
  const tryAll = async (target: string): Promise<string[]> => {
    const { origin, host } = new URL(target)
    const element = (name: 'img' | 'script' | 'link' | 'video', path: string): Promise<string> =>
      new Promise((resolve) => {
        const made = document.createElement(name)
        made.addEventListener('load', () => resolve(`${name} loaded`))
        made.addEventListener('error', () => resolve('nothing'))
        if (made instanceof HTMLLinkElement) Object.assign(made, { rel: 'stylesheet', href: origin + path })
        else Object.assign(made, { src: origin + path })
        document.body.append(made)
      })
    const fetched = (path: string, options?: RequestInit): Promise<string> =>
      fetch(origin + path, options).then(
        ({ type }) => `fetched ${type}`,
        () => 'nothing'
      )
    const socket = new Promise<string>((resolve) => {
      const opened = new WebSocket(`ws://${host}/core`, ['stillpoint.v2'])
      opened.addEventListener('open', () => resolve('a socket'))
      opened.addEventListener('error', () => resolve('nothing'))
    })
    const authorization = `Bearer ${'A'.repeat(43)}`
    return Promise.all([
      element('img', '/favicon.svg'),
      element('script', '/index.html'),
      element('link', '/index.html'),
      element('video', '/favicon.svg'),
      fetched('/'),
      fetched('/favicon.svg', { mode: 'no-cors' }),
      fetched('/key', { method: 'POST', mode: 'no-cors' }),
      fetched('/key', { method: 'POST', headers: { authorization } }),
      socket
    ])
  }

  it('gets nothing of it, and cannot tell that it is there', async () => {
    const elsewhere = createServer((_request, response) =>
      response.setHeader('content-type', 'text/html').end('<body></body>')
    )
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve))
    const { port } = elsewhere.address() as AddressInfo
    const nobody = createServer()
    await new Promise<void>((resolve) => nobody.listen(0, '127.0.0.1', resolve))
    const silent = (nobody.address() as AddressInfo).port
    await new Promise((resolve) => nobody.close(resolve))
    const { page: evil, context } = await openPage(browser, `http://127.0.0.1:${port}/`)
    const came = await evil.evaluate(tryAll, usedAddress)
    expect(came).toEqual(await evil.evaluate(tryAll, `http://127.0.0.1:${silent}/`))
    expect(new Set(came)).toEqual(new Set(['nothing']))
    await context.close()
    await new Promise((resolve) => elsewhere.close(resolve))
  })
})

describe('a Stillpoint that ends', () => {
  const HAS_ENDED = 'Stillpoint has ended: start it again'
  let ending: Serving
  let opened: WatchedPage
  beforeEach(async () => {
    ending = Serving.start()
    opened = await openPage(browser, await ending.served.address())
    await isOpen(opened.page)
  })
  afterEach(async () => {
    await opened.context.close()
    await ending.stop()
  })

  it.each(['SIGTERM', 'SIGINT'] as const)('says goodbye to its tabs: %s', async (signal) => {
    ending.served.child.kill(signal)
    await opened.page.getByRole('heading', { name: HAS_ENDED }).waitFor()
    expect(await opened.page.evaluate(() => sessionStorage.getItem('stillpoint-token'))).toBeNull()
  })

  it('without a word, and another program at its port: the tab says so, and that one learns nothing', async () => {
    const { port } = new URL(opened.page.url())
    const kept = await opened.page.evaluate(() => sessionStorage.getItem('stillpoint-token'))
    const key = /"key":"([\w-]{43})"/.exec(kept ?? '')?.[1] ?? ''
    expect(key).toHaveLength(43)
    ending.served.child.kill('SIGKILL')
    await eventually(() => expect(ending.isAlive).toBe(false))
    const heard: string[] = []
    const imposter = createServer((request, response) => {
      heard.push(`${request.method ?? ''} ${request.url ?? ''} ${JSON.stringify(request.headers)}`)
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ challenge: 'x'.repeat(43) }))
    })
    const sockets = new WebSocketServer({ server: imposter, handleProtocols: () => 'stillpoint.v2' })
    sockets.on('connection', (socket) => {
      socket.send(JSON.stringify({ push: 'questions.changed', value: [] }))
      socket.on('message', (data: Buffer) => heard.push(`a frame ${data.toString()}`))
    })
    await once(imposter.listen(Number(port), '127.0.0.1'), 'listening')
    await opened.page.getByRole('heading', { name: HAS_ENDED }).waitFor()
    expect(heard.length).toBeGreaterThan(0)
    expect(heard.filter((line) => !line.startsWith('POST /key '))).toEqual([])
    expect(heard.join()).not.toContain(key)
    const closed = once(imposter.close(), 'close')
    imposter.closeAllConnections()
    sockets.clients.forEach((socket) => socket.terminate())
    await closed
  })
})
