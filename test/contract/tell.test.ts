import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { putChannels, channelsView, testChannel } from '../../src/engine/tell/channels.ts'
import type { TellFiles } from '../../src/engine/tell/channels-file.ts'
import { flushOutbox } from '../../src/engine/tell/deliver.ts'
import {
  afterFailure,
  isDue,
  keep,
  listOutbox,
  readOutbox,
  sweepOutbox,
  type Waiting
} from '../../src/engine/tell/outbox.ts'
import { tellOfRun } from '../../src/engine/tell/tell.ts'
import { isFailure } from '../../src/shared/failure.ts'
import type { ChannelsChange, MailChannel } from '../../src/shared/model/channels.ts'
import { fakeShell } from '../../src/shell/fake.ts'
import { done, failure, policy, run, success } from '../unit/tell/told-things.ts'
import { parseMail } from './mime.ts'
import { SmtpServer } from './smtp-server.ts'

let dir: string
let files: TellFiles
let smtp: SmtpServer
const login = { user: 'kvm-1', password: 'correct horse' }

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'stillpoint-tell-'))
  files = {
    channels: join(dir, 'channels.json'),
    outbox: join(dir, 'outbox'),
    state: join(dir, 'told.json'),
    units: join(dir, 'units')
  }
  smtp = await SmtpServer.start({ security: 'none', login })
})
afterEach(async () => {
  await smtp.stop()
  rmSync(dir, { recursive: true, force: true })
})

const mailTo = (change: Partial<MailChannel> = {}): MailChannel => ({
  server: '127.0.0.1',
  port: smtp.port,
  security: 'none',
  ...login,
  from: 'kvm-1@example.org',
  to: ['admin@example.org'],
  ...change
})
const put = (change: ChannelsChange) => putChannels(quietShell, change, files)
const quietShell = fakeShell(() => ({ stdout: '' }))

async function usageOf(change: ChannelsChange): Promise<string> {
  const error: unknown = await put(change).catch((thrown: unknown) => thrown)
  return isFailure(error, 'usage') ? error.failure.message : `not refused: ${String(error)}`
}

describe('channels of a host', () => {
  it('are for root only, and shown without their secrets', async () => {
    const view = await put({ mail: mailTo(), webhook: { form: 'slack', url: 'https://hooks.example.org/T0/secret' } })
    expect(statSync(files.channels).mode & 0o777).toBe(0o600)
    expect(readFileSync(files.channels, 'utf8')).toContain('correct horse')
    expect(view).toMatchObject({
      mail: { hasPassword: true },
      webhook: { where: 'https://hooks.example.org', hasToken: false }
    })
    expect(JSON.stringify([view, channelsView(files)])).not.toMatch(/correct horse|secret/)
  })

  it('keep a password that is left out, but never take it to another server', async () => {
    await put({ mail: mailTo() })
    const { password: _, ...same } = mailTo({ to: ['night@example.org'] })
    expect(await put({ mail: same })).toMatchObject({ mail: { hasPassword: true, to: ['night@example.org'] } })
    for (const other of [{ server: 'mail.example.net' }, { port: 2525 }, { user: 'somebody' }])
      expect(await usageOf({ mail: { ...same, ...other } })).toContain('give the password anew')
    await put({ mail: mailTo({ security: 'tls' }) })
    expect(await usageOf({ mail: same })).toContain('give the password anew')
  })

  it('forget a token whose server is another one, and go when they are taken away', async () => {
    await put({ webhook: { form: 'ntfy', url: 'https://ntfy.example.org/alerts', token: 'tk' } })
    expect(await put({ webhook: { form: 'ntfy', url: 'https://ntfy.example.org/other' } })).toMatchObject({
      webhook: { hasToken: true }
    })
    expect(await put({ webhook: { form: 'ntfy', url: 'https://ntfy.example.net/alerts' } })).toMatchObject({
      webhook: { hasToken: false }
    })
    expect(await put({ webhook: null })).toEqual({})
  })

  it.each<[string, () => ChannelsChange]>([
    ['no mail address', () => ({ mail: mailTo({ to: ['admin'] }) })],
    ['no mail address', () => ({ mail: mailTo({ from: 'A <a@example.org>\r\nBcc: <b@example.org>' }) })],
    ['needs a user', () => ({ mail: { ...mailTo(), user: undefined } })],
    ['no PEM', () => ({ mail: mailTo({ ca: 'hello' }) })],
    ['https://', () => ({ webhook: { form: 'json', url: 'ftp://example.org/x' } })],
    ['topic', () => ({ webhook: { form: 'ntfy', url: 'https://ntfy.example.org/' } })],
    ['needs an address', () => ({ webhook: { form: 'json' } })]
  ])('refuse: %s', async (words, change) => expect(await usageOf(change())).toContain(words))

  it('have the host look what is due while there are any', async () => {
    await put({ mail: mailTo() })
    expect(readFileSync(join(files.units, 'stillpoint-tell.timer'), 'utf8')).toContain('OnCalendar=*:0/5')
    await put({ mail: null })
    expect(readdirSync(files.units)).toEqual([])
    expect(quietShell.lines).toContain('systemctl disable --now --quiet stillpoint-tell.timer')
  })

  it('are tested by a real message', async () => {
    await put({ mail: mailTo() })
    expect((await testChannel('mail', files)).text).toContain('took it for admin@example.org: 250')
    expect(smtp.received).toHaveLength(1)
    await expect(testChannel('webhook', files)).rejects.toMatchObject({ failure: { kind: 'usage' } })
  })
})

describe('a run', () => {
  it('is told at once, and nothing waits', async () => {
    await put({ mail: mailTo() })
    expect(await tellOfRun(policy(), failure, files)).toMatchObject([{ channel: 'mail', ok: true }])
    expect(parseMail(smtp.received[0]?.mail ?? '').headers['subject']).toBe('Stillpoint kvm-1: 1 of 4 failed (nightly)')
    expect(listOutbox(files)).toEqual([])
  })

  it.each([
    ['failure', { onSuccess: false, onFailure: true }, failure, 1],
    ['failure', { onSuccess: true, onFailure: false }, failure, 0],
    ['success', { onSuccess: false, onFailure: true }, success, 0],
    ['success', { onSuccess: true, onFailure: false }, success, 1],
    ['missed runs', { onSuccess: false, onFailure: true }, run([done(1, 'web1')], { missedCount: 1 }), 1],
    [
      'a run that was skipped',
      { onSuccess: false, onFailure: true },
      run([], { state: 'skipped', reason: 'out of hours' }),
      1
    ]
  ] as const)('is told as the policy wants it: %s, %o', async (_what, rules, report, mails) => {
    await put({ mail: mailTo() })
    await tellOfRun(policy({ tell: { ...rules, digest: 'none', mailTo: [] } }), report, files)
    expect(smtp.received).toHaveLength(mails)
  })

  it('that a pause skipped is not told', async () => {
    await put({ mail: mailTo() })
    const paused = policy({ pausedUntil: '2027-01-01T00:00:00.000Z' })
    expect(await tellOfRun(paused, run([], { state: 'skipped', reason: 'paused' }), files)).toEqual([])
  })

  it('goes to whom the policy names', async () => {
    await put({ mail: mailTo() })
    await tellOfRun(
      policy({ tell: { onSuccess: true, onFailure: true, digest: 'none', mailTo: ['night@example.org'] } }),
      success,
      files
    )
    expect(smtp.received[0]?.to).toEqual(['night@example.org'])
  })

  it('waits in the outbox when it cannot be told, and is told once the server takes it', async () => {
    await put({ mail: mailTo({ password: 'wrong horse' }) })
    expect(await tellOfRun(policy(), failure, files)).toMatchObject([{ channel: 'mail', ok: false }])
    expect(listOutbox(files)).toMatchObject([
      { channel: 'mail', tries: 1, subject: 'Stillpoint kvm-1: 1 of 4 failed (nightly)' }
    ])
    expect(listOutbox(files)[0]?.lastError).toContain('refused the login')
    await flushOutbox(files)
    expect(listOutbox(files)[0]?.tries).toBe(1) // not due yet
    await put({ mail: mailTo() })
    await flushOutbox(files)
    expect(listOutbox(files)).toEqual([])
    expect(smtp.received).toHaveLength(1)
  })

  it('is not told twice to those who have it', async () => {
    await smtp.stop()
    smtp = await SmtpServer.start({ security: 'none', login, answers: { RCPT: ['450 4.2.0 come again'] } })
    await put({ mail: mailTo({ to: ['late@example.org', 'early@example.org'] }) })
    expect(await tellOfRun(policy(), failure, files)).toMatchObject([{ ok: false }])
    const [item] = readOutbox(files)
    expect(item?.to).toEqual(['late@example.org'])
    if (item !== undefined) await keep({ ...item, nextTryAt: new Date().toISOString() }, files)
    await flushOutbox(files)
    expect(smtp.received.map(({ to }) => to)).toEqual([['early@example.org'], ['late@example.org']])
  })

  it('never throws, whatever the settings look like', async () => {
    await put({ mail: mailTo() })
    const broken = { ...files, channels: join(dir, 'broken.json') }
    writeFileSync(broken.channels, '{"mail":')
    expect(await tellOfRun(policy(), failure, broken)).toMatchObject([{ ok: false }])
  })
})

describe('what waits', () => {
  const at = Date.parse(failure.endedAt ?? '')
  const later = (hours: number): Date => new Date(at + hours * 3_600_000)
  const first = async (): Promise<Waiting> => {
    await put({ mail: mailTo({ password: 'wrong horse' }) })
    await tellOfRun(policy(), failure, files)
    return { ...(readOutbox(files)[0] ?? expect.fail('nothing waits')), tries: 0 }
  }
  // The run has just ended: told of days later, it would be given up at the first try.
  beforeEach(() => void vi.useFakeTimers({ now: at, toFake: ['Date'] }))
  afterEach(() => void vi.useRealTimers())

  it('is tried again after longer and longer times, for three days', async () => {
    let item = await first()
    const waits: number[] = []
    for (let now = at; item.givenUpAt === undefined; now = Date.parse(item.nextTryAt ?? '')) {
      item = afterFailure(item, 'no', new Date(now))
      if (item.nextTryAt !== undefined) waits.push((Date.parse(item.nextTryAt) - now) / 60_000)
    }
    expect(waits.slice(0, 7)).toEqual([1, 5, 15, 60, 180, 360, 720])
    expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeGreaterThan(3 * 24 * 60)
    expect(isDue(item, later(100))).toBe(false)
  })

  it('is listed for a week after it was given up, then goes', async () => {
    await keep(afterFailure(await first(), 'no', later(73)), files)
    await sweepOutbox(later(73 + 6 * 24), files)
    expect(listOutbox(files)).toMatchObject([{ lastError: 'no' }])
    expect(listOutbox(files)[0]).not.toHaveProperty('nextTryAt')
    await sweepOutbox(later(73 + 8 * 24), files)
    expect(listOutbox(files)).toEqual([])
  })

  it('is due at once when the clock has been put back', async () => {
    expect(isDue(afterFailure(await first(), 'no', later(24 * 365)), later(0))).toBe(false)
    expect(isDue({ ...(await first()), nextTryAt: later(24 * 365).toISOString() }, later(0))).toBe(true)
  })

  it('goes when its channel is taken away', async () => {
    await first()
    await put({ mail: null })
    expect(listOutbox(files)).toEqual([])
  })
})
