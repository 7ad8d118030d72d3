import type { Browser, Page } from '@playwright/test'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Route } from '../../src/renderer/state/route-slice.ts'
import type { BrowserDoor } from '../../src/main/doors/serve/open-browser-door.ts'
import { DESK, launch, openPage, seriousFindings, shoot, type Look } from './browser.ts'
import { SCENARIOS, type FakeCore, type Scenario } from './fake-core.ts'
import { openFakeDoor } from './fake-door.ts'
import { harmIn } from '../hostile/unsafe-texts.ts'
import { withHostileWords } from './hostile-answers.ts'

let browser: Browser
const doors = new Map<Scenario | 'hostile', { door: BrowserDoor; core: FakeCore }>()

beforeAll(async () => {
  browser = await launch()
  for (const scenario of SCENARIOS) doors.set(scenario, await openFakeDoor(scenario))
  doors.set('hostile', await openFakeDoor('failing', withHostileWords))
})
afterAll(async () => {
  await browser.close()
  for (const { door } of doors.values()) await door.close()
})

/** Every screen by the route that leads there; those about one thing take it from what is made up. */
function routesOf(core: FakeCore): readonly (readonly [string, Route])[] {
  const point = core.points.value?.points[0]
  const job = core.jobs.value?.find(({ kind, state, pauseMs }) => kind === 'backup' && state === 'done' && pauseMs > 0)
  const running = core.jobs.value?.find(({ state }) => state === 'running')
  const failed = core.jobs.value?.find(({ state }) => state.startsWith('failed'))
  return [
    ['overview', { screen: 'overview' }],
    ['hosts', { screen: 'hosts' }],
    ['activity', { screen: 'activity' }],
    ['restore', { screen: 'restore' }],
    ['downtime', { screen: 'downtime' }],
    ['settings', { screen: 'settings' }],
    ...(point === undefined
      ? []
      : ([
          ['vm', { screen: 'vm', host: point.host, vm: point.vm.uuid }],
          ['point', { screen: 'vm', host: point.host, vm: point.vm.uuid, point: point.id }],
          ['restore-point', { screen: 'restore', point: point.id }]
        ] as const)),
    ...(job === undefined ? [] : [['job-done', { screen: 'job', job: job.id }] as const]),
    ...(running === undefined ? [] : [['job-running', { screen: 'job', job: running.id }] as const]),
    ...(failed === undefined ? [] : [['job-failed', { screen: 'job', job: failed.id }] as const]),
    ['schedules', { screen: 'schedules' }],
    ['schedule-new', { screen: 'schedules', edit: 'new' }],
    ...scheduleRoutes(core),
    ['job-unknown', { screen: 'job', job: '20200101T000000Z-000000' }]
  ]
}

/** A schedule, its form, one like it, and its newest run. */
function scheduleRoutes(core: FakeCore): readonly (readonly [string, Route])[] {
  const at = core.policies.value?.hosts[0]
  const state = at?.policies[0]
  if (at === undefined || state === undefined) return []
  const one = { screen: 'schedules', host: at.host, policy: state.policy.id } as const
  return [
    ['schedule', one],
    ['schedule-change', { ...one, edit: 'change' }],
    ['schedule-copy', { ...one, edit: 'copy' }],
    ...(state.lastRun === undefined ? [] : [['run', { ...one, run: state.lastRun.id }] as const]),
    ['run-unknown', { ...one, run: '20200101T000000Z-000000' }],
    ['schedule-unknown', { ...one, policy: 'ffffffffffff' }]
  ]
}

/** As a reload would: the window comes back to where it was. */
async function show(page: Page, route: Route): Promise<void> {
  await page.evaluate((text) => sessionStorage.setItem('stillpoint-route', text), JSON.stringify(route))
  await page.reload()
  await page.getByRole('main').waitFor()
  await page.waitForTimeout(400)
}

/** Two windows share the screens: most of the time each waits for its page to come to rest. Returns what went wrong. */
async function forEachScreen(
  scenario: Scenario | 'hostile',
  visit: (page: Page, name: string) => Promise<void>
): Promise<readonly string[]> {
  const found = doors.get(scenario)
  if (found === undefined) throw new Error(scenario)
  const routes = routesOf(found.core)
  const window = async (mine: number): Promise<readonly string[]> => {
    const { page, context, problems } = await openPage(browser, found.door.address())
    // A page that is loaded again before it has a key of its own shows the used one once more, which is refused.
    await page.waitForFunction(() => sessionStorage.getItem('stillpoint-token')?.includes('"key"'))
    for (const [name, route] of routes.filter((_, n) => n % 2 === mine)) {
      await show(page, route)
      await visit(page, name)
    }
    await context.close()
    return problems
  }
  return (await Promise.all([window(0), window(1)])).flat()
}

/** Nothing sticks out to the right, whatever the names. */
const isTooWide = (page: Page): Promise<boolean> =>
  page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)

/** Of what axe looks for, dark differs from light in this alone. */
const COLOURS = ['color-contrast', 'link-in-text-block']

/** Drawn twice, and nothing on the move. */
const AT_REST = `new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
  .then(() => Promise.all(document.getAnimations().map(({ finished }) => finished.catch(() => undefined))))
  .then(() => undefined)`

/** How a page looks otherwise, once it is at rest again. It is not loaded anew for that, which takes the most time. */
async function look(page: Page, { colorScheme, width, height }: Look): Promise<void> {
  await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
  await page.setViewportSize({ width, height })
  await page.locator(`html[data-mantine-color-scheme=${colorScheme}]`).waitFor()
  await page.waitForFunction((wanted) => window.innerWidth === wanted, width)
  await page.evaluate(AT_REST)
  await page.waitForTimeout(200)
}

describe.each(SCENARIOS)('every screen, %s', (scenario) => {
  it('keeps nobody out, in light and dark, and fits into 900 pixels', async () => {
    const findings: string[] = []
    const problems = await forEachScreen(scenario, async (page, name) => {
      const note = (found: readonly string[], colorScheme: string): void => {
        findings.push(...found.map((finding) => `${name}, ${colorScheme}: ${finding}`))
      }
      await shoot(page, `${scenario}-${name}-light`)
      note(await seriousFindings(page), 'light')
      await look(page, { ...DESK, width: 900, height: 700 })
      await shoot(page, `${scenario}-${name}-narrow`)
      if (await isTooWide(page)) findings.push(`${name} does not fit into 900 pixels`)
      await look(page, { ...DESK, colorScheme: 'dark' })
      await shoot(page, `${scenario}-${name}-dark`)
      note(await seriousFindings(page, COLOURS), 'dark')
      await look(page, DESK)
    })
    expect(findings).toEqual([])
    expect(problems).toEqual([])
  })
})

/** Buttons that stick out of their cell, labels out of their button, and what is squeezed to a word a line. */
const squeezed = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const all = (selector: string): Element[] => Array.from(document.querySelectorAll(selector))
    const pixels = (element: Element, of: string): number =>
      parseFloat(getComputedStyle(element).getPropertyValue(of)) || 0
    const letter = pixels(document.documentElement, 'font-size')
    const inner = (element: Element): number =>
      element.clientWidth - pixels(element, 'padding-left') - pixels(element, 'padding-right')
    const isOutOfCell = (button: Element): boolean => {
      const cell = button.closest('td, [role=cell]')
      return cell !== null && button.getBoundingClientRect().left < cell.getBoundingClientRect().left
    }
    return [
      ...all('nav button').filter((button) => button.scrollWidth > button.clientWidth),
      ...all('main :is(td, [role=cell]) button').filter(isOutOfCell),
      ...all('main li div:has(+ div > button)').filter((text) => inner(text) < 10 * letter),
      ...all('main input:not([type=checkbox], [type=radio])').filter((field) => inner(field) < letter / 2)
    ].map((element) => `${element.tagName} ${element.textContent.slice(0, 60)}`)
  })

describe.each([100, 200])('letters at %i percent', (percent) => {
  it.each([
    ['overview', { screen: 'overview' }],
    ['schedules', { screen: 'schedules' }],
    ['settings', { screen: 'settings' }]
  ] as const)('leave room for all of %s', async (name, route) => {
    const { page, context } = await openPage(browser, doors.get('full')?.door.address() ?? '', { width: 1400 })
    await show(page, route)
    await page.evaluate((size) => (document.documentElement.style.fontSize = `${size}%`), percent)
    await shoot(page, `full-${name}-${percent}-percent`)
    expect(await squeezed(page)).toEqual([])
    expect(await isTooWide(page)).toBe(false)
    await context.close()
  })
})

/** All that a page shows or reads out, but what stands in fields to be changed. */
const shownIn = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const attributes = [
      'title',
      'aria-label',
      'aria-valuetext',
      'aria-description',
      'alt',
      'placeholder',
      'download',
      'href'
    ]
    const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT)
    const texts = [document.title]
    while (walker.nextNode() !== null) texts.push(walker.currentNode.nodeValue ?? '')
    for (const element of document.querySelectorAll('*'))
      for (const name of attributes) texts.push(element.getAttribute(name) ?? '')
    return texts.join('\n')
  })

/** Texts that are wider than the place they stand in, and are drawn over what is beside it. */
const overflowing = (page: Page): Promise<string[]> =>
  page.evaluate(() =>
    Array.from(document.querySelectorAll('main :is(p, h1, h2, h3, li, dd, dt, label, bdi)'))
      .filter((text) => text.scrollWidth > text.clientWidth + 1 && text.clientWidth > 0)
      .filter((text) => getComputedStyle(text).overflowX === 'visible')
      .map((text) => `${text.tagName} ${text.textContent.slice(0, 80)}`)
  )

/** What opens over every page: jobs that run, the inbox, the search. */
async function aboveThePage(page: Page): Promise<string[]> {
  const findings: string[] = []
  const note = async (what: string): Promise<void> => {
    await page.waitForTimeout(300)
    const shown = await shownIn(page)
    if (!shown.includes('\\u{202e}')) findings.push(`${what} shows no hostile word`)
    const harm = harmIn(shown)
    if (harm !== undefined) findings.push(`${what}: ${harm}`)
    await shoot(page, `hostile-${what}`)
    await page.keyboard.press('Escape')
  }
  await page
    .getByRole('button', { name: /running/ })
    .first()
    .click()
  await note('running')
  await page.getByRole('button', { name: /^Inbox/ }).click()
  await note('inbox')
  await page.keyboard.press('Control+k')
  await page.getByPlaceholder('Host, VM, schedule').fill('web')
  await note('search')
  return findings
}

describe('words of hosts that mean harm', () => {
  it('are text on every screen, and it holds its shape', async () => {
    const findings: string[] = []
    const seen = new Set<string>()
    const problems = await forEachScreen('hostile', async (page, name) => {
      const shown = await shownIn(page)
      if (shown.includes('\\u{202e}')) seen.add(name)
      const harm = harmIn(shown)
      if (harm !== undefined) findings.push(`${name}: ${harm}`)
      if ((await page.locator('img[src=x]').count()) > 0) findings.push(`${name}: a name has become an element`)
      for (const size of [DESK, { ...DESK, width: 900, height: 700 }, { ...DESK, colorScheme: 'dark' as const }]) {
        await look(page, size)
        await shoot(page, `hostile-${name}-${size.colorScheme}-${size.width}`)
        if (await isTooWide(page)) findings.push(`${name} does not fit into ${size.width} pixels`)
        findings.push(...(await overflowing(page)).map((text) => `${name}, ${size.width} pixels, sticks out: ${text}`))
      }
      await look(page, DESK)
      if (name === 'overview') findings.push(...(await aboveThePage(page)))
    })
    expect(findings).toEqual([])
    expect(problems).toEqual([])
    expect([...seen]).toEqual(
      expect.arrayContaining(['overview', 'hosts', 'activity', 'vm', 'job-failed', 'schedules'])
    )
  })
})

describe('the keyboard', () => {
  it('reaches every action of every screen', async () => {
    const unreachable: string[] = []
    await forEachScreen('small', async (page, name) => {
      const missing = await page.evaluate(() =>
        Array.from(
          document.querySelectorAll<HTMLElement>('button, a[href], [role=button], [role=tab], [role=row][onclick]')
        )
          .filter((element) => element.checkVisibility() && element.tabIndex < 0 && !element.hasAttribute('disabled'))
          .filter(
            (element) => element.closest('[role=tablist], [role=radiogroup], [role=menu], [aria-hidden=true]') === null
          )
          // Of those that the arrow keys go through, one is reached by Tab.
          .filter(
            (element) =>
              element.parentElement?.parentElement?.querySelector(
                `.${CSS.escape(element.classList[0] ?? '')}[tabindex="0"]`
              ) == null
          )
          .map((element) => element.outerHTML.slice(0, 120))
      )
      unreachable.push(...missing.map((html) => `${name}: ${html}`))
    })
    expect(unreachable).toEqual([])
  })

  it('goes round by itself: skip link, search, shortcuts, back', async () => {
    const door = doors.get('small')?.door
    const { page, context, problems } = await openPage(browser, door?.address() ?? '')
    await page.getByRole('heading', { level: 1 }).waitFor()
    await page.keyboard.press('Control+2')
    await page.getByRole('heading', { level: 1, name: 'Hosts' }).waitFor()
    await page.keyboard.press('Alt+ArrowLeft')
    await page.getByRole('navigation').locator('[aria-current=page]', { hasText: 'Overview' }).waitFor()
    await page.keyboard.press('Control+k')
    await page.locator('input.mantine-Spotlight-search').fill('web1')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: /web1/ }).waitFor()
    expect(problems).toEqual([])
    await context.close()
  })
})

describe('what a host does not have, before a restore', () => {
  it('is decided by keyboard, with the argument for the terminal beside it, and can be taken back', async () => {
    const { door, core } = doors.get('failing') ?? {}
    const point = core?.points.value?.points.find(({ places }) => places.some(({ reachable }) => reachable))
    const { page, context, problems } = await openPage(browser, door?.address() ?? '')
    await show(page, { screen: 'restore', point: point?.id ?? '' })
    const main = page.getByRole('main')
    const ways = main.getByRole('list', { name: 'Ways round it: Networks' })
    const way = ways.getByRole('button', { name: 'Put its cards on bridge br0 --map-network dmz-frankfurt=bridge:br0' })
    const decided = main.getByRole('list', { name: 'Decided for this restore' })
    await way.press('Enter')
    await decided.getByText('Put its cards on bridge br0').waitFor()
    await main.getByText('on bridge br0, as chosen').waitFor()
    expect(await ways.count()).toBe(0)
    await main.getByText(/^stillpoint restore .* --map-network dmz-frankfurt=bridge:br0$/).waitFor()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await way.waitFor()
    expect(await decided.count()).toBe(0)

    await main.getByRole('button', { name: /^Allow this, if you trust the point/ }).press('Enter')
    await decided.getByText('The point may have this').waitFor()
    await main.getByRole('button', { name: /^Attach vdb/ }).click()
    await main.getByText('it stays attached as it is now').waitFor()
    await main.getByRole('button', { name: /^Leave aside what was chosen/ }).click()
    await main.getByText(/ --attach vdb --allow read=\S+ --no-remembered$/).waitFor()
    for (const colorScheme of ['light', 'dark'] as const) {
      await look(page, { ...DESK, colorScheme })
      await shoot(page, `restore-decided-${colorScheme}`)
      expect(await seriousFindings(page)).toEqual([])
    }
    expect(problems).toEqual([])
    await context.close()
  })
})

describe('a schedule', () => {
  it('is named, previewed and saved; then it is run, paused, goes on and is removed', async () => {
    const door = doors.get('small')?.door
    const { page, context, problems } = await openPage(browser, door?.address() ?? '')
    await page.getByRole('heading', { level: 1 }).waitFor()
    await page.keyboard.press('Control+k')
    await page.locator('input.mantine-Spotlight-search').fill('new schedule')
    await page.getByText('New schedule', { exact: true }).first().waitFor()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'New schedule' }).waitFor()
    await page.getByLabel('Name', { exact: false }).first().fill('Twice a day')
    await page.getByText('Calendar expression', { exact: true }).click()
    await page.getByRole('textbox', { name: 'Expression' }).fill('*-*-* 25:00')
    expect(await page.getByRole('button', { name: 'Create schedule' }).isDisabled()).toBe(true)
    await page.getByRole('textbox', { name: 'Expression' }).fill('*-*-* 02,14:30')
    await page.getByText('02:30 does not exist on').waitFor()
    await page.getByText(/^\d+ points per VM/).waitFor()
    await page.getByRole('button', { name: 'Create schedule' }).press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Twice a day' }).waitFor()
    await page.getByRole('button', { name: 'Run now' }).click()
    await page.getByRole('dialog').getByText('running', { exact: false }).first().waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'More for Twice a day' }).click()
    await page.getByRole('menuitem', { name: 'Pause until…' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Pause', exact: true }).click()
    await page.getByRole('button', { name: 'More for Twice a day' }).click()
    await page.getByRole('menuitem', { name: 'Go on' }).click()
    await page.getByRole('button', { name: 'More for Twice a day' }).click()
    await page.getByRole('menuitem', { name: 'Remove…' }).click()
    expect(
      await page
        .getByRole('dialog')
        .getByRole('button', { name: 'Cancel' })
        .evaluate((b) => b === document.activeElement)
    ).toBe(true)
    await page.getByRole('dialog').getByRole('button', { name: 'Remove schedule' }).click()
    await page.getByRole('heading', { level: 1, name: 'Schedules' }).waitFor()
    expect(await page.getByText('Twice a day').count()).toBe(0)
    expect(problems).toEqual([])
    await context.close()
  })

  it('is not saved into another store by mistake, and is where that is meant', async () => {
    const door = doors.get('failing')?.door
    const { page, context } = await openPage(browser, door?.address() ?? '')
    await show(page, { screen: 'schedules', edit: 'new' })
    await page.getByLabel('Name', { exact: false }).first().fill('Into the new store')
    await page.getByRole('button', { name: 'Create schedule' }).click()
    await page
      .getByRole('alert')
      .getByText(/is not the store that it was/)
      .waitFor()
    await page.getByRole('button', { name: 'This store is meant' }).click()
    await page.getByRole('heading', { level: 1, name: 'Into the new store' }).waitFor()
    await context.close()
  })
})

describe('text that comes from hosts', () => {
  it('is shown as it is, and runs nowhere', async () => {
    const door = doors.get('failing')?.door
    const { page, context, problems } = await openPage(browser, door?.address() ?? '')
    page.on('dialog', () => expect.fail('something was executed'))
    await page.getByText('<img src=x onerror=alert(1)>').first().waitFor()
    expect(await page.locator('img[src="x"]').count()).toBe(0)
    expect(await page.getByText('\u202E').count()).toBe(0)
    expect(problems).toEqual([])
    await context.close()
  })
})
