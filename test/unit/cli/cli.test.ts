import { describe, expect, it } from 'vitest'
import type { Command } from 'commander'
import { hostAndVm, orderOf } from '../../../src/main/doors/cli/commands/backup.ts'
import { leftoverLines } from '../../../src/main/doors/cli/commands/doctor.ts'
import { connectQuestions, fingerprintOf } from '../../../src/main/doors/cli/connect-questions.ts'
import { exitOfFailure, exitOfJob } from '../../../src/main/doors/cli/exit-codes.ts'
import { exitOfListing } from '../../../src/main/doors/cli/listing.ts'
import { output, type Lines } from '../../../src/main/doors/cli/output.ts'
import { buildProgram } from '../../../src/main/doors/cli/program.ts'
import { barText } from '../../../src/main/doors/cli/progress-bar.ts'
import { table } from '../../../src/main/doors/cli/table.ts'
import { nobody } from '../../../src/main/doors/cli/terminal.ts'

class Page {
  text = ''
  write(text: string): boolean {
    this.text += text
    return true
  }
}
const page = (): Page & NodeJS.WritableStream => new Page() as unknown as Page & NodeJS.WritableStream

interface Understood {
  readonly options: Readonly<Record<string, unknown>>
}

/** What a command line would do, without doing it. */
async function understood(line: string): Promise<Understood> {
  let seen: Understood | undefined
  const program = buildProgram((options) => (seen = { options: options as Understood['options'] }))
  quiet(program)
  await program.parseAsync(
    line.split(' ').filter((word) => word !== ''),
    { from: 'user' }
  )
  return seen ?? { options: { nothing: 'was understood' } }
}

function quiet(command: Command): void {
  command.configureOutput({ writeOut: () => undefined, writeErr: () => undefined })
  for (const child of command.commands) quiet(child)
}

describe('command lines that scripts rely on', () => {
  it.each([
    [
      'host add alpha ssh://root@192.0.2.1:22 --identity /k --host-key SHA256:abc --json',
      { identity: '/k', hostKey: 'SHA256:abc', json: true }
    ],
    ['host add alpha ssh://root@192.0.2.1 --accept-new', { acceptNew: true }],
    ['host remove alpha --clean', { clean: true }],
    ['host forget-key alpha', {}],
    [
      'backup alpha/web1 --method classic --store /srv --budget 100 --on-busy fail --json',
      { method: 'classic', store: '/srv', budget: 100, onBusy: 'fail' }
    ],
    ['backup alpha/web1 --media', { media: true }],
    ['policy add nightly --host alpha --vms x --calendar daily --media', { media: true }],
    ['policy edit nightly --media', { media: true }],
    ['policy edit nightly --no-media', { media: false }],
    ['points alpha/web1 --json', { json: true }],
    ['points --json', { json: true }],
    ['restore 2026 --to beta --mode resume --json', { to: 'beta', mode: 'resume' }],
    [
      'restore 2026 --to beta --map-network lan=default --map-network a=b=none --map-bridge br0=network:x --no-remembered',
      {
        mapNetwork: [
          { kind: 'map-network', from: 'lan', to: 'default' },
          { kind: 'map-network', from: 'a=b', to: 'none' }
        ],
        mapBridge: [{ kind: 'map-bridge', from: 'br0', to: 'network:x' }],
        remembered: false
      }
    ],
    [
      'restore 2026 --to beta --drop usb:1:2 --drop folder:/x --auto-ports --memory 512 --listen 127.0.0.1 --drop-pins',
      {
        drop: [
          { kind: 'drop', device: 'usb:1:2' },
          { kind: 'drop', device: 'folder:/x' }
        ],
        memory: { kind: 'memory', mib: 512 },
        listen: { kind: 'listen', address: '127.0.0.1' },
        autoPorts: true,
        dropPins: true
      }
    ],
    ['restore 2026 --to beta --mode copy --name twin --no-start', { mode: 'copy', name: 'twin', start: false }],
    ['restore 2026 --to beta --allow read=/a --allow write=/b', { allow: ['read=/a', 'write=/b'] }],
    ['copy 2026 --to ./points', { to: './points' }],
    ['pin 2026 --note later --json', { note: 'later', json: true }],
    ['unpin 2026', {}],
    ['doctor alpha --repair', { repair: true }],
    ['doctor alpha --let-go 2026 --also /a --also /b', { letGo: '2026', also: ['/a', '/b'] }],
    ['job cancel 2026', {}],
    ['downtime web1', {}],
    [
      'policy add nightly --host alpha --vms * --calendar 02:00 --method live --keep-last 4 --keep-daily 7 --json',
      { host: 'alpha', vms: ['*'], calendar: '02:00', method: 'live', keepLast: 4, keepDaily: 7, json: true }
    ],
    [
      'policy add db --host alpha --vms db* --vms x --exclude t --exclude u --calendar hourly --window 22:00-06:00',
      { vms: ['db*', 'x'], exclude: ['t', 'u'], window: { from: '22:00', to: '06:00' } }
    ],
    [
      'policy add db --host a --vms db --calendar daily --no-mail-failure --mail-success --before-must-succeed',
      { mailFailure: false, mailSuccess: true, beforeMustSucceed: true }
    ],
    ['policy edit db --before-file ./dump.sh --after-file -', { beforeFile: './dump.sh', afterFile: '-' }],
    ['policy list --host alpha --json', { host: 'alpha', json: true }],
    ['policy show nightly', {}],
    ['policy edit nightly --name nights --keep-memory 2 --accept-store', { keepMemory: 2, acceptStore: true }],
    ['policy remove nightly --host alpha', { host: 'alpha' }],
    ['policy run nightly --wait', { wait: true }],
    ['policy pause nightly --until 2026-12-24', { until: new Date('2026-12-24T00:00').toISOString() }],
    ['policy resume nightly', {}],
    ['history web1 --host alpha --policy nightly --since 2026-11-01T00:00:00Z', { since: '2026-11-01T00:00:00.000Z' }],
    ['prune nightly --host alpha --dry-run', { dryRun: true }],
    ['channels show --host alpha', { host: 'alpha' }],
    [
      'channels set-mail --host a --server mail.example.org --user u --password-file - --from a@example.org --to b@example.org',
      { security: 'starttls', passwordFile: '-', to: ['b@example.org'] }
    ],
    ['channels set-webhook --host a --form ntfy --url-file /u', { form: 'ntfy', urlFile: '/u' }],
    ['channels remove mail --host alpha', {}],
    ['channels test webhook --host alpha', {}]
  ])('%s', async (line, options) => {
    const seen = await understood(line)
    expect(seen).toMatchObject({ options })
    expect(seen.options).not.toHaveProperty('nothing')
  })

  it('a backup takes media where that is said, and only there', () => {
    expect(orderOf({ media: true })).toMatchObject({ media: true })
    expect(orderOf({})).not.toHaveProperty('media')
  })

  it.each([
    'backup',
    'backup alpha/web1 --method quick',
    'backup alpha/web1 --budget soon',
    'backup alpha/web1 --store relative',
    'restore 2026',
    'restore 2026 --to beta --mode sleep',
    'restore 2026 --to beta --map-network lan',
    'restore 2026 --to beta --map-network lan=',
    'restore 2026 --to beta --map-network =lan',
    'restore 2026 --to beta --memory 1.5',
    'host add alpha',
    'points --colour',
    'policy add nightly --vms x --calendar daily',
    'policy add nightly --host alpha --calendar daily',
    'policy add nightly --host alpha --vms x',
    'policy add nightly --host alpha --vms x --calendar daily --keep-last many',
    'policy add nightly --host alpha --vms x --calendar daily --window night',
    'policy pause nightly --until soon',
    'channels set-mail --host alpha --server x --from a --to b --password secret',
    'channels set-webhook --host alpha --url https://example.org',
    `pin 2026 --note ${'n'.repeat(2001)}`,
    'unpin 2026 --note x',
    'fly'
  ])('%s is refused', async (line) => {
    await expect(understood(line)).rejects.toThrow()
  })

  it('every command has examples in its help', () => {
    const leaves = (command: Command): Command[] =>
      command.commands.length === 0 ? [command] : command.commands.flatMap(leaves)
    for (const command of leaves(buildProgram(() => undefined))) {
      let help = ''
      command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp()
      expect(help).toContain('Examples:')
    }
  })

  it('the VM is everything behind the first slash', () => {
    expect(hostAndVm('alpha/a/b')).toEqual({ host: 'alpha', vm: 'a/b' })
    expect(hostAndVm('alpha/--help')).toEqual({ host: 'alpha', vm: '--help' })
    expect(() => hostAndVm('alpha')).toThrow(/usage/)
    expect(() => hostAndVm('/x')).toThrow(/usage/)
  })
})

describe('exit codes', () => {
  it('are as published', () => {
    expect(exitOfJob('done')).toBe(0)
    expect(exitOfJob('failed-clean')).toBe(1)
    expect(exitOfJob('failed-needs-you')).toBe(1)
    expect(exitOfJob('done-with-warnings')).toBe(3)
    expect(exitOfJob('cancelled')).toBe(130)
    expect(exitOfFailure({ kind: 'usage', message: '' })).toBe(2)
    expect(exitOfFailure({ kind: 'cancelled', what: '' })).toBe(130)
    expect(exitOfFailure({ kind: 'missing-tool', tool: '' })).toBe(1)
    expect([exitOfListing([], true), exitOfListing([1], true), exitOfListing([1], false)]).toEqual([0, 1, 3])
  })
})

describe('what is printed', () => {
  it('for machines is one JSON object per line, the last one the result', () => {
    const stdout = page()
    const out = output(true, { stdout, stderr: page() })
    out.line('for people')
    out.progress({ phase: 'copying', doneBytes: 1, totalBytes: 2 })
    out.result({ points: [] })
    const lines = stdout.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown)
    expect(lines).toEqual([
      { type: 'progress', phase: 'copying', doneBytes: 1, totalBytes: 2 },
      { type: 'result', ok: true, points: [] }
    ])
  })

  it('for machines has a failure with its words, and no stack', () => {
    const stdout = page()
    output(true, { stdout, stderr: page() }).failed({
      kind: 'bug',
      reference: 'r',
      message: 'TypeError: x\n   at y.ts:1'
    })
    expect(JSON.parse(stdout.text)).toMatchObject({
      type: 'result',
      ok: false,
      failure: { kind: 'bug', message: 'TypeError: x' },
      words: { title: expect.any(String) as string }
    })
  })

  it('for people escapes what names from hosts bring along', () => {
    const [stdout, stderr] = [page(), page()]
    const out = output(false, { stdout, stderr })
    out.line('\u001b[2Jweb\u202e1')
    out.failed({ kind: 'not-found', what: 'vm', name: '\u001b]0;x\u0007', where: 'alpha' })
    expect(`${stdout.text}${stderr.text}`).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u)
  })

  it('shows progress in words and figures', () => {
    expect(
      barText({
        phase: 'copying vda',
        doneBytes: 512 << 20,
        totalBytes: 1 << 30,
        bytesPerSecond: 100 << 20,
        secondsLeft: 5
      })
    ).toMatch(/copying vda █{12}░{12} 50 % · 512 MiB of 1\.0 GiB · 100 MiB\/s · about 5\.0 s left/)
    expect(barText({ phase: 'thinking', doneBytes: 0, totalBytes: 0 })).toBe('thinking …')
  })

  it('has what is to be typed for a leftover below the table', () => {
    const remedy = 'it stays: nobody knows whose it is\nvirsh secret-undefine 1\nrm /x'
    const [head, row, ...below] = leftoverLines([{ kind: 'overlay', what: '/x', remedy, repaired: false }])
    expect([head, row]).toEqual([
      'KIND     WHAT  REMEDY                              STATE',
      'overlay  /x    it stays: nobody knows whose it is  left as it is'
    ])
    expect(below).toEqual(['', '/x:', '  virsh secret-undefine 1', '  rm /x'])
  })

  it('aligns columns after escaping them', () => {
    expect(table(['A', 'B'], [['x\n', 'y']])).toEqual(['A       B', 'x\\u{a}  y'])
  })
})

describe('a host key nobody has vouched for', () => {
  const key = { address: '192.0.2.1', keyType: 'ssh-ed25519', fingerprint: 'SHA256:abc' }

  it('is refused where there is nobody to ask, and taken where the flag says so', async () => {
    expect(await connectQuestions(false, nobody).unknownHostKey(key)).toBe(false)
    expect(await connectQuestions(true, nobody).unknownHostKey(key)).toBe(true)
    const damagedIn = '/home/me/known_hosts'
    expect(await connectQuestions(true, nobody).unknownHostKey({ ...key, damagedIn })).toBe(false)
  })

  it('is taken by whoever was told that it may have been another', async () => {
    const asked: Lines[] = []
    const ask = (lines: Lines): Promise<string> => {
      asked.push(lines)
      return Promise.resolve('yes')
    }
    const terminal = { interactive: true, ask }
    const damagedIn = '/home/me/known_hosts'
    expect(await connectQuestions(true, terminal).unknownHostKey({ ...key, damagedIn })).toBe(true)
    expect(asked.flat()).toContain(
      '/home/me/known_hosts has lines that cannot be read, and one may be of this host: it may have had another key.'
    )
  })

  it('is compared with the one that was named, however that was written', () => {
    for (const text of ['SHA256:abc', 'sha256:abc', 'abc', 'SHA256:abc='])
      expect(fingerprintOf(text)).toBe('SHA256:abc')
  })
})
