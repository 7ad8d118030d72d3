import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { FailureOf } from '../../src/shared/failure.ts'
import { isFailure } from '../../src/shared/failure.ts'
import type { MailChannel } from '../../src/shared/model/channels.ts'
import { sendMail } from '../../src/engine/tell/mail.ts'
import { smtpSend } from '../../src/engine/tell/smtp.ts'
import { testMessage } from '../../src/engine/tell/test-message.ts'
import { makeAuthority, selfSigned, type Authority, type Identity } from './certificates.ts'
import { parseMail } from './mime.ts'
import { SmtpServer, type SmtpOptions } from './smtp-server.ts'
import { PATIENCE_MS } from '../patience.ts'

const message = testMessage('kvm-1', new Date('2026-11-24T01:00:00Z'), 'Europe/Berlin')
const login = { user: 'kvm-1', password: 'correct horse' }

let authority: Authority
let identity: Identity
let server: SmtpServer | undefined

beforeAll(() => {
  authority = makeAuthority()
  identity = authority.sign('DNS:localhost', 'IP:127.0.0.1')
})

afterEach(async () => {
  await server?.stop()
  server = undefined
})

async function started(options: Partial<SmtpOptions> = {}): Promise<SmtpServer> {
  server = await SmtpServer.start({ security: 'starttls', identity, login, ...options })
  return server
}

const channelTo = ({ port }: { port: number }, change: Partial<MailChannel> = {}): MailChannel => ({
  server: 'localhost',
  port,
  security: 'starttls',
  ...login,
  from: 'Stillpoint <kvm-1@example.org>',
  to: ['admin@example.org'],
  ca: authority.ca,
  ...change
})

async function refusal(sending: Promise<unknown>): Promise<FailureOf<'not-told'>> {
  try {
    await sending
  } catch (error) {
    if (isFailure(error, 'not-told')) return error.failure
    throw error
  }
  throw new Error('it was sent')
}

describe('a mail', () => {
  it.each(['starttls', 'tls'] as const)('goes out encrypted and logged in, with %s', async (security) => {
    const smtp = await started({ security })
    expect(await sendMail(channelTo(smtp, { security }), message)).toEqual({
      text: '250 2.0.0 queued as 1',
      refused: []
    })
    expect(smtp.received).toMatchObject([
      { from: 'kvm-1@example.org', to: ['admin@example.org'], encrypted: true, login: 'kvm-1' }
    ])
  })

  it('says when, from whom, and that a machine wrote it; in text and HTML', async () => {
    const smtp = await started()
    await sendMail(channelTo(smtp), message)
    const { headers, parts } = parseMail(smtp.received[0]?.mail ?? '')
    expect(headers).toMatchObject({
      from: 'Stillpoint <kvm-1@example.org>',
      to: 'admin@example.org',
      subject: 'Stillpoint kvm-1: test message',
      date: 'Tue, 24 Nov 2026 01:00:00 +0000',
      'auto-submitted': 'auto-generated',
      'message-id': `<stillpoint.${message.id}@example.org>`
    })
    for (const part of ['text/plain', 'text/html']) expect(parts[part]).toContain('Tue 2026-11-24 02:00')
  })

  it('goes to the recipients of the policy where it names some', async () => {
    const smtp = await started()
    await sendMail(channelTo(smtp), message, ['night@example.org', 'day@example.org'])
    expect(smtp.received[0]?.to).toEqual(['night@example.org', 'day@example.org'])
  })

  it('goes out in the clear only where that is chosen', async () => {
    const smtp = await started({ security: 'none' })
    await sendMail(channelTo(smtp, { security: 'none' }), message)
    expect(smtp.received).toMatchObject([{ encrypted: false }])
  })

  it('is the same mail at the next try, also after greylisting', async () => {
    const smtp = await started({ answers: { RCPT: ['451 4.7.1 greylisted, come again'] } })
    const failure = await refusal(sendMail(channelTo(smtp), message))
    expect(failure.detail).toContain('451 4.7.1 greylisted, come again')
    await sendMail(channelTo(smtp), message)
    await sendMail(channelTo(smtp), message)
    const ids = smtp.received.map(({ mail }) => parseMail(mail).headers['message-id'])
    expect(new Set(ids).size).toBe(1)
  })

  it('names recipients that were refused while others were not', async () => {
    const smtp = await started({ answers: { RCPT: ['550 5.1.1 nobody of that name'] } })
    const { refused } = await sendMail(channelTo(smtp), message, ['nobody@example.org', 'admin@example.org'])
    expect(refused).toEqual(['nobody@example.org'])
    expect(smtp.received[0]?.to).toEqual(['admin@example.org'])
  })
})

describe('a mail that does not go out', () => {
  it('because nothing listens there', async () => {
    const smtp = await started()
    const channel = channelTo(smtp)
    await smtp.stop()
    server = undefined
    expect((await refusal(sendMail(channel, message))).detail).toBe(
      `Nothing listens on port ${channel.port} of localhost.`
    )
  })

  it('because the password is wrong, and never repeats it', async () => {
    const smtp = await started({ answers: { AUTH: '535 5.7.8 wrong: wrong horse' } })
    const { detail, fix } = await refusal(sendMail(channelTo(smtp, { password: 'wrong horse' }), message))
    expect(detail).toContain('refused the login of kvm-1')
    expect(detail).toContain('535 5.7.8')
    expect(detail).not.toContain('wrong horse')
    expect(fix).toContain('password')
  })

  it('because the login is wrong, and never repeats it as it went over the wire', async () => {
    const plain = Buffer.from('\0kvm-1\0wrong horse').toString('base64')
    const smtp = await started({ answers: { AUTH: `535 5.7.8 wrong: ${plain}` } })
    const { detail } = await refusal(sendMail(channelTo(smtp, { password: 'wrong horse' }), message))
    expect(detail).toContain('535 5.7.8')
    expect(detail).not.toContain(plain)
  })

  it('because the certificate is for another name; the password stays here', async () => {
    const smtp = await started({ identity: authority.sign('DNS:mail.example.net') })
    const { detail } = await refusal(sendMail(channelTo(smtp), message))
    expect(detail).toBe('The certificate there is not for localhost. Nothing was sent.')
    expect(smtp.heard).not.toContain('AUTH')
  })

  it.each(['starttls', 'tls'] as const)('because nobody vouches for the certificate, with %s', async (security) => {
    const smtp = await started({
      security,
      identity: selfSigned('localhost', ['-addext', 'subjectAltName=DNS:localhost'])
    })
    const { ca: _, ...channel } = channelTo(smtp, { security })
    const { detail, fix } = await refusal(sendMail(channel, message))
    expect(detail).toContain('signed by nobody that this host trusts')
    expect(fix).toContain('PEM')
    expect(smtp.heard).not.toContain('AUTH')
  })

  it('because the server does not offer STARTTLS, or something stripped it; nothing goes out in the clear', async () => {
    const smtp = await started({ security: 'none' })
    const { detail } = await refusal(sendMail(channelTo(smtp), message))
    expect(detail).toContain('did not begin to encrypt (STARTTLS)')
    expect(smtp.heard.filter((line) => /^(AUTH|MAIL)/.test(line))).toEqual([])
  })

  it('because the port does not speak TLS from the start', async () => {
    const smtp = await started()
    expect((await refusal(sendMail(channelTo(smtp, { security: 'tls' }), message))).detail).toContain(
      'does not speak TLS from the start'
    )
  })

  it.each([
    ['MAIL', 'the sender'],
    ['RCPT', 'the recipient'],
    ['end of data', 'the message']
  ])('because the server refuses it at %s', async (verb, what) => {
    const smtp = await started({ answers: { [verb]: '554 5.7.1 not from here' } })
    const { detail } = await refusal(sendMail(channelTo(smtp), message))
    expect(detail).toContain(`refused ${what}`)
    expect(detail).toContain('554 5.7.1 not from here')
  })

  it('because the server wants no conversation at all', async () => {
    const smtp = await started({ answers: { greeting: '554 no service for you' } })
    expect((await refusal(sendMail(channelTo(smtp), message))).detail).toContain('554 no service for you')
  })

  it('because the server is too slow', async () => {
    const smtp = await started({ silentMs: 10 * PATIENCE_MS })
    const sending = smtpSend(channelTo(smtp), { from: 'a@example.org', to: ['b@example.org'] }, Buffer.from(''), 300)
    await expect(sending).rejects.toMatchObject({ code: 'ETIMEDOUT' })
  })
})
