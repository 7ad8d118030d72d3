import { fail } from '../../shared/failure.ts'
import type { WebhookChannel } from '../../shared/model/channels.ts'
import { oneLine, safeJson, safeText, shorten } from '../../shared/safe-text.ts'
import { trustSystemAuthorities } from './authorities.ts'
import { withoutSecret } from './mail-failure.ts'
import type { Message } from './message.ts'
import { webhookRequest, type WebhookRequest } from './webhook-forms.ts'

const DEADLINE_MS = 15_000
const MOST_REDIRECTS = 3
const ANSWER_BYTES = 4096

/** Hands a message to the webhook, with its deadline. @throws `not-told` */
export async function postWebhook(
  channel: WebhookChannel,
  message: Message,
  deadlineMs = DEADLINE_MS
): Promise<{ text: string }> {
  trustSystemAuthorities()
  const request = webhookRequest(channel, message)
  const signal = AbortSignal.timeout(deadlineMs)
  const { status, answer } = await post(channel, request, signal)
  if (status >= 200 && status < 300) return { text: `${where(channel)} took it: ${status}` }
  return notTold(channel, `${where(channel)} answered ${status}${answer === '' ? '' : `: ${answer}`}`, fixFor(status))
}

/** What of an address may be shown. */
const where = ({ url }: WebhookChannel): string => new URL(url).host

interface Answered {
  readonly status: number
  readonly answer: string
}

/** Follows redirects within the same origin only: neither message nor token goes to another server. */
async function post(channel: WebhookChannel, request: WebhookRequest, signal: AbortSignal): Promise<Answered> {
  let url = request.url
  for (let redirects = 0; ; redirects++) {
    const response = await send(channel, { ...request, url }, signal)
    const next = response.headers.get('location')
    if (response.status < 300 || response.status >= 400 || next === null) return readAnswer(response)
    await response.body?.cancel().catch(() => undefined)
    url = redirected(channel, url, next, response.status, redirects)
  }
}

function redirected(channel: WebhookChannel, from: string, to: string, status: number, redirects: number): string {
  const target = URL.parse(to, from)
  const fix = 'Enter the address that it has now.'
  if (target?.origin !== new URL(from).origin)
    return notTold(channel, `${where(channel)} sends on to ${target?.host ?? 'nowhere'}, which is not followed.`, fix)
  if (status !== 307 && status !== 308)
    return notTold(channel, `${where(channel)} answered ${status}: the address has moved on that server.`, fix)
  if (redirects >= MOST_REDIRECTS) return notTold(channel, `${where(channel)} sends on and on.`, fix)
  return target.href
}

function send(channel: WebhookChannel, { url, headers, body }: WebhookRequest, signal: AbortSignal): Promise<Response> {
  const all = { 'Content-Type': 'application/json', 'User-Agent': 'Stillpoint', ...headers }
  return fetch(url, { method: 'POST', headers: all, body: safeJson(body), redirect: 'manual', signal }).catch(
    (error: unknown) =>
      notTold(
        channel,
        `${where(channel)}: ${causeOf(error)}`,
        'Check the address, and whether this host reaches it.',
        error
      )
  )
}

/** The beginning of the answer; what comes behind it is not waited for. */
async function readAnswer(response: Response): Promise<Answered> {
  const reader = response.body?.getReader()
  let bytes = Buffer.alloc(0)
  while (reader !== undefined && bytes.length < ANSWER_BYTES) {
    const { value, done } = await reader.read().catch(() => ({ value: undefined, done: true }))
    if (done || value === undefined) break
    bytes = Buffer.concat([bytes, value])
  }
  await reader?.cancel().catch(() => undefined)
  const text = bytes.subarray(0, ANSWER_BYTES).toString('utf8')
  return { status: response.status, answer: shorten(oneLine(text), 300) }
}

function causeOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return 'it did not answer in time'
  const cause: unknown = error instanceof Error ? (error.cause ?? error) : error
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  return CAUSES[code] ?? shorten(safeText(cause instanceof Error ? cause.message : String(cause)), 300)
}

const CAUSES: Readonly<Record<string, string | undefined>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'no address was found for this name',
  EAI_AGAIN: 'no address was found for this name',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate there is not for this name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by nobody that this host trusts',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by nobody that this host trusts',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by nobody that this host trusts',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ECONNRESET: 'it broke the connection off',
  UND_ERR_SOCKET: 'it broke the connection off'
}

function fixFor(status: number): string {
  if (status === 401 || status === 403) return 'Check the token, and what it may do there.'
  if (status === 404 || status === 410)
    return 'The address is not, or no longer, there: make a new webhook and enter it.'
  if (status === 429) return 'It wants fewer messages: it is tried again later.'
  return status >= 500
    ? 'The server has a problem of its own: it is tried again later.'
    : 'Check that the form fits the server.'
}

const notTold = (channel: WebhookChannel, detail: string, fix: string, cause?: unknown): never =>
  fail(
    {
      kind: 'not-told',
      channel: 'webhook',
      detail: secretsOf(channel).reduce(withoutSecret, detail),
      fix
    },
    cause
  )

/** Servers say what they did not find: the address, or a part of it, which may be the secret itself. */
function secretsOf({ url, token }: WebhookChannel): string[] {
  const { pathname, search } = new URL(url)
  const parts = [`${pathname}${search}`, pathname, ...pathname.split('/'), ...search.split(/[?&=]/)]
  return [...(token === undefined ? [] : [token]), url, ...parts.filter((part) => part.length >= SHORTEST_SECRET)]
}

/** What is shorter is a word of the address, and may be one of the answer. */
const SHORTEST_SECRET = 8
