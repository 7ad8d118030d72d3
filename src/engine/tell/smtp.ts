import type SMTPConnection from 'nodemailer/lib/smtp-connection'
import type { SentMessageInfo } from 'nodemailer/lib/smtp-connection'
import type { MailChannel } from '../../shared/model/channels.ts'
import { certificatesOf, trustedAuthorities } from './authorities.ts'

export interface Envelope {
  readonly from: string
  readonly to: readonly string[]
}

/** For each step: connecting, the greeting, any silence of the server. */
const STEP_MS = 20_000
/** For all of it, however slowly the server trickles. */
const WHOLE_MS = 45_000

/**
 * Hands one message to the server. TLS where it is chosen is required, and the certificate checked against the server's
 * name. Rejects with nodemailer's error; recipients that were refused while others were not are in the answer.
 */
export async function smtpSend(
  channel: MailChannel,
  envelope: Envelope,
  message: Buffer,
  stepMs = STEP_MS
): Promise<SentMessageInfo> {
  // Loaded for the few that send a mail: the engine is started for every question.
  const { default: Connection } = await import('nodemailer/lib/smtp-connection')
  const connection = new Connection(optionsOf(channel, stepMs))
  const { broken, dispose } = breakOf(connection)
  try {
    const { user, password } = channel
    await Promise.race([broken, step((done) => connection.connect(done))])
    if (user !== undefined)
      await Promise.race([broken, step((done) => connection.login({ user, pass: password ?? '' }, done))])
    const { from, to } = envelope
    return await Promise.race([
      broken,
      step<SentMessageInfo>((done) => connection.send({ from, to: [...to] }, message, done))
    ])
  } finally {
    dispose()
    connection.close()
  }
}

function optionsOf({ server, port, security, ca }: MailChannel, stepMs: number): SMTPConnection.Options {
  const times = { connectionTimeout: stepMs, greetingTimeout: stepMs, socketTimeout: stepMs, dnsTimeout: stepMs }
  const secure = security === 'tls'
  const own = ca === undefined ? [] : certificatesOf(ca)
  return {
    host: server,
    port,
    secure,
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    maxResponseSize: 65_536,
    tls: { ca: [...own, ...trustedAuthorities()], rejectUnauthorized: true, minVersion: 'TLSv1.2' },
    ...times
  }
}

/** Rejects when the connection breaks, or nothing came of it in time. */
function breakOf(connection: SMTPConnection): { broken: Promise<never>; dispose: () => void } {
  let timer: NodeJS.Timeout | undefined
  const broken = new Promise<never>((_, reject) => {
    connection.on('error', reject)
    connection.once('end', () => reject(coded('ECONNECTION', 'it closed the connection')))
    timer = setTimeout(() => reject(coded('ETIMEDOUT', 'it was too slow')), WHOLE_MS)
  })
  broken.catch(() => undefined)
  return { broken, dispose: () => clearTimeout(timer) }
}

const coded = (code: string, message: string): Error => Object.assign(new Error(message), { code })

const step = <T = unknown>(begin: (done: (error?: Error | null, result?: T) => void) => void): Promise<T> =>
  new Promise((resolve, reject) =>
    begin((error, result) => (error === undefined || error === null ? resolve(result as T) : reject(error)))
  )
