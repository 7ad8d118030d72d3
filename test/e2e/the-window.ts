import type { Locator, Page } from '@playwright/test'
import type { LabHost } from '../lab/host.ts'
import { InboxPane, SchedulesScreen, SettingsScreen } from './schedule-screens.ts'

/** The window as a person uses it: by what is written on it. */
export class TheWindow {
  readonly page: Page

  constructor(page: Page) {
    this.page = page
  }

  /** By the rail. */
  async goTo(
    screen: 'Overview' | 'Hosts' | 'Restore' | 'Schedules' | 'Activity' | 'Downtime' | 'Settings'
  ): Promise<void> {
    await this.page.getByRole('navigation').getByRole('button', { name: screen, exact: true }).click()
    await this.page.getByRole('navigation').locator('[aria-current=page]', { hasText: screen }).waitFor()
  }

  get hosts(): HostsScreen {
    return new HostsScreen(this.page)
  }

  get job(): JobScreen {
    return new JobScreen(this.page)
  }

  get vm(): VmScreen {
    return new VmScreen(this.page)
  }

  get activity(): ActivityScreen {
    return new ActivityScreen(this.page)
  }

  get restore(): RestoreScreen {
    return new RestoreScreen(this.page)
  }

  get schedules(): SchedulesScreen {
    return new SchedulesScreen(this.page)
  }

  get settings(): SettingsScreen {
    return new SettingsScreen(this.page)
  }

  get inbox(): InboxPane {
    return new InboxPane(this.page)
  }

  get overview(): OverviewScreen {
    return new OverviewScreen(this.page)
  }
}

class VmScreen {
  private readonly page: Page

  constructor(page: Page) {
    this.page = page
  }

  get dialog(): Locator {
    return this.page.getByRole('dialog')
  }

  async beginBackup(): Promise<void> {
    await this.page.getByRole('main').getByRole('button', { name: 'Back up now' }).first().click()
    await this.dialog.waitFor()
  }

  async chooseStore(dir: string): Promise<void> {
    await this.dialog.getByText('More choices').click()
    await this.dialog.getByLabel('Store').fill(dir)
  }

  async startBackup(): Promise<void> {
    await this.dialog.getByRole('button', { name: 'Start backup' }).click()
    await this.dialog.waitFor({ state: 'hidden' })
  }

  async restoreNewest(): Promise<void> {
    await this.page.getByRole('button', { name: 'Restore newest point…' }).click()
    await this.page.getByRole('heading', { level: 1, name: 'Restore' }).waitFor()
  }
}

class ActivityScreen {
  private readonly page: Page

  constructor(page: Page) {
    this.page = page
  }

  running(vm: string): Locator {
    return this.page.getByRole('article').filter({ hasText: vm })
  }

  async stop(vm: string): Promise<void> {
    await this.running(vm).getByRole('button', { name: 'Stop' }).click()
    await this.page
      .getByRole('dialog')
      .getByRole('button', { name: /^Stop the/ })
      .click()
  }
}

/** The wizard, from its top to its bottom. */
class RestoreScreen {
  private readonly page: Page

  constructor(page: Page) {
    this.page = page
  }

  /** The newest of a VM. */
  async choosePoint(vm: string): Promise<void> {
    const another = this.page.getByRole('button', { name: 'Choose another' })
    if (await another.isVisible()) await another.click()
    await this.page.getByText(vm, { exact: true }).first().click()
    await this.page
      .getByRole('radiogroup', { name: `Points of ${vm}` })
      .getByRole('radio')
      .first()
      .check()
  }

  async to(host: string): Promise<void> {
    await this.page
      .getByRole('radiogroup', { name: 'Target host' })
      .getByRole('radio', { name: new RegExp(`^${host}`) })
      .check()
  }

  async how(title: string): Promise<void> {
    await this.page.getByRole('radiogroup', { name: 'How it comes back' }).getByRole('radio', { name: title }).check()
  }

  /** What the host's answer comes to. */
  get verdict(): Locator {
    return this.page.getByRole('main').getByRole('status')
  }

  /** Not the rail's, which says Restore too and is there before the host has said what it found. */
  get begin(): Locator {
    return this.page.getByRole('main').getByRole('button', { name: 'Restore …', exact: true })
  }

  /** One of the ways round what the host does not give. */
  async decide(check: string, way: string | RegExp): Promise<void> {
    await this.page
      .getByRole('list', { name: `Ways round it: ${check}` })
      .getByRole('button', { name: way })
      .click()
  }

  /** The one click, and the confirmation; with the VM's name typed where something is replaced. */
  async restore(vm: string, replaces = false): Promise<void> {
    await this.begin.click()
    const dialog = this.page.getByRole('dialog')
    if (replaces) await dialog.getByRole('textbox').fill(vm)
    await dialog.getByRole('button', { name: replaces ? 'Replace and restore' : 'Restore', exact: true }).click()
  }
}

class OverviewScreen {
  private readonly page: Page

  constructor(page: Page) {
    this.page = page
  }

  /** The one sentence on top. */
  get sentence(): Locator {
    return this.page.getByRole('heading', { level: 1 })
  }

  row(vm: string): Locator {
    return this.page.getByRole('row').filter({ hasText: vm })
  }

  /** What needs somebody, and what has been acknowledged. */
  part(title: 'Needs you' | 'Acknowledged'): Locator {
    return this.page.getByRole('region', { name: title })
  }

  async mute(vm: string, reason: string): Promise<void> {
    await this.page.getByRole('button', { name: `Mute… ${vm}` }).click()
    const dialog = this.page.getByRole('dialog')
    await dialog.getByRole('textbox').fill(reason)
    await dialog.getByRole('button', { name: 'Mute', exact: true }).click()
    await dialog.waitFor({ state: 'hidden' })
  }

  /** Opens the VM's screen. */
  async openVm(vm: string): Promise<void> {
    await this.page.getByRole('table').getByText(vm, { exact: true }).first().click()
  }
}

class HostsScreen {
  private readonly page: Page

  constructor(page: Page) {
    this.page = page
  }

  card(name: string): Locator {
    return this.page.getByRole('article').filter({ has: this.page.getByRole('heading', { name, exact: true }) })
  }

  async beginToAdd({ name, address, port, user, identityFile }: LabHost): Promise<Locator> {
    await this.page.getByRole('button', { name: 'Add host' }).first().click()
    const dialog = this.page.getByRole('dialog')
    await dialog.getByLabel('Address').first().fill(address)
    await dialog.getByLabel('Name in Stillpoint').fill(name)
    await dialog.getByLabel('User').fill(user)
    await dialog.getByLabel('Port').fill(String(port))
    await dialog.getByLabel('Key file').fill(identityFile)
    await dialog.getByRole('button', { name: 'Connect' }).click()
    return dialog
  }

  /** The key that a known host shows now, compared with what is known of it from elsewhere. */
  async judgeKey(name: string, fingerprint: string): Promise<void> {
    await this.card(name).getByRole('button', { name: 'Compare the keys…' }).click()
    const dialog = this.page.getByRole('dialog')
    await dialog.getByText(fingerprint).waitFor()
    await dialog.getByRole('textbox').fill(name)
    await dialog.getByRole('button', { name: 'Take the new key' }).click()
    await dialog.waitFor({ state: 'hidden' })
  }

  /** From the empty dialog to the card; the fingerprint is compared as a person would. */
  async add(host: LabHost): Promise<void> {
    const dialog = await this.beginToAdd(host)
    await dialog.getByText(`Is this the key of ${host.name}?`).waitFor()
    await dialog.getByText(host.hostKeySha256).waitFor()
    await dialog.getByRole('button', { name: 'It is the right one' }).click()
    await dialog.getByText('This host can be used.').waitFor()
    await dialog.getByRole('button', { name: 'Add this host' }).click()
    await dialog.waitFor({ state: 'hidden' })
    await this.card(host.name).getByText('Up', { exact: true }).waitFor()
  }
}

class JobScreen {
  private readonly page: Page

  constructor(page: Page) {
    this.page = page
  }

  get headline(): Locator {
    return this.page.getByRole('heading', { level: 1 })
  }

  /** Until the headline says so. */
  async ends(saying: RegExp): Promise<void> {
    await this.headline.filter({ hasText: saying }).waitFor()
  }

  async stop(): Promise<void> {
    await this.page.getByRole('button', { name: 'Stop', exact: true }).first().click()
    await this.page
      .getByRole('dialog')
      .getByRole('button', { name: /^Stop the/ })
      .click()
  }
}
