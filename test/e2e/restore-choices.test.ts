import type { Browser } from '@playwright/test'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { DEFAULT_STORE } from '../../src/shared/host-paths.ts'
import type { Guest } from '../lab/guest.ts'
import type { LabHost } from '../lab/host.ts'
import { Stillpoint } from '../lab/stillpoint.ts'
import { testLab } from '../lab/test-lab.ts'
import { isContiguous, isOneBoot, joinResumed } from '../lab/ticks.ts'
import { launch, openPage, seriousFindings, shoot, type WatchedPage } from './browser.ts'
import { Served } from './served.ts'
import { TheWindow } from './the-window.ts'

const VM = 'asking'
const SCREEN = "<graphics type='vnc' port='5999' autoport='no' listen='127.0.0.1'/>"
const LAN = "<network><name>lan</name><forward mode='bridge'/><bridge name='br7'/></network>"
const stillpoint = new Stillpoint()
let browser: Browser
let served: Served
let opened: WatchedPage
let the: TheWindow
let alpha: LabHost
let beta: LabHost
let guest: Guest
let rival: Guest

beforeAll(async () => {
  const lab = testLab()
  alpha = lab.host('alpha')
  beta = lab.host('beta')
  for (const host of [alpha, beta]) await stillpoint.add(host, '--accept-new')
  await alpha.must('ip link add br7 type bridge; ip link set br7 up')
  await alpha.must('cat > /run/lan.xml; virsh -q net-define /run/lan.xml; virsh -q net-start lan', { stdin: LAN })
  rival = await beta.defineGuest({ name: 'rival', ramMiB: 128, devicesXml: SCREEN })
  await rival.start()
  guest = await alpha.defineGuest({ name: VM, ramMiB: 128, network: 'lan', devicesXml: SCREEN })
  await guest.start()
  await guest.waitForTick(5)
  // RAM that can be relied on: docs/decisions/0008.
  const backup = await stillpoint.run(['backup', `alpha/${VM}`, '--method', 'classic'])
  expect(backup.result).toMatchObject({ ok: true })
  await guest.destroy()
  browser = await launch()
  served = Served.start(stillpoint.home)
  opened = await openPage(browser, await served.address())
  the = new TheWindow(opened.page)
})

afterAll(async () => {
  await browser.close()
  await served.stop()
  for (const { uuid } of [guest, rival])
    for (const host of [alpha, beta])
      await host.run(
        `virsh destroy ${uuid}; virsh undefine ${uuid}; rm -rf /var/lib/libvirt/images/${uuid}* ${DEFAULT_STORE}/${uuid}`
      )
  await alpha.run('virsh net-destroy lan; virsh net-undefine lan; ip link delete br7')
  stillpoint.remove()
})

beforeEach(({ onTestFailed, task }) =>
  onTestFailed(() => shoot(opened.page, `failed-${task.name.replaceAll(/\W+/g, '-').slice(0, 60)}`))
)
afterEach(() => expect(opened.problems).toEqual([]))

describe('an operator whose other host is not as the VM asks', () => {
  it('sees what stands in the way, and cannot begin', async () => {
    await the.goTo('Restore')
    await the.restore.choosePoint(VM)
    await the.restore.to('beta')
    await the.restore.how('Go on where it was')
    await the.restore.verdict.getByText('Something stands in the way').waitFor()
    await the.page.getByText('Port 5999, which its VNC screen wants, is taken by VM rival.').waitFor()
    await the.page
      .getByText('Network lan puts its cards on bridge br7, which does not exist here.', { exact: true })
      .waitFor()
    expect(await the.restore.begin.isDisabled()).toBe(true)
    expect(await seriousFindings(the.page)).toEqual([])
  })

  it('presses a button for each, and the check turns good', async () => {
    await the.restore.decide('Ports', 'Let libvirt choose its ports --auto-ports')
    await the.page.getByText(/^Screens get a port of their own, .*, as chosen\.$/).waitFor()
    await the.restore.decide('Networks', 'Put its cards on network default --map-network lan=default')
    await the.page.getByText('Cards that were on network lan are put on network default, as chosen.').waitFor()
    await the.page.getByText(/^stillpoint restore \S+ --to beta .* --auto-ports --map-network lan=default$/).waitFor()
    expect(await the.restore.verdict.getByText('Something stands in the way').count()).toBe(0)
    await shoot(the.page, 'restore-choices')
  })

  it('restores, and the VM goes on where it was', async () => {
    await the.restore.restore(VM)
    await the.job.ends(new RegExp(`${VM} on beta.*running after`))
    const there = guest.on(beta)
    await there.waitForMoreTicks(5)
    const ticks = joinResumed(guest.ticks(), there.ticks())
    expect(isContiguous(ticks) && isOneBoot(ticks)).toBe(true)
    expect(await beta.must(['virsh', 'domdisplay', guest.uuid])).not.toContain(':99')
  })

  it('is not asked again; and leaves aside what was chosen, and has the problems back', async () => {
    await the.goTo('Restore')
    await the.restore.choosePoint(VM)
    await the.restore.to('beta')
    await the.restore.how('Go on where it was')
    await the.page
      .getByText('Cards that were on network lan are put on network default, as chosen for this host before.')
      .waitFor()
    await the.restore.decide('Networks', /^Leave aside what was chosen for this host before/)
    await the.page.getByText('Port 5999, which its VNC screen wants, is taken by VM rival.').waitFor()
    expect(await the.restore.begin.isDisabled()).toBe(true)
  })
})
