import type { Browser } from '@playwright/test'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { makeAuthority } from '../contract/certificates.ts'
import { parseMail, type ParsedMail } from '../contract/mime.ts'
import { SmtpServer } from '../contract/smtp-server.ts'
import type { Guest } from '../lab/guest.ts'
import type { LabHost } from '../lab/host.ts'
import { waitFor } from '../lab/run.ts'
import { Stillpoint } from '../lab/stillpoint.ts'
import { testLab } from '../lab/test-lab.ts'
import { launch, openPage, seriousFindings, shoot, type WatchedPage } from './browser.ts'
import { Served } from './served.ts'
import { TheWindow } from './the-window.ts'

/** By the host's clock, at the other end of the day: it must not come by itself. */
const AT = `${String((new Date().getUTCHours() + 12) % 24).padStart(2, '0')}:00`
const VM = 'ledger'
const NAME = 'Every night'
const STORE = '/mnt/nightly'
const LOGIN = { user: 'stillpoint', password: 'never-shown-again' }
const stillpoint = new Stillpoint()
let browser: Browser
let served: Served
let opened: WatchedPage
let the: TheWindow
let alpha: LabHost
let guest: Guest
let smtp: SmtpServer
let ca: string

/** The machine that carries the lab, as its hosts reach it. */
const machineOf = (host: LabHost): string => host.address.replace(/\d+$/, '1')

beforeAll(async () => {
  alpha = testLab().host('alpha')
  guest = await alpha.defineGuest({ name: VM, ramMiB: 256, fillerMiB: 32, diskMiB: 128 })
  await guest.start()
  await guest.waitForTick(20)
  await alpha.must(`mkdir -p ${STORE} && mount -t tmpfs -o size=700m tmpfs ${STORE}`)
  const authority = makeAuthority()
  ca = authority.ca
  const address = machineOf(alpha)
  smtp = await SmtpServer.start({
    security: 'starttls',
    identity: authority.sign(`IP:${address}`),
    login: LOGIN,
    address
  })
  browser = await launch()
  served = Served.start(stillpoint.home)
  opened = await openPage(browser, await served.address())
  the = new TheWindow(opened.page)
})

afterAll(async () => {
  await browser.close()
  await served.stop()
  const removed = await stillpoint.run(['host', 'remove', 'alpha', '--clean'])
  await alpha.run(
    `virsh destroy ${guest.uuid}; virsh undefine ${guest.uuid}; umount ${STORE}; rm -rf /var/lib/libvirt/images/${guest.uuid}*`
  )
  await smtp.stop()
  stillpoint.remove()
  expect(removed.exit).toBe(0)
})

beforeEach(({ onTestFailed, task }) =>
  onTestFailed(() => shoot(opened.page, `failed-${task.name.replaceAll(/\W+/g, '-').slice(0, 60)}`))
)
afterEach(() => expect(opened.problems).toEqual([]))

/** The newest mail whose subject says so, as its reader sees it. */
async function mailSaying(subject: RegExp): Promise<ParsedMail> {
  const found = (): ParsedMail | undefined =>
    smtp.received.map(({ mail }) => parseMail(mail)).findLast(({ headers }) => subject.test(headers['subject'] ?? ''))
  return waitFor(`a mail saying ${subject}`, found)
}

/** Everything that a part of a mail says, without the marks of its form. */
const saidIn = (mail: ParsedMail, part: 'text/plain' | 'text/html'): string =>
  (mail.parts[part] ?? '').replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ')

describe('an operator who wants to sleep', () => {
  it('adds a host, and sees that nothing backs its VM up by itself', async () => {
    await the.goTo('Hosts')
    await the.hosts.add(alpha)
    await the.hosts.card('alpha').getByText('No schedules').waitFor()
    await the.goTo('Overview')
    await the.overview.row(VM).getByText('no schedule').waitFor()
  })

  it('tells the host how to send mail, and sees a test arrive', async () => {
    await the.goTo('Settings')
    const mail = {
      ...LOGIN,
      server: machineOf(alpha),
      port: smtp.port,
      from: 'stillpoint@example.org',
      to: 'ops@example.org',
      ca
    }
    await the.settings.setUpMail('alpha', { ...mail, password: 'mistyped' })
    await the.settings.sendTest('alpha')
    await the.settings.channels
      .getByText(/535 5.7.8/)
      .first()
      .waitFor()
    await the.settings.changePassword('alpha', LOGIN.password)
    await the.settings.sendTest('alpha')
    await the.settings.channels.getByText(/queued as/).waitFor()
    expect(smtp.received).toMatchObject([{ to: ['ops@example.org'], encrypted: true, login: LOGIN.user }])
    expect(await the.page.content()).not.toContain(LOGIN.password)
  })

  it('makes a schedule, with its next runs and what its rules would keep in sight', async () => {
    await the.goTo('Overview')
    await the.page.getByRole('button', { name: `make one: schedule for ${VM}` }).click()
    await the.schedules.fill({ name: NAME, pattern: 'ledg*', calendar: 'nonsense', store: STORE })
    await the.schedules.part('Which VMs?').getByText('1 VM fits now').waitFor()
    expect(await the.page.getByRole('button', { name: 'Create schedule' }).isEnabled()).toBe(false)
    await the.schedules.fillCalendar(`*-*-* ${AT}`)
    await the.schedules.part('When?').getByText(AT).nth(4).waitFor()
    await the.schedules
      .part('What that would do')
      .getByText(/points? per VM/)
      .first()
      .waitFor()
    await the.schedules.keepLast(2)
    await the.page.getByLabel('Tell of successes').check()
    await the.page.getByText('Mail go', { exact: false }).first().waitFor()
    await the.schedules.create()
  })

  it('lets it run once now, watches it, and reads of it in a mail', async () => {
    await the.schedules.runNow(/1 VM backed up, stood still/)
    await the.page
      .getByRole('dialog')
      .getByText(/Mail, sent/)
      .waitFor()
    await the.schedules.closeRun()
    const mail = await mailSaying(/1 VM backed up/)
    for (const part of ['text/plain', 'text/html'] as const)
      expect(saidIn(mail, part)).toMatch(new RegExp(`${VM} backed up \\d+.* (ms|s) .*(MiB|GiB)`))
    expect(await guest.state()).toBe('running')
  })

  it('finds it everywhere else, also after a reload', async () => {
    await the.page.reload()
    await the.goTo('Overview')
    await the.overview.sentence.filter({ hasText: /protected/ }).waitFor()
    await the.overview.row(VM).getByText(AT).waitFor()
    await the.goTo('Activity')
    await the.page
      .getByRole('table')
      .getByText(new RegExp(`schedule ${NAME}`))
      .first()
      .waitFor()
    await the.goTo('Hosts')
    await the.hosts
      .card('alpha')
      .getByText(/^1 schedule, next run/)
      .waitFor()
  })

  it('sees it run by itself as its calendar says, until it is paused', async () => {
    await the.goTo('Schedules')
    await the.schedules.open(NAME)
    await the.schedules.edit()
    await the.schedules.fillCalendar('*:*:0/10')
    await the.schedules.save()
    await the.schedules
      .part('Runs')
      .getByText(/backed up/)
      .nth(1)
      .waitFor()
    await the.schedules.pauseForGood(NAME)
    await the.page
      .getByText(/paused/)
      .first()
      .waitFor()
    await waitForQuiet()
  })

  it('is told of a run that fails: in the inbox, in the overview, and by a mail that says why', async () => {
    await fillStore()
    await the.schedules.runNow(/1 failed/)
    await the.schedules.closeRun()
    const mail = await mailSaying(/1 of 1 failed/)
    for (const part of ['text/plain', 'text/html'] as const)
      expect(saidIn(mail, part)).toMatch(new RegExp(`${VM} failed.*Not enough room`))
    await the.inbox.hears(`The backup of ${VM} failed`)
    await the.goTo('Overview')
    await the.overview.sentence.filter({ hasText: /needs you/ }).waitFor()
    await the.overview
      .part('Needs you')
      .getByText(/Not enough room/)
      .first()
      .waitFor()
    expect(await guest.state()).toBe('running')
  })

  it('acknowledges it: it stays in the list, calm, also after a reload', async () => {
    await the.page.getByRole('button', { name: `Acknowledge what is wrong with ${VM}` }).click()
    await the.overview.part('Acknowledged').getByText(VM).waitFor()
    await the.overview.sentence.filter({ hasText: /Nothing new/ }).waitFor()
    await the.page.reload()
    await the.overview.part('Acknowledged').getByText(VM).waitFor()
    expect(await the.overview.part('Needs you').count()).toBe(0)
  })

  it('hears of the next failure all the same', async () => {
    await the.goTo('Schedules')
    await the.schedules.open(NAME)
    await the.schedules.runNow(/1 failed/)
    await the.schedules.closeRun()
    await the.goTo('Overview')
    await the.overview.part('Needs you').getByText(VM).waitFor()
  })

  it('mutes the VM on purpose, with a reason, and takes that back on the page of the VM', async () => {
    await the.overview.mute(VM, 'moves to other hardware')
    await the.overview.row(VM).getByText('muted: moves to other hardware').waitFor()
    expect(await the.overview.part('Needs you').count()).toBe(0)
    await the.overview.openVm(VM)
    const care = the.page.getByRole('region', { name: 'Protection' })
    await care.getByRole('button', { name: NAME }).waitFor()
    await care.getByRole('button', { name: 'Unmute' }).click()
    await care.getByText('Backup failed').waitFor()
  })

  it('is told once, on coming back, of what happened while the computer was off', async () => {
    await makeRoom()
    await the.goTo('Schedules')
    await the.schedules.open(NAME)
    await the.schedules.goOn(NAME)
    await served.stop()
    await waitForPoints(2)
    served = Served.start(stillpoint.home)
    await opened.context.close()
    opened = await openPage(browser, await served.address())
    the = new TheWindow(opened.page)
    await the.inbox.hears(/While you were away, on \S+: \d+ backups done/)
    await the.inbox.holdsOnce(/While you were away/)
    await the.goTo('Overview')
    await the.overview.sentence.filter({ hasText: /protected/ }).waitFor()
  })

  it('finds a mail that did not go through in the settings, and the backup unaffected', async () => {
    await the.goTo('Schedules')
    await the.schedules.open(NAME)
    await the.schedules.pauseForGood(NAME)
    await waitForQuiet()
    await smtp.stop()
    await the.schedules.runNow(/1 VM backed up/)
    await the.page
      .getByRole('dialog')
      .getByText(/Mail, not sent/)
      .waitFor()
    await the.schedules.closeRun()
    await the.goTo('Settings')
    await the.settings.channels.getByText(/message has not gone through/).waitFor()
    await the.page
      .getByRole('table', { name: /Messages of alpha/ })
      .getByText(/^in \d+ min/)
      .waitFor()
  })

  it('meets nothing on the way that keeps people out', async () => {
    for (const screen of ['Overview', 'Schedules', 'Activity', 'Settings'] as const) {
      await the.goTo(screen)
      await the.page.waitForTimeout(300)
      expect(await seriousFindings(the.page), screen).toEqual([])
    }
  })
})

/** No run of a policy is under way on the host. */
async function waitForQuiet(): Promise<void> {
  const units =
    "systemctl list-units --no-legend --state=activating,active 'stillpoint-policy-*.service' 'stillpoint-run-*' 'stillpoint-job-*'"
  await waitFor('no run on the host', async () => ((await alpha.must(units)).trim() === '' ? true : undefined))
}

/** A little room is left: what is there stays readable, and nothing new fits. */
async function fillStore(): Promise<void> {
  await alpha.must(`used=$(du -sk ${STORE} | cut -f1); mount -o remount,size=$((used + 8192))k ${STORE}`)
}

const makeRoom = (): Promise<string> => alpha.must(`mount -o remount,size=1g ${STORE}`)

/** The timer of the host has made so many points more, with nobody connected; older ones may go meanwhile. */
async function waitForPoints(more: number): Promise<void> {
  const points = async (): Promise<readonly string[]> =>
    (await alpha.must(`ls -d ${STORE}/*/2*/manifest.json | cut -d/ -f5 | sort`)).trim().split('\n')
  const newest = (await points()).at(-1) ?? ''
  const isThere = async (): Promise<true | undefined> =>
    (await points()).filter((id) => id > newest).length >= more ? true : undefined
  await waitFor('points by the timer alone', isThere, { everyMs: 500 })
}
