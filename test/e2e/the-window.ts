import type { Locator, Page } from '@playwright/test'
import type { LabHost } from '../lab/host.ts'

const SOON_MS = 20_000
/** A job of the lab, also while this machine has other work. */
const JOB_MS = 120_000

/** The window as a person uses it: by what is written on it. */
export class TheWindow {
  readonly page: Page

  constructor(page: Page) {
    this.page = page
    page.setDefaultTimeout(SOON_MS)
  }

  /** By the rail. */
  async goTo(screen: 'Overview' | 'Hosts' | 'Restore' | 'Activity' | 'Downtime' | 'Settings'): Promise<void> {
    await this.page.getByRole('navigation').getByRole('button', { name: screen, exact: true }).click()
    await this.page.getByRole('navigation').locator('[aria-current=page]', { hasText: screen }).waitFor()
  }

  get hosts(): HostsScreen {
    return new HostsScreen(this.page)
  }

  get job(): JobScreen {
    return new JobScreen(this.page)
  }

  get overview(): OverviewScreen {
    return new OverviewScreen(this.page)
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

  /** From the empty dialog to the card; the fingerprint is compared as a person would. */
  async add(host: LabHost): Promise<void> {
    const dialog = await this.beginToAdd(host)
    await dialog.getByText(`Is this the key of ${host.name}?`).waitFor()
    await dialog.getByText(host.hostKeySha256).waitFor()
    await dialog.getByRole('button', { name: 'It is the right one' }).click()
    await dialog.getByText('This host can be used.').waitFor()
    await dialog.getByRole('button', { name: 'Add this host' }).click()
    await dialog.waitFor({ state: 'hidden', timeout: JOB_MS })
    await this.card(host.name).getByText('Up', { exact: true }).waitFor({ timeout: JOB_MS })
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
    await this.headline.filter({ hasText: saying }).waitFor({ timeout: JOB_MS })
  }

  async stop(): Promise<void> {
    await this.page.getByRole('button', { name: 'Stop', exact: true }).first().click()
    await this.page
      .getByRole('dialog')
      .getByRole('button', { name: /^Stop the/ })
      .click()
  }
}
