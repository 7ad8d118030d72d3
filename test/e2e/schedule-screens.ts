import type { Locator, Page } from '@playwright/test'

/** A run of the lab, also while this machine has other work. */

export interface TypedMail {
  readonly server: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly from: string
  readonly to: string
  /** PEM. */
  readonly ca: string
}

/** Mail and webhook in the settings. */
export class SettingsScreen {
  private readonly page: Page

  constructor(page: Page) {
    this.page = page
  }

  get channels(): Locator {
    return this.page.getByRole('region', { name: 'Mail and webhook' })
  }

  async setUpMail(host: string, mail: TypedMail): Promise<void> {
    await this.channels.getByRole('button', { name: `Set up… mail on ${host}` }).click()
    const dialog = this.page.getByRole('dialog')
    await dialog.getByLabel('Mail server').fill(mail.server)
    await dialog.getByLabel('Port', { exact: true }).fill(String(mail.port))
    await dialog.getByLabel('Login').fill(mail.user)
    await dialog.getByRole('textbox', { name: 'Password' }).fill(mail.password)
    await dialog.getByLabel('Sender').fill(mail.from)
    await dialog.getByLabel('Recipients').fill(mail.to)
    await dialog.getByText('Certificate authority of your own').click()
    await dialog.getByLabel('Certificate (PEM)').fill(mail.ca)
    await this.save()
  }

  /** Another password, and the rest as it is. */
  async changePassword(host: string, password: string): Promise<void> {
    await this.channels.getByRole('button', { name: `Change… mail of ${host}` }).click()
    await this.page.getByRole('dialog').getByRole('textbox', { name: 'Password' }).fill(password)
    await this.save()
  }

  private async save(): Promise<void> {
    const dialog = this.page.getByRole('dialog')
    await dialog.getByRole('button', { name: /^Save/ }).click()
    await dialog.waitFor({ state: 'hidden' })
  }

  async sendTest(host: string): Promise<void> {
    await this.channels.getByRole('button', { name: `Send test mail from ${host}` }).click()
  }
}

export interface TypedSchedule {
  readonly name: string
  readonly pattern: string
  readonly calendar: string
  readonly store: string
}

/** The list, one of them, and the form. */
export class SchedulesScreen {
  private readonly page: Page

  constructor(page: Page) {
    this.page = page
  }

  /** One question of the form, or one part of the page. */
  part(title: string): Locator {
    return this.page.getByRole('region', { name: title })
  }

  async fill({ name, pattern, calendar, store }: TypedSchedule): Promise<void> {
    await this.page.getByRole('textbox', { name: 'Name', exact: true }).fill(name)
    await this.part('Which VMs?').getByText('By name', { exact: true }).click()
    await this.part('Which VMs?').getByLabel('Names', { exact: true }).fill(pattern)
    await this.page.keyboard.press('Enter')
    await this.fillCalendar(calendar)
    await this.part('When?').getByLabel('Jitter, in minutes').fill('0')
    await this.part('How?').getByLabel('Store').fill(store)
  }

  /** So few that the store of a test holds them, and gone at once. */
  async keepLast(count: number): Promise<void> {
    const keep = this.part('How long do points stay?')
    await keep.getByText('Custom', { exact: true }).click()
    const rules = {
      Last: count,
      Daily: '',
      Weekly: '',
      Monthly: '',
      'Never fewer good points than': count,
      'Hours in the trash': 0
    }
    for (const [label, value] of Object.entries(rules))
      await keep.getByRole('textbox', { name: label, exact: true }).fill(String(value))
  }

  async fillCalendar(calendar: string): Promise<void> {
    await this.part('When?').getByText('Calendar expression', { exact: true }).click()
    await this.part('When?').getByRole('textbox', { name: 'Expression' }).fill(calendar)
  }

  async create(): Promise<void> {
    await this.page.getByRole('button', { name: 'Create schedule' }).click()
    await this.page.getByRole('button', { name: 'Run now', exact: true }).waitFor()
  }

  async open(name: string): Promise<void> {
    await this.page.getByRole('table').getByText(name, { exact: true }).first().click()
    await this.page.getByRole('heading', { level: 1, name }).waitFor()
  }

  async edit(): Promise<void> {
    await this.page.getByRole('button', { name: 'Edit', exact: true }).click()
    await this.page.getByRole('heading', { level: 1, name: 'Edit schedule' }).waitFor()
  }

  async save(): Promise<void> {
    await this.page.getByRole('button', { name: 'Save', exact: true }).click()
    await this.page.getByRole('button', { name: 'Run now', exact: true }).waitFor()
  }

  /** Begins a run, and waits beside it until its end is told so. */
  async runNow(saying: RegExp): Promise<void> {
    await this.page.getByRole('button', { name: 'Run now', exact: true }).click()
    const run = this.page.getByRole('dialog')
    await run.getByText(saying).first().waitFor()
  }

  async closeRun(): Promise<void> {
    await this.page.getByRole('button', { name: 'Close the run' }).click()
    await this.page.getByRole('dialog').waitFor({ state: 'hidden' })
  }

  async goOn(name: string): Promise<void> {
    await this.page.getByRole('button', { name: `More for ${name}` }).click()
    await this.page.getByRole('menuitem', { name: 'Go on' }).click()
    await this.page.getByRole('heading', { level: 1, name }).waitFor()
    await this.isPaused.waitFor({ state: 'hidden' })
  }

  /** The word beside the name. */
  private get isPaused(): Locator {
    return this.page.getByText(/^paused/).first()
  }

  async pauseForGood(name: string): Promise<void> {
    await this.page.getByRole('button', { name: `More for ${name}` }).click()
    await this.page.getByRole('menuitem', { name: 'Pause until…' }).click()
    const dialog = this.page.getByRole('dialog')
    await dialog.getByText('until somebody lets it go on').click()
    await dialog.getByRole('button', { name: 'Pause', exact: true }).click()
    await dialog.waitFor({ state: 'hidden' })
    await this.isPaused.waitFor()
  }
}

/** What hangs from the bell. */
export class InboxPane {
  private readonly page: Page

  constructor(page: Page) {
    this.page = page
  }

  private get bell(): Locator {
    return this.page.getByRole('button', { name: /^Inbox/ })
  }

  async hears(title: RegExp | string): Promise<void> {
    await this.bell.click()
    await this.page.getByRole('dialog').getByText(title).first().waitFor()
    await this.page.keyboard.press('Escape')
  }

  async holdsOnce(title: RegExp): Promise<void> {
    await this.bell.click()
    const found = this.page.getByRole('dialog').getByText(title)
    await found.first().waitFor()
    const count = await found.count()
    if (count !== 1) throw new Error(`the inbox says ${title} ${count} times`)
    await this.page.keyboard.press('Escape')
  }
}
