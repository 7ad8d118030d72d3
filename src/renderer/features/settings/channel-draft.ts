import {
  MailChannel,
  type ChannelsChange,
  type ChannelsView,
  type WebhookChannel
} from '../../../shared/model/channels.ts'
import { safeText } from '../../../shared/safe-text.ts'
import { words } from './channel-words.ts'

/** A host that is to have it, and what it has now. */
export interface ChannelHost {
  readonly host: string
  readonly channels: ChannelsView
}

export interface MailDraft {
  readonly server: string
  readonly port: string
  readonly security: MailChannel['security']
  readonly user: string
  /** Empty: stays as it is on the host. */
  readonly password: string
  readonly from: string
  /** With commas or spaces. */
  readonly to: string
  readonly ca: string
}

export const USUAL_PORT: Readonly<Record<MailChannel['security'], string>> = { starttls: '587', tls: '465', none: '25' }

export function mailDraftOf(mail: ChannelsView['mail']): MailDraft {
  const plain = { security: 'starttls', port: USUAL_PORT.starttls, server: '', user: '', from: '', to: '' } as const
  if (mail === undefined) return { ...plain, password: '', ca: '' }
  const { server, port, security, user = '', from, to, ca = '' } = mail
  return { server, port: String(port), security, user, password: '', from, to: to.join(', '), ca }
}

/** Another encryption brings its usual port along, where nobody has chosen another one. */
export const withSecurity = (draft: MailDraft, security: MailDraft['security']): MailDraft => ({
  ...draft,
  security,
  port: draft.port === USUAL_PORT[draft.security] ? USUAL_PORT[security] : draft.port
})

export type Problems<D> = { readonly [K in keyof D]?: string }
/** What is to be sent to the hosts, or what is wrong with it by field. */
export type Drafted<D> = { readonly change: ChannelsChange } | { readonly problems: Problems<D> }

const PORT = /^\d{1,5}$/
const ADDRESS = /^[^\s<>,;:"()@]+@[^\s<>,;:"()@]+$/

export function mailOf(draft: MailDraft, hosts: readonly ChannelHost[]): Drafted<MailDraft> {
  const { server, port, security, user, password, from, ca } = trimmed(draft)
  const mail = {
    server,
    port: PORT.test(port) ? Number(port) : 0,
    security,
    ...(user !== '' && { user }),
    ...(password !== '' && { password }),
    from,
    to: recipientsIn(draft.to),
    ...(ca !== '' && { ca })
  }
  const problems = found<MailDraft>({
    server: /^[\w.:-]+$/.test(server) ? undefined : words.problems.server,
    port: MailChannel.shape.port.safeParse(mail.port).success ? undefined : words.problems.port,
    user: user.length > 500 ? words.problems.user : undefined,
    password: passwordProblem(mail, hosts),
    from: ADDRESS.test(bareAddress(from)) ? undefined : words.problems.from,
    to: recipientsProblem(mail.to),
    ca: ca === '' || ca.startsWith('-----BEGIN CERTIFICATE-----') ? undefined : words.problems.ca
  })
  return Object.keys(problems).length > 0 ? { problems } : { change: { mail } }
}

const trimmed = (draft: MailDraft): MailDraft => ({
  ...draft,
  server: draft.server.trim(),
  port: draft.port.trim(),
  user: draft.user.trim(),
  from: draft.from.trim(),
  ca: draft.ca.trim()
})

/** `Stillpoint <a@example.org>` is one, too. */
const bareAddress = (text: string): string => /<([^<>]*)>$/.exec(text)?.[1] ?? text

const recipientsIn = (text: string): string[] => text.split(/[\s,;]+/).filter((each) => each !== '')

function recipientsProblem(to: readonly string[]): string | undefined {
  const wrong = to.find((each) => !ADDRESS.test(each))
  if (wrong !== undefined) return words.problems.to(safeText(wrong))
  if (to.length === 0) return words.problems.toNone
  return to.length > 20 ? words.problems.toMany : undefined
}

/** A password goes to no other server and login than it was given for, and never in the clear all at once: hosts refuse that. */
function passwordProblem(mail: MailChannel, hosts: readonly ChannelHost[]): string | undefined {
  if (mail.user === undefined) return mail.password === undefined ? undefined : words.problems.passwordAlone
  if (mail.password !== undefined) return undefined
  const without = hosts.filter(({ channels }) => !keepsPassword(channels.mail, mail))
  return without.length === 0 ? undefined : words.problems.passwordNew(named(without))
}

const keepsPassword = (now: ChannelsView['mail'], mail: MailChannel): boolean =>
  now?.hasPassword === true &&
  (['server', 'port', 'user'] as const).every((key) => now[key] === mail[key]) &&
  (mail.security !== 'none' || now.security === 'none')

export interface WebhookDraft {
  readonly form: WebhookChannel['form']
  /** Empty: stays as it is on the host. */
  readonly url: string
  /** Empty: stays as it is on the host. */
  readonly token: string
}

export const webhookDraftOf = (webhook: ChannelsView['webhook']): WebhookDraft => ({
  form: webhook?.form ?? 'ntfy',
  url: '',
  token: ''
})

export function webhookOf(draft: WebhookDraft, hosts: readonly ChannelHost[]): Drafted<WebhookDraft> {
  const [url, token] = [draft.url.trim(), draft.token.trim()]
  const problems = found<WebhookDraft>({
    url: url === '' ? missingUrl(hosts) : wrongUrl(url, draft.form),
    token: token === '' ? missingToken(draft.form, originOf(url), hosts) : undefined
  })
  if (Object.keys(problems).length > 0) return { problems }
  return { change: { webhook: { form: draft.form, ...(url !== '' && { url }), ...(token !== '' && { token }) } } }
}

function wrongUrl(url: string, form: WebhookDraft['form']): string | undefined {
  if (originOf(url) === undefined) return words.problems.url
  return form === 'ntfy' && /^\/*$/.test(new URL(url).pathname) ? words.problems.topic : undefined
}

function missingUrl(hosts: readonly ChannelHost[]): string | undefined {
  const without = hosts.filter(({ channels }) => channels.webhook === undefined)
  return without.length === 0 ? undefined : words.problems.urlNew(named(without))
}

/** Gotify takes nothing without one, and a token stays only while its address does. */
function missingToken(
  form: WebhookDraft['form'],
  origin: string | undefined,
  hosts: readonly ChannelHost[]
): string | undefined {
  if (form !== 'gotify') return undefined
  const without = hosts.filter(({ channels: { webhook } }) => {
    const isSame = origin === undefined || webhook?.where === origin
    return webhook?.hasToken !== true || !isSame
  })
  return without.length === 0 ? undefined : words.problems.tokenNew(named(without))
}

/** Undefined: no address that a host can call. */
export function originOf(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined
  const { protocol, origin } = new URL(url)
  return protocol === 'https:' || protocol === 'http:' ? origin : undefined
}

const named = (hosts: readonly ChannelHost[]): string => hosts.map(({ host }) => safeText(host)).join(', ')

const found = <D>(all: { readonly [K in keyof D]?: string | undefined }): Problems<D> =>
  Object.fromEntries(Object.entries(all).filter(([, problem]) => problem !== undefined)) as Problems<D>
