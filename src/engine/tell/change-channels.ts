import { X509Certificate } from 'node:crypto'
import { fail } from '../../shared/failure.ts'
import type {
  Channels,
  ChannelsChange,
  ChannelsView,
  MailChannel,
  WebhookChannel
} from '../../shared/model/channels.ts'
import { certificatesOf } from './authorities.ts'
import { topicOf } from './webhook-forms.ts'

/** Without secrets; of an address only scheme and host, as the rest of it may be one. */
export function viewOf({ mail, webhook }: Channels): ChannelsView {
  return {
    ...(mail !== undefined && { mail: mailView(mail) }),
    ...(webhook !== undefined && { webhook: webhookView(webhook) })
  }
}

function mailView({ password, ...rest }: MailChannel): ChannelsView['mail'] {
  return { ...rest, hasPassword: password !== undefined }
}

const webhookView = ({ form, url, token }: WebhookChannel): ChannelsView['webhook'] => ({
  form,
  where: originOf(url),
  hasToken: token !== undefined
})

const originOf = (url: string): string => new URL(url).origin

/** The channels after a change. @throws `usage` with what is wrong with it */
export function changed(before: Channels, { mail, webhook }: ChannelsChange): Channels {
  const after = {
    mail: mail === undefined ? before.mail : mail === null ? undefined : changedMail(before.mail, mail),
    webhook:
      webhook === undefined ? before.webhook : webhook === null ? undefined : changedWebhook(before.webhook, webhook)
  }
  return {
    ...(after.mail !== undefined && { mail: after.mail }),
    ...(after.webhook !== undefined && { webhook: after.webhook })
  }
}

/** A password goes only where it was meant to go: with another server, port, user or no encryption it is given anew. */
function changedMail(before: MailChannel | undefined, mail: MailChannel): MailChannel {
  for (const address of [mail.from, ...mail.to]) requireAddress(address)
  if (mail.ca !== undefined) requireCertificate(mail.ca)
  if (mail.user === undefined)
    return mail.password === undefined ? mail : refuse('A password for the mail server needs a user.')
  if (mail.password !== undefined) return mail
  if (before?.password === undefined) return refuse('A user of the mail server needs a password.')
  if (!isSameServer(before, mail))
    return refuse('Server, port, encryption or user are other ones: give the password anew.')
  return { ...mail, password: before.password }
}

const isSameServer = (before: MailChannel, mail: MailChannel): boolean =>
  (['server', 'port', 'user'] as const).every((key) => before[key] === mail[key]) &&
  (mail.security !== 'none' || before.security === 'none')

function changedWebhook(
  before: WebhookChannel | undefined,
  change: NonNullable<ChannelsChange['webhook']>
): WebhookChannel {
  const url = change.url ?? before?.url ?? refuse('The webhook needs an address.')
  if (!/^https?:$/.test(new URL(url).protocol))
    return refuse('The address of the webhook begins with https:// or http://.')
  if (change.form === 'ntfy' && topicOf(url) === undefined)
    return refuse('The address for ntfy ends with a topic: https://ntfy.example.org/my-topic')
  const kept = before !== undefined && originOf(before.url) === originOf(url) ? before.token : undefined
  const token = change.token ?? kept
  return { form: change.form, url, ...(token !== undefined && { token }) }
}

/** `name@example.org`, or `Name <name@example.org>`: one, and nothing that could begin another header. */
const ADDRESS = /^(?:[^<>\p{Cc}]*<)?[^\s<>,;:"()@]+@[^\s<>,;:"()@]+>?$/u

function requireAddress(text: string): void {
  if (!ADDRESS.test(text) || text.includes('<') !== text.includes('>'))
    refuse(`${JSON.stringify(text)} is no mail address. Write name@example.org, or Name <name@example.org>.`)
}

function requireCertificate(pem: string): void {
  const certificates = certificatesOf(pem)
  if (certificates.length === 0)
    refuse('The certificate of the authority is no PEM: it begins with -----BEGIN CERTIFICATE-----.')
  try {
    for (const certificate of certificates) new X509Certificate(certificate)
  } catch {
    refuse('The certificate of the authority cannot be read.')
  }
}

const refuse = (message: string): never => fail({ kind: 'usage', message })
