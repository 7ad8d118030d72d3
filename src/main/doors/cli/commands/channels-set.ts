import { Option, type Command } from 'commander'
import { WEBHOOK_FORMS } from '../../../../shared/model/channels.ts'
import { fail } from '../../../../shared/failure.ts'
import { leaf } from '../leaf.ts'
import { gathered, wholeTo } from '../policy-flags.ts'
import type { Perform } from '../run-program.ts'
import { readSecret, readText } from '../secret.ts'
import { changeOn, onHost, type OnHost } from '../channel-change.ts'

interface MailOptions extends OnHost {
  readonly server: string
  readonly port?: number
  readonly security: 'starttls' | 'tls' | 'none'
  readonly user?: string
  readonly passwordFile?: string
  readonly from: string
  readonly to: string[]
  readonly caFile?: string
}

const PORTS = { starttls: 587, tls: 465, none: 25 } as const

export const setMail = (perform: Perform): Command =>
  onHost(
    leaf(
      'set-mail',
      'Send mail from the host. The password comes from a file or is asked for, never from the command line',
      [
        'channels set-mail --host alpha --server mail.example.org --user backup --from backup@example.org --to admin@example.org',
        'channels set-mail --host alpha --server mail.example.org --security tls --user b --password-file - --from b@example.org --to a@example.org --json < secret'
      ]
    )
  )
    .requiredOption('--server <NAME>', 'SMTP server, as its certificate calls it')
    .option('--port <N>', 'default: 587, with tls 465, with none 25', wholeTo(65_535))
    .addOption(
      new Option('--security <HOW>', 'starttls and tls check the certificate')
        .choices(['starttls', 'tls', 'none'])
        .default('starttls')
    )
    .option('--user <NAME>', 'login')
    .option('--password-file <FILE>', 'holds the password; - is standard input. Left out it is asked for, or stays')
    .requiredOption('--from <ADDRESS>', 'sender')
    .requiredOption('--to <ADDRESS>', 'recipient; may be given several times', gathered)
    .option('--ca-file <FILE>', 'certificate of an authority of your own, PEM')
    .action((options: MailOptions) =>
      perform(options, async (session) => {
        const { host, server, port, security, user, passwordFile, from, to, caFile } = options
        if (user === undefined && passwordFile !== undefined)
          fail({ kind: 'usage', message: 'A password belongs to a login: say whose it is with --user.' })
        const password =
          user === undefined
            ? undefined
            : await readSecret(passwordFile, `Password of ${user} (empty: as it is): `, session.terminal)
        const mail = {
          server,
          port: port ?? PORTS[security],
          security,
          from,
          to,
          ...(user !== undefined && { user }),
          ...(password !== undefined && { password }),
          ...(caFile !== undefined && { ca: readText(caFile) })
        }
        return changeOn(session, host, { mail })
      })
    )

interface WebhookOptions extends OnHost {
  readonly form: (typeof WEBHOOK_FORMS)[number]
  readonly urlFile?: string
  readonly tokenFile?: string
}

export const setWebhook = (perform: Perform): Command =>
  onHost(
    leaf(
      'set-webhook',
      'Post to a webhook from the host. Address and token count as secrets: from files, or asked for',
      [
        'channels set-webhook --host alpha --form ntfy --url-file ./address',
        'channels set-webhook --host alpha --form gotify --url-file ./address --token-file - --json < token'
      ]
    )
  )
    .addOption(
      new Option('--form <FORM>', 'what the other side understands').choices([...WEBHOOK_FORMS]).default('json')
    )
    .option('--url-file <FILE>', 'holds the address; - is standard input. Left out it is asked for, or stays')
    .option('--token-file <FILE>', 'holds the token, where one is needed')
    .action((options: WebhookOptions) =>
      perform(options, async (session) => {
        const { host, form, urlFile, tokenFile } = options
        if (urlFile === '-' && tokenFile === '-')
          fail({ kind: 'usage', message: 'Only one of address and token can come from standard input.' })
        const url = await readSecret(urlFile, 'Address (empty: as it is): ', session.terminal)
        const token = tokenFile === undefined ? undefined : await readSecret(tokenFile, '', session.terminal)
        const webhook = { form, ...(url !== undefined && { url: url.trim() }), ...(token !== undefined && { token }) }
        return changeOn(session, host, { webhook })
      })
    )
