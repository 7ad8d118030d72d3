import type { FailureOf } from '../../shared/failure.ts'
import type { MailChannel } from '../../shared/model/channels.ts'
import { oneLine, shorten } from '../../shared/safe-text.ts'

type NotTold = FailureOf<'not-told'>

/** What nodemailer says of what went wrong, as far as it is looked at. */
interface SmtpError {
  readonly message: string
  readonly code: string
  readonly cause: string
  readonly response: string
  readonly command: string
}

/** An error of an SMTP conversation, in words: what the server said, and what to do. Never with the password. */
export function mailFailure(channel: MailChannel, error: unknown): NotTold {
  const seen = read(error)
  const { detail, fix } = wordsFor(channel, seen)
  return { kind: 'not-told', channel: 'mail', detail: withoutLogin(channel, detail), fix }
}

function read(error: unknown): SmtpError {
  const from = error as Partial<Record<'code' | 'originalCode' | 'response' | 'command', unknown>>
  const text = (value: unknown): string => (typeof value === 'string' ? value : '')
  return {
    message: shortLine(error instanceof Error ? error.message : String(error)),
    code: text(from.code),
    cause: text(from.originalCode),
    response: shortLine(text(from.response)),
    command: text(from.command)
  }
}

const shortLine = (text: string): string => shorten(oneLine(text), 300)

type Words = Pick<NotTold, 'detail' | 'fix'>

function wordsFor(channel: MailChannel, error: SmtpError): Words {
  const { server, port } = channel
  const code = error.cause === '' ? error.code : error.cause
  const known = CERTIFICATE_WORDS[code] ?? NETWORK_WORDS[code]
  if (known !== undefined) return known(channel)
  if (error.code === 'ETLS' || /wrong version number|ssl3_get_record/i.test(error.message))
    return tlsWords(channel, error)
  if (error.code === 'EAUTH') return loginWords(channel, error)
  if (error.response !== '') return refusedWords(channel, error)
  return {
    detail: `${server}:${port}: ${error.message}`,
    fix: 'Check server and port, and look at the log of the mail server.'
  }
}

const tlsWords = ({ server, port, security }: MailChannel, { response, message }: SmtpError): Words =>
  security === 'starttls'
    ? {
        detail: `${server}:${port} did not begin to encrypt (STARTTLS): ${response === '' ? message : response}. Nothing was sent.`,
        fix: 'If this port is encrypted from the start (465 often is), choose TLS. If it should offer STARTTLS, something between may strip it.'
      }
    : {
        detail: `${server}:${port} does not speak TLS from the start: ${message}. Nothing was sent.`,
        fix: 'Choose STARTTLS for this port (587 and 25 often want it), or the port that is encrypted from the start (often 465).'
      }

const loginWords = ({ server, user = '' }: MailChannel, { response, message }: SmtpError): Words => ({
  detail: `${server} refused the login of ${user}: ${response === '' ? message : response}`,
  fix: 'Check user and password. Some providers want a password made for one application.'
})

function refusedWords({ server }: MailChannel, { response, command }: SmtpError): Words {
  const isLater = response.startsWith('4')
  const what = /^MAIL/i.test(command) ? 'the sender' : /^RCPT/i.test(command) ? 'the recipient' : 'the message'
  const fix = isLater
    ? 'It asks for patience: it is tried again.'
    : `Check ${what} and what ${server} allows this host to send.`
  return {
    detail: `${server} ${isLater ? 'did not take' : 'refused'} ${what}${isLater ? ' yet' : ''}: ${response}`,
    fix
  }
}

type Said = (channel: MailChannel) => Words

const untrusted: Said = ({ server }) => ({
  detail: `The certificate of ${server} is signed by nobody that this host trusts. Nothing was sent.`,
  fix: 'Give the certificate of its authority (PEM), or install it on the host: update-ca-certificates'
})

/** By what Node says of a certificate. */
const CERTIFICATE_WORDS: Readonly<Record<string, Said | undefined>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: ({ server }) => ({
    detail: `The certificate there is not for ${server}. Nothing was sent.`,
    fix: 'Enter the name that is in the certificate. If it is right, somebody else answers at that address.'
  }),
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  CERT_HAS_EXPIRED: ({ server }) => ({
    detail: `The certificate of ${server} has expired. Nothing was sent.`,
    fix: 'Renew it there; if it is in order, check the clock of this host.'
  }),
  CERT_NOT_YET_VALID: ({ server }) => ({
    detail: `The certificate of ${server} is not valid yet. Nothing was sent.`,
    fix: 'Check the clock of this host.'
  })
}

const slow: Said = ({ server, port }) => ({
  detail: `${server}:${port} did not answer in time.`,
  fix: 'Check server, port and firewall: many providers close port 25.'
})
const unknownName: Said = ({ server }) => ({
  detail: `No address was found for ${server}.`,
  fix: 'Check the name, and the name servers of this host.'
})

/** By what the network says. */
const NETWORK_WORDS: Readonly<Record<string, Said | undefined>> = {
  ETIMEDOUT: slow,
  ENOTFOUND: unknownName,
  EAI_AGAIN: unknownName,
  EDNS: unknownName,
  ECONNREFUSED: ({ server, port }) => ({
    detail: `Nothing listens on port ${port} of ${server}.`,
    fix: 'Check server and port, and whether the mail server runs.'
  }),
  EHOSTUNREACH: slow,
  ENETUNREACH: slow,
  ECONNRESET: ({ server, port }) => ({
    detail: `${server}:${port} broke the connection off.`,
    fix: 'Check port and encryption, and look at the log of the mail server.'
  })
}

/** As they go over the wire for AUTH PLAIN, and each by itself. */
function withoutLogin({ user = '', password }: MailChannel, detail: string): string {
  if (password === undefined) return detail
  const plain = Buffer.from(`\0${user}\0${password}`).toString('base64')
  return withoutSecret(withoutSecret(detail, plain), password)
}

/** Servers have been seen to repeat what they were sent. */
export function withoutSecret(text: string, secret: string | undefined): string {
  if (secret === undefined || secret === '') return text
  const forms = [secret, Buffer.from(secret).toString('base64')]
  return forms.reduce((rest, form) => rest.replaceAll(form, '…'), text)
}
