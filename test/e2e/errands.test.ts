import { rmSync } from 'node:fs'
import type { Browser } from '@playwright/test'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Guest } from '../lab/guest.ts'
import type { LabHost } from '../lab/host.ts'
import { Stillpoint } from '../lab/stillpoint.ts'
import { testLab } from '../lab/test-lab.ts'
import { isContiguous, isOneBoot, joinResumed } from '../lab/ticks.ts'
import { launch, openPage, seriousFindings, type WatchedPage } from './browser.ts'
import { Served } from './served.ts'
import { TheWindow } from './the-window.ts'

const stillpoint = new Stillpoint()
let browser: Browser
let served: Served
let opened: WatchedPage
let the: TheWindow
let alpha: LabHost
let beta: LabHost
let guest: Guest

beforeAll(async () => {
  const lab = testLab()
  alpha = lab.host('alpha')
  beta = lab.host('beta')
  guest = await alpha.defineGuest({ name: 'shop', ramMiB: 256, fillerMiB: 200, diskMiB: 512 })
  await guest.start()
  await guest.waitForTick(40)
  browser = await launch()
  served = await Served.start(stillpoint.home)
  opened = await openPage(browser, served.url)
  the = new TheWindow(opened.page)
})

afterAll(async () => {
  await browser.close()
  await served.stop()
  for (const host of [alpha, beta])
    await host.run(
      `virsh destroy ${guest.uuid}; virsh undefine ${guest.uuid}; rm -rf /var/lib/stillpoint/points/${guest.uuid} /var/lib/libvirt/images/${guest.uuid}*`
    )
  stillpoint.remove()
  rmSync(stillpoint.home, { recursive: true, force: true })
})

afterEach(() => expect(opened.problems).toEqual([]))

describe('an operator with a browser and two hosts', () => {
  it('is told what Stillpoint is, and adds the first host after comparing its fingerprint', async () => {
    await the.page
      .getByRole('button', { name: /add.*host/i })
      .first()
      .waitFor()
    await the.goTo('Hosts')
    await the.hosts.add(alpha)
    await the.hosts.card('alpha').getByText('9.0.0').first().waitFor()
  })

  it('adds the second host', async () => {
    await the.hosts.add(beta)
  })

  it('sees at a glance that nothing protects the VM', async () => {
    await the.goTo('Overview')
    await the.overview.row('shop').getByText('none').first().waitFor()
    expect(await the.overview.sentence.innerText()).toMatch(/need/)
  })

  it('backs the running VM up and watches it to its end', async () => {
    await the.page.getByRole('button', { name: 'Back up now' }).first().click()
    const dialog = the.page.getByRole('dialog')
    await dialog.getByText('The VM stands still').waitFor()
    await dialog.getByRole('button', { name: 'Start backup' }).click()
    await the.job.ends(/shop.*stood still \d+ ms/)
    expect(await guest.state()).toBe('running')
    await the.goTo('Overview')
    await the.overview.sentence.filter({ hasText: /protected/ }).waitFor()
  })

  it('sees a job that was begun in the terminal', async () => {
    await the.goTo('Activity')
    const inTerminal = stillpoint.run(['backup', 'alpha/shop'])
    await the.page
      .getByText(/^running$/)
      .first()
      .waitFor()
    expect((await inTerminal).exit).toBe(0)
  })

  it('reloads the page in the middle of a job, and is where it was', async () => {
    await the.page.reload()
    await the.page.getByRole('heading', { level: 1, name: 'Activity' }).waitFor()
    await the.page.getByRole('table').getByText('shop').first().waitFor()
  })

  it('finds nothing that keeps people out', async () => {
    for (const screen of ['Overview', 'Hosts', 'Activity', 'Settings'] as const) {
      await the.goTo(screen)
      await the.page.waitForTimeout(300)
      expect(await seriousFindings(the.page), screen).toEqual([])
    }
  })
})[(isContiguous, isOneBoot, joinResumed)]
