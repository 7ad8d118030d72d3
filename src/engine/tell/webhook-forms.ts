import type { WebhookChannel } from '../../shared/model/channels.ts'
import { shorten } from '../../shared/safe-text.ts'
import { textOf } from './mail-text.ts'
import { cleaned, type Message, type Severity } from './message.ts'

export interface WebhookRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

type Form = (channel: WebhookChannel, message: Message) => WebhookRequest

/** What is sent for a message, by the form that the receiver understands. */
export const webhookRequest = (channel: WebhookChannel, message: Message): WebhookRequest =>
  FORMS[channel.form](channel, message)

const bearer = ({ token }: WebhookChannel): Readonly<Record<string, string>> =>
  token === undefined ? {} : { Authorization: `Bearer ${token}` }

/** Documented in docs/webhook.md; fields are added, never renamed or removed, as long as `version` is 1. */
const json: Form = (channel, told) => {
  const { host, event, id, at, severity, subject, lead } = cleaned(told)
  const { runs, silent } = told.data
  return {
    url: channel.url,
    headers: bearer(channel),
    body: { version: 1, id, event, at, host, severity, subject, text: lead, runs, silent }
  }
}

/** ntfy takes 4,096 bytes as text; what is longer would become an attachment. */
const NTFY_CHARACTERS = 1200
const NTFY_PRIORITY: Readonly<Record<Severity, number>> = { ok: 2, warning: 3, failure: 4 }
const NTFY_TAG: Readonly<Record<Severity, string>> = {
  ok: 'white_check_mark',
  warning: 'warning',
  failure: 'rotating_light'
}

/** As JSON, posted to the server itself: headers could not carry names of any alphabet. */
const ntfy: Form = (channel, told) => {
  const message = cleaned(told)
  const topic = topicOf(channel.url)
  return {
    url: new URL('.', channel.url.replace(/\/+$/, '')).href,
    headers: bearer(channel),
    body: {
      topic,
      title: message.subject,
      message: shorten(textOf(message), NTFY_CHARACTERS),
      priority: NTFY_PRIORITY[message.severity],
      tags: [NTFY_TAG[message.severity], message.event]
    }
  }
}

/** The last part of the address. */
export function topicOf(url: string): string | undefined {
  const topic = new URL(url).pathname.replace(/\/+$/, '').split('/').at(-1)
  return topic === undefined || topic === '' ? undefined : decodeURIComponent(topic)
}

const CHAT_CHARACTERS = 3500

/** Begins and ends what Slack shows as it is: a name that has it would end it early. */
const FENCE = '```'

const slack: Form = (channel, told) => {
  const message = cleaned(told)
  const lines = shorten(textOf(message), CHAT_CHARACTERS).replaceAll(FENCE, "'''")
  const text = `*${message.subject}*\n${FENCE}\n${lines}\n${FENCE}`
  return { url: channel.url, headers: bearer(channel), body: { text: slackEscaped(text) } }
}

/** Slack's three characters: what is escaped can neither link nor call anybody. */
const slackEscaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

const TEAMS_COLOUR: Readonly<Record<Severity, string>> = { ok: 'Good', warning: 'Warning', failure: 'Attention' }

/** Runs of text, which unlike text blocks know no Markdown: a name is never a link. */
const teams: Form = (channel, told) => {
  const message = cleaned(told)
  const line = (text: string, more: object = {}): object => ({
    type: 'RichTextBlock',
    inlines: [{ type: 'TextRun', text, ...more }]
  })
  const lines = shorten(textOf(message), CHAT_CHARACTERS)
    .split('\n')
    .filter((text) => text !== '')
  const body = [
    line(message.subject, { weight: 'Bolder', size: 'Medium', color: TEAMS_COLOUR[message.severity] }),
    ...lines.map((text) => line(text, { fontType: 'Monospace' }))
  ]
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body
  }
  const attachments = [{ contentType: 'application/vnd.microsoft.card.adaptive', content }]
  return { url: channel.url, headers: bearer(channel), body: { type: 'message', attachments } }
}

const GOTIFY_PRIORITY: Readonly<Record<Severity, number>> = { ok: 2, warning: 5, failure: 8 }

const gotify: Form = (channel, told) => {
  const message = cleaned(told)
  return {
    url: gotifyAddress(channel.url),
    headers: channel.token === undefined ? {} : { 'X-Gotify-Key': channel.token },
    body: { title: message.subject, message: textOf(message), priority: GOTIFY_PRIORITY[message.severity] }
  }
}

/** The address of the server does: messages go to `/message` there. */
function gotifyAddress(url: string): string {
  const address = new URL(url)
  if (!address.pathname.endsWith('/message')) address.pathname = `${address.pathname.replace(/\/+$/, '')}/message`
  return address.href
}

const FORMS: Readonly<Record<WebhookChannel['form'], Form>> = { json, ntfy, slack, teams, gotify }
