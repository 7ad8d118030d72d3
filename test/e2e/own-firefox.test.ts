import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Serving } from '../hostile/serving.ts'
import { eventually } from '../patience.ts'
import { Firefox, OPEN_IN_FIREFOX, type FirefoxTab } from './firefox.ts'

let serving: Serving
let firefox: Firefox
/** The window that `stillpoint serve --open` has opened. */
let tab: FirefoxTab
/** The address that was in the file. */
let used: URL

/** What the file said is kept before Firefox reads it: it is gone soon. */
const KEEP_WHAT_IT_SAYS = 'echo "$1" > "$HOME/opened"\ncp "${1#file://}" "$HOME/led-by"'

beforeAll(async () => {
  serving = Serving.start(
    `while [ ! -d "$HOME/firefox" ]; do sleep 0.1; done\n${KEEP_WHAT_IT_SAYS}\n${OPEN_IN_FIREFOX}`
  )
  Firefox.prepare(serving.home)
  firefox = await Firefox.startedIn(serving.home)
  used = new URL(/url=([^"]+)/.exec(readFileSync(join(serving.home, 'led-by'), 'utf8'))?.[1] ?? '')
  tab = await firefox.tabAt((url) => url.startsWith(used.origin))
})
afterAll(async () => {
  try {
    await firefox.close()
  } finally {
    await serving.stop()
  }
})

/** The overview is painted, and the core has answered what it shows: there is no host yet. */
async function isOpen(opened: FirefoxTab): Promise<void> {
  await eventually(async () => {
    const seen = await opened.evaluate(`({
      screen: document.querySelector('nav [aria-current=page]')?.innerText,
      heading: document.querySelector('h1')?.innerText,
      paints: performance.getEntriesByName('first-contentful-paint').length
    })`)
    expect(seen).toEqual({ screen: 'Overview', heading: 'Welcome to Stillpoint', paints: 1 })
  })
}

describe("Debian's Firefox", () => {
  it('is led to the window by a file, which is gone then, and leaves no key in the address bar', async () => {
    await isOpen(tab)
    expect(await tab.evaluate('location.href')).toBe(new URL('/', used).href)
    const file = readFileSync(join(serving.home, 'opened'), 'utf8').trim()
    expect(file).toMatch(/^file:/)
    await eventually(() => expect(existsSync(new URL(file))).toBe(false))
  })

  it('has used the address up, and the next one is another', async () => {
    const next = new URL(await serving.served.address())
    expect(next.origin).toBe(used.origin)
    expect(next.hash).not.toBe(used.hash)
  })

  it('keeps nothing of the address but what its tab made of it', async () => {
    const kept = String(
      await tab.evaluate(
        'JSON.stringify([Object.entries(sessionStorage), Object.entries(localStorage), document.cookie])'
      )
    )
    expect(kept).toContain('stillpoint-token')
    expect(kept).not.toContain(used.hash.slice(1))
  })

  it('shows the window again after a reload, and in a second tab of the same', async () => {
    await tab.reload()
    await isOpen(tab)
    await tab.evaluate(`void window.open(location.href + '?second')`)
    const second = await firefox.tabAt((url) => url.endsWith('?second'))
    await isOpen(second)
    await second.close()
  })

  it('is told in words what to do where an address has been used, or has no key', async () => {
    for (const address of [used.href, new URL('/', used).href]) {
      const other = await firefox.newTab(address)
      await other.says(/press Enter for (one|another)/)
      expect(await other.evaluate(`document.querySelectorAll('nav').length`)).toBe(0)
      await other.close()
    }
    await isOpen(tab)
  })

  it('keeps its window where the used address is opened in it once more', async () => {
    await tab.goTo('about:blank')
    await tab.goTo(used.href)
    await isOpen(tab)
  })

  it('found nothing wrong in all of that', () => {
    expect(firefox.problems).toEqual([])
  })

  it('says that Stillpoint has ended, once it has', async () => {
    serving.served.child.kill('SIGTERM')
    await tab.says(/Stillpoint has ended: start it again/)
    expect(await tab.evaluate(`sessionStorage.getItem('stillpoint-token')`)).toBeNull()
  })
})
