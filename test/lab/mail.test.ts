import { randomBytes } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CHANNELS_FILE, DEFAULT_STORE, TELL_SERVICE, TELL_TIMER, UNITS_DIR } from '../../src/shared/host-paths.ts'
import type { MailChannel, OutboxItem } from '../../src/shared/model/channels.ts'
import type { Policy, RunReport } from '../../src/shared/model/policy.ts'
import { BareEngine, failureFrom } from './bare-engine.ts'
import type { Guest } from './guest.ts'
import type { LabHost } from './host.ts'
import { MailServer } from './mail-server.ts'
import { leftoversOf, takeBaseline, type Baseline } from './oracle.ts'
import { sleep } from './run.ts'
import { testLab } from './test-lab.ts'

const nasty = 'mail <b>& co'
let alpha: LabHost
let engine: BareEngine
let server: MailServer
let guest: Guest
let policy: Policy
let before: Baseline

beforeAll(async () => {
  alpha = testLab().host('alpha')
  engine = await BareEngine.on(alpha)
  server = await MailServer.on(alpha)
  guest = await alpha.defineGuest({ name: nasty, ramMiB: 128 })
  before = await takeBaseline(alpha)
  policy = await engine.ask('policy-put', { policy: nightly() })
})

afterAll(async () => {
  await engine.ask('policy-remove', { id: policy.id })
  await engine.ask('channels-put', { change: { mail: null, webhook: null } })
  await alpha.run(['rm', '-rf', `${DEFAULT_STORE}/${guest.uuid}`])
  await guest.undefine()
  await server.remove()
})

/** Its timer never comes: runs are started by hand. */
const nightly = (): Policy => ({
  version: 1,
  id: randomBytes(6).toString('hex'),
  name: 'told by mail',
  hostName: 'kvm-1',
  store: DEFAULT_STORE,
  budgetMs: 10_000,
  onBusy: 'pause',
  vms: { kind: 'chosen', vms: [{ uuid: guest.uuid, name: nasty }] },
  schedule: { calendar: '2099-01-01 02:00', jitterSeconds: 0 },
  keep: { floor: 3, graceHours: 24 },
  tell: { onSuccess: true, onFailure: true, digest: 'none', mailTo: [] },
  expectEveryHours: 1000,
  changedAt: new Date().toISOString()
})

const put = (change: Partial<MailChannel> = {}) =>
  engine.ask('channels-put', { change: { mail: server.channel(change) } })
const outbox = async (): Promise<readonly OutboxItem[]> => (await engine.ask('policies', {})).outbox

async function finishedRun(): Promise<RunReport> {
  const { run } = await engine.ask('policy-run', { id: policy.id })
  for (let tries = 1500; tries > 0; tries--) {
    const report = (await engine.ask('runs', { policy: policy.id })).find(({ id }) => id === run)
    if (report?.endedAt !== undefined) return report
    await sleep(200)
  }
  throw new Error(`run ${run} does not end`)
}

describe('mail from a host', () => {
  it('is tried out by a real message, over TLS and with a login', async () => {
    expect(await put()).toMatchObject({ mail: { hasPassword: true } })
    expect(statSync(`${alpha.tree}${CHANNELS_FILE}`).mode & 0o777).toBe(0o600)
    expect((await engine.ask('channels-test', { channel: 'mail' })).text).toContain('250 2.0.0 kept')
    expect(await server.take()).toMatchObject([
      { tls: true, to: ['admin@example.org'], headers: { subject: 'Stillpoint kvm-1: test message' }, defects: [] }
    ])
  })

  it('tells of a run what became of each VM, the same in text and HTML', async () => {
    const report = await finishedRun()
    expect(report).toMatchObject({ state: 'done', told: [{ channel: 'mail', ok: true }] })
    const [mail] = await server.take()
    expect(mail).toMatchObject({
      defects: [],
      headers: { subject: 'Stillpoint kvm-1: 1 VM backed up (told by mail)', 'auto-submitted': 'auto-generated' }
    })
    expect(mail?.headers['message-id']).toBe(`<stillpoint.run-${report.id}@example.org>`)
    const text = mail?.parts['text/plain'] ?? ''
    const html = mail?.parts['text/html'] ?? ''
    expect(text).toContain(nasty)
    expect(html).toContain('mail &lt;b&gt;&amp; co')
    for (const fact of ['backed up', 'was shut off', 'Next run', 'Time zone', /\d (KiB|MiB)/, /\d s/]) {
      expect(text).toMatch(fact)
      expect(html).toMatch(fact)
    }
  })

  it('waits on the host while the mail server is down; the backup is none the worse', async () => {
    await server.stop()
    const report = await finishedRun()
    expect(report).toMatchObject({ state: 'done', vms: [{ outcome: 'done' }], told: [{ channel: 'mail', ok: false }] })
    expect(await outbox()).toMatchObject([
      { channel: 'mail', tries: 1, lastError: 'Nothing listens on port 2525 of localhost.' }
    ])
  })

  it.each([
    ['its password is wrong', { password: 'wrong horse' }, 'refused the login of kvm-1: 535'],
    ['the certificate is for another name', { server: '127.0.0.1' }, 'The certificate there is not for 127.0.0.1.'],
    ['nobody vouches for the certificate', { ca: undefined }, 'signed by nobody that this host trusts'],
    ['the server does not speak TLS from the start', { security: 'tls' }, 'does not speak TLS from the start']
  ] as const)('is tried again, and says so, when %s', async (_why, change, words) => {
    if (!(await isListening())) await server.start()
    const { ca, ...rest } = server.channel(change)
    const mail = ca === undefined ? rest : { ...rest, ca }
    await engine.ask('channels-put', { change: { mail } })
    expect(await failureFrom(engine.ask('channels-test', { channel: 'mail' }))).toMatchObject({ kind: 'not-told' })
    const [waiting] = await outbox()
    await alpha.must(['systemctl', 'start', TELL_SERVICE])
    const [item] = await outbox()
    expect(item?.lastError).toContain(words)
    expect(item?.tries).toBe((waiting?.tries ?? 0) + 1)
    expect(item?.nextTryAt).toBeDefined()
    expect(await server.take()).toEqual([])
  })

  it('arrives once all is right again, once', async () => {
    await put()
    await alpha.must(['systemctl', 'start', TELL_SERVICE])
    await alpha.must(['systemctl', 'start', TELL_SERVICE])
    expect(await outbox()).toEqual([])
    expect(await server.take()).toMatchObject([
      { headers: { subject: 'Stillpoint kvm-1: 1 VM backed up (told by mail)' } }
    ])
  })

  it('tells of silence once a day, of a VM that has no good point as new as it should', async () => {
    await engine.ask('policy-put', { policy: { ...policy, expectEveryHours: 0.0001 } })
    await alpha.run(['rm', '-f', '/var/lib/stillpoint/told.json'])
    await sleep(500)
    await alpha.must(['systemctl', 'start', TELL_SERVICE])
    const [mail] = await server.take()
    expect(mail?.headers['subject']).toContain(`Stillpoint kvm-1: no good backup of ${nasty} since`)
    await alpha.must(['systemctl', 'start', TELL_SERVICE])
    expect(await server.take()).toEqual([])
  })

  it('sums up in a digest what was since the last one, once', async () => {
    await engine.ask('policy-put', { policy: { ...policy, tell: { ...policy.tell, digest: 'daily' } } })
    const twoDaysAgo = new Date(Date.now() - 48 * 3_600_000).toISOString()
    await alpha.writeFile(
      '/var/lib/stillpoint/told.json',
      JSON.stringify({ version: 1, digests: { [policy.id]: twoDaysAgo }, silent: {} })
    )
    for (const _ of [1, 2]) await alpha.must(['systemctl', 'start', TELL_SERVICE])
    const mails = await server.take()
    expect(mails.map(({ headers }) => headers['subject'])).toEqual([
      'Stillpoint kvm-1: 2 backups, all good (daily digest)'
    ])
    expect(mails[0]?.parts['text/plain']).toContain('2 of 2 good')
  })

  it('leaves nothing on the host when it is taken away', async () => {
    const unit = `${alpha.tree}${UNITS_DIR}/${TELL_TIMER}`
    expect(existsSync(unit)).toBe(true)
    expect(await alpha.must(['systemctl', 'is-active', TELL_TIMER])).toContain('active')
    await engine.ask('channels-put', { change: { mail: null } })
    expect(existsSync(unit)).toBe(false)
    expect(await leftoversOf(alpha, before)).toEqual([])
  })
})

const isListening = async (): Promise<boolean> => (await alpha.run("ss -ltn | grep -q ':2525 '")).exitCode === 0
