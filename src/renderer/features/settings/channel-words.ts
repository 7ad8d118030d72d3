import type { MailChannel, WebhookChannel } from '../../../shared/model/channels.ts'

const count = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`

const SECURITY = {
  starttls: {
    label: 'STARTTLS',
    short: 'STARTTLS',
    text: 'Usual, port 587. Begins in the clear and goes on encrypted; a server that cannot is refused.'
  },
  tls: {
    label: 'TLS from the start',
    short: 'TLS',
    text: 'Port 465. Encrypted from the first byte.'
  },
  none: {
    label: 'Not encrypted',
    short: 'not encrypted',
    text: 'Port 25. Whoever is on the way reads all of it, the password too. Only for a mail server on the host itself.'
  }
} as const satisfies Record<MailChannel['security'], object>

const FORMS = {
  ntfy: {
    label: 'ntfy',
    text: 'The address of the topic.',
    placeholder: 'https://ntfy.example.org/stillpoint',
    token: 'Access token, where the topic wants one'
  },
  slack: {
    label: 'Slack',
    text: 'The address that Slack shows for an incoming webhook. It is a secret by itself.',
    placeholder: 'https://hooks.slack.example.org/services/…',
    token: undefined
  },
  teams: {
    label: 'Microsoft Teams',
    text: 'The address of a workflow “when a webhook request is received”. It is a secret by itself.',
    placeholder: 'https://teams.example.org/workflows/…',
    token: undefined
  },
  gotify: {
    label: 'Gotify',
    text: 'The address of the server, with /message at its end.',
    placeholder: 'https://gotify.example.org/message',
    token: 'Token of the application'
  },
  json: {
    label: 'JSON',
    text: 'For a program of your own: everything that is known of the run, as docs/cli.md describes it.',
    placeholder: 'https://monitor.example.org/stillpoint',
    token: 'Bearer token, if it wants one'
  }
} as const satisfies Record<WebhookChannel['form'], object>

/** Text of the settings of mail and webhook. */
export const words = {
  title: 'Mail and webhook',
  text: 'Hosts send them themselves, so they arrive while this computer is off. Each schedule says what is worth telling.',
  noHosts: 'There are no hosts yet. A host that has been added can be given mail and webhook here.',
  setUpMail: 'Set up mail…',
  setUpWebhook: 'Set up webhook…',
  mail: 'Mail',
  webhook: 'Webhook',
  notYet: 'Not known yet: this host has not answered.',
  asOf: 'As of',
  noAnswer: 'Does not answer',
  none: 'None',
  security: SECURITY,
  forms: FORMS,
  asUser: (user: string) => `login ${user}`,
  withoutLogin: 'without login',
  fromTo: (from: string, to: string) => `from ${from} to ${to}`,
  webhookAt: (form: string, where: string) => `${form} at ${where}`,
  withToken: 'with token',
  tellsNobody: (schedules: number) =>
    `${count(schedules, 'schedule wants', 'schedules want')} to tell, and there is no way to`,
  mailMissing: (schedules: number) =>
    `${count(schedules, 'schedule names', 'schedules name')} recipients, and there is no mail`,
  test: 'Send test',
  testOf: (channel: string, host: string) => `Send test ${channel} from ${host}`,
  sent: 'Sent',
  change: 'Change…',
  changeOf: (channel: string, host: string) => `Change… ${channel} of ${host}`,
  remove: 'Remove…',
  removeOf: (channel: string, host: string) => `Remove… ${channel} of ${host}`,
  setUp: 'Set up…',
  setUpOf: (channel: string, host: string) => `Set up… ${channel} on ${host}`,
  channel: { mail: 'mail', webhook: 'webhook' },
  outbox: (n: number) => count(n, 'message has not gone through', 'messages have not gone through'),
  outboxOf: (host: string) => `Messages of ${host} that have not gone through`,
  outboxColumns: { message: 'Message', tries: 'Tries', error: 'Last answer', next: 'Next try' },
  givenUp: 'Given up',
  dialog: {
    mailTitle: 'Mail',
    webhookTitle: 'Webhook',
    hosts: 'On which hosts',
    hostsHint: 'The same is saved on each of them.',
    has: (channel: string) => `its ${channel} now is replaced`,
    cannot: 'does not answer now',
    server: 'Mail server',
    serverHint: 'Its name, as its certificate has it',
    port: 'Port',
    security: 'Encryption',
    user: 'Login',
    userHint: 'Empty: without',
    password: 'Password',
    passwordSet: 'Set. Leave empty to keep it.',
    passwordHint: 'Goes to the host, readable by root only, and is never shown again.',
    from: 'Sender',
    fromHint: 'Such as stillpoint@example.org',
    to: 'Recipients',
    toHint: 'One or several, with commas. A schedule may name others.',
    more: 'Certificate authority of your own',
    ca: 'Certificate (PEM)',
    caHint: 'Only if the server’s certificate is signed by an authority that hosts do not know.',
    form: 'For',
    url: 'Address',
    urlSet: 'Set. Leave empty to keep it.',
    plain: 'Not encrypted: whoever is on the way reads it.',
    token: 'Token',
    tokenSet: 'Set. Leave empty to keep it.',
    save: (hosts: number) => (hosts > 1 ? `Save on ${hosts} hosts` : 'Save'),
    saved: 'Saved',
    savedOn: (host: string) => `Saved on ${host}`,
    thenTest: 'Afterwards “Send test” shows whether it arrives.'
  },
  problems: {
    hosts: 'Choose at least one host.',
    server: 'A host name or an address.',
    port: 'A number from 1 to 65535.',
    user: 'At most 500 characters.',
    passwordNew: (hosts: string) => `Type it: ${hosts} has none for this server and login.`,
    passwordAlone: 'A password needs a login.',
    from: 'A mail address.',
    to: (which: string) => `“${which}” is no mail address.`,
    toNone: 'At least one mail address.',
    toMany: 'At most 20 of them.',
    ca: 'It begins with -----BEGIN CERTIFICATE-----.',
    url: 'An address that begins with https:// or http://.',
    topic: 'It ends with the topic: https://ntfy.example.org/my-topic',
    urlNew: (hosts: string) => `Type it: ${hosts} has none yet.`,
    tokenNew: (hosts: string) => `Type it: ${hosts} has none for this address.`
  },
  removeDialog: {
    title: (channel: string, host: string) => `Remove the ${channel} of ${host}?`,
    text: {
      mail: (host: string) =>
        `${host} forgets the mail server and its password, and sends no mails any more: not of failures, and not of silence.`,
      webhook: (host: string) =>
        `${host} forgets the address and its token, and calls it no more: not of failures, and not of silence.`
    },
    last: 'It has no other way to tell.',
    confirm: 'Remove'
  }
} as const
