import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { diagnostics } from '../../src/main/core/diagnostics.ts'
import type { LiveCore } from '../../src/main/core/live/live-core.ts'
import { scrubber } from '../../src/main/core/scrub.ts'
import { DEFAULT_CHOICES } from '../../src/shared/views/settings-view.ts'
import { policyOf } from './made-policies.ts'

const scrub = (text: string, names: Record<string, string> = {}): string =>
  scrubber(new Map(Object.entries(names)))(text)

describe('a text for others', () => {
  it('holds no names, addresses, paths of home, keys or tokens', () => {
    const secret = [
      'host kvm-1.example.net at 10.20.0.11 has VM "shop"',
      `${homedir()}/.ssh/id_ed25519`,
      '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE\n-----END OPENSSH PRIVATE KEY-----',
      'SHA256:uNiVztksCsDhcc0u9e8BrrJXVWqhQ2XZ3jWc5wZqJ0Y',
      'token 3jwtNwtxCQOV1V9zDN5yfFf7C6zy0CTzBLo__LqjBkg'
    ].join('\n')
    const text = scrub(secret, { 'kvm-1': 'host-1', 'kvm-1.example.net': 'host-1', shop: 'vm-1' })
    for (const hidden of ['kvm-1', '10.20', 'shop', homedir(), 'b3Blb', 'uNiV', '3jwt'])
      expect(text).not.toContain(hidden)
    expect(text).toContain('host host-1 at (address) has VM "vm-1"')
  })

  it.each([
    ['fe80::1ff:fe23:4567:890a%eth0 said no', '(address) said no'],
    ['from [2001:db8::5]:22', 'from [(address)]:22'],
    ['to jane.roe@acme.example', 'to (mail)'],
    ['no 0b5e3a52-9a3c-4a3e-8f55-6c2a1d5f0e11 here', 'no (id) here'],
    ["EACCES: open '/srv/customer-acme/x.qcow2'", "EACCES: open '(path)'"],
    ['POST https://ntfy.acme.example/topic failed', 'POST (link) failed'],
    ['at f (file:///opt/stillpoint/out/main/index.js:10:5)', 'at f (index.js:10:5)'],
    ['2026-11-29T12:00:00.000Z 1a2b TypeError', '2026-11-29T12:00:00.000Z 1a2b TypeError']
  ])('%s: %s', (text, expected) => expect(scrub(text)).toBe(expected))

  it('is told in one pass: what stands for one name is no name, and the longest goes first', () => {
    expect(scrub('web and web-2 on webhook', { web: 'web-2', 'web-2': 'vm-2' })).toBe('web-2 and vm-2 on webhook')
    expect(scrub('of "we\\"b"', { 'we"b': 'vm-1' })).toBe('of "vm-1"')
  })

  it.each([
    ['a token', 'ghp-AbCdEfGhIjKlMnOpQrSt-db-WxYzAbCdEfGhIjKlMnOp', '(token)'],
    ['an address', '192.168.10.7', '(address)'],
    ['a mail address', 'operator@web1.example.com', '(mail)'],
    ['a link', 'https://hooks.example.com/db/t0ps3cret', '(link)'],
    ['a path', '/srv/customers/db/invoices', '(path)'],
    ['a time', '2026-11-10T12:00:00.000Z', '2026-11-10T12:00:00.000Z'],
    ['the name of a program', 'file:///opt/out/db.js:10:5', 'vm-2.js:vm-1:5']
  ])('has no half of %s, whatever is called like a part of it', (_, text, expected) => {
    const names = { db: 'vm-2', '10': 'vm-1', 'web1.example.com': 'host-1' }
    expect(scrub(`of ${text} here`, names)).toBe(`of ${expected} here`)
  })

  it.each([
    ['one that begins in another', 'web of acme ltd', { 'web of acme': 'vm-1', 'acme ltd': 'vm-2' }, 'vm-1'],
    ['one with a path in it', 'in /mnt/acme usb', { '/mnt/acme usb': '(store)' }, 'in (store)'],
    ['one in another case', 'getaddrinfo kvm.acme.example', { 'KVM.Acme.Example': 'host-1' }, 'getaddrinfo host-1'],
    ['one with a sigma in its end', 'ΟΔΟΣ οδος', { οδος: 'vm-1' }, 'vm-1 vm-1'],
    ['a long one', `run ${'acme and '.repeat(100)}x`, { [`${'acme and '.repeat(100)}x`]: '(hook)' }, 'run (hook)']
  ])('has no half of a name: %s', (_, text, names, expected) => expect(scrub(text, names)).toBe(expected))

  it.each([
    ['a name', 'VM payroll of ac…', 'VM (cut)…'],
    ['a name in another case', 'VM Payroll O…', 'VM (cut)…'],
    ['a token', 'with ghp-AbCdEfGh…', 'with (cut)…'],
    ['an address', 'at 10.20.… or so', 'at (cut)… or so']
  ])('has no half of %s that was cut off', (_, text, expected) =>
    expect(scrub(text, { 'payroll of acme': 'vm-1' })).toBe(expected)
  )
})

let folder = ''
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'stillpoint-diagnostics-'))))
afterEach(() => rmSync(folder, { recursive: true }))

const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
const vm = (n: number): object => ({
  uuid: uuid(n),
  name: `payroll-${n}`,
  state: 'running',
  agent: 'absent',
  disks: []
})

const job = (n: number, more: object = {}): object => ({
  ...{
    id: 'j',
    kind: 'backup',
    host: 'acme-1',
    state: 'failed',
    phases: [],
    pauses: [],
    warnings: ['payroll-1 says no']
  },
  vm: { uuid: uuid(n), name: `payroll-${n}` },
  ...more
})

interface Known {
  readonly hosts?: readonly object[]
  readonly jobs?: readonly object[]
  readonly policies?: readonly object[]
  readonly records?: readonly object[]
}

const made = ({ hosts = [], jobs = [], policies = [], records = [] }: Known): string =>
  diagnostics(
    {
      hosts: { all: { value: hosts } },
      jobs: { all: { value: jobs } },
      policies: { all: { value: { hosts: policies, known: true } } },
      choices: {
        value: { ...DEFAULT_CHOICES, defaultStore: '/srv/acme', muted: [{ uuid: uuid(1), name: 'payroll-1' }] }
      },
      core: {
        folder,
        settings: { read: () => ({ hosts: records, places: [{ kind: 'local', dir: '/mnt/acme usb' }] }) }
      }
    } as unknown as LiveCore,
    '1.0'
  ).text

const acme = {
  name: 'acme-1',
  address: 'kvm.acme.example',
  user: 'jane',
  state: 'down',
  failure: { kind: 'bad-output', what: 'the look at acme-1', detail: 'payroll-1' },
  facts: {
    ...{
      hostname: 'acme-kvm',
      machineId: 'f'.repeat(32),
      os: 'Debian GNU/Linux 12 (bookworm)',
      libvirt: '9.0.0',
      cpus: 8
    },
    sessionVms: [{ user: 'jane.roe', name: 'jane-test', isRunning: true }],
    store: { path: '/srv/acme', freeBytes: 1, totalBytes: 2 },
    limits: ['VM jane-test of jane.roe is not shown']
  },
  vms: [vm(1), { ...vm(2), state: 'payroll-1' }]
}
const policies = {
  host: 'acme-1',
  policies: [
    {
      policy: {
        ...policyOf({ store: '/srv/acme' }),
        name: 'acme nightly',
        hooks: { before: { command: '/opt/acme-hook' } }
      }
    }
  ],
  broken: [{ path: '/etc/acme.json', reason: 'acme' }],
  channels: { mail: { to: ['ops-of-acme'], server: 'acme-mx' } },
  outbox: []
}
const failure = { kind: 'io', path: '/srv/acme/x', code: 'EIO', detail: 'fe80::1 said no to jane.roe' }
const withAll = { hosts: [acme], policies: [policies], jobs: [job(1, { failure, store: '/srv/acme', copyOf: vm(9) })] }

describe('diagnostics', () => {
  it('name nobody and nothing of the operator', () => {
    const log =
      'payroll-9 of jane.roe, acme nightly on acme-1, ops-of-acme, acme-mx, /mnt/acme usb, jane-test, /opt/acme-hook'
    writeFileSync(join(folder, 'errors.log'), `${log}\n`)
    const text = made(withAll)
    for (const hidden of ['acme', 'jane', 'payroll', 'fe80', '0000-4000', 'ffff']) expect(text).not.toContain(hidden)
  })

  it('say what a maintainer needs: versions, states and failures, each host and VM by its number', () => {
    const text = made(withAll)
    expect(text).toContain('"host":"host-1","state":"down","failure":{"kind":"bad-output"}')
    expect(text).toContain('"os":"Debian GNU/Linux 12 (bookworm)"')
    expect(text).toContain('"failure":{"kind":"io","code":"EIO"}')
    expect(text).toContain('"vm":"vm-1"')
  })

  it('have no half of a name at the end of a long line', () => {
    const log = `${'x '.repeat(990)}payroll-9 of jane.roe and more and more`
    writeFileSync(join(folder, 'errors.log'), `${log}\n`)
    const named = { ...acme, vms: [{ ...vm(1), name: 'payroll-9 of jane.roe' }] }
    expect(made({ hosts: [named] })).toContain('x x (cut)…')
  })

  it('tell of every host, also where one has more to tell than there is room', () => {
    const disks = Array.from({ length: 8 }, () => ({ device: 'd'.repeat(60), type: 'block', format: 'f'.repeat(60) }))
    const large = { ...acme, vms: Array.from({ length: 200 }, (_, n) => ({ ...vm(n), disks })) }
    const text = made({ hosts: [large, { ...large, name: 'acme-2' }, { ...acme, name: 'acme-3' }] })
    for (const host of ['host-1', 'host-2', 'host-3']) expect(text).toContain(`{"host":"${host}"`)
    expect(text).toMatch(/"vmsLeftOut":1\d\d/)
    expect(text).toContain('"vm":"vm-1"')
  })

  it('come of whatever there is, and say what was left out', () => {
    mkdirSync(join(folder, 'errors.log'))
    const halfVm = { ...vm(1), disks: undefined }
    const text = made({ hosts: [{ ...acme, vms: [halfVm] }], jobs: Array.from({ length: 60 }, (_, n) => job(n)) })
    expect(text).toMatch(/^Hosts\n\(left out: TypeError\)$/m)
    expect(text).toMatch(/^Last errors\n\(left out: /m)
    expect(text).toContain('(left out: 10 more)')
  })

  it('tell no errors where it is not known which names are in them', () => {
    writeFileSync(join(folder, 'errors.log'), 'payroll-9\n')
    const unreadable = {
      get identityFile() {
        throw new Error('broken settings')
      }
    }
    const text = made({ ...withAll, records: [unreadable] })
    expect(text).not.toContain('payroll')
    expect(text).toMatch(/^Last errors\n\(left out: /m)
  })

  it('are of no more than the room of their parts, whatever names and numbers there are', () => {
    const chain = ['0a', '0b', '0c', '0d', '0e', '0f', '1a', '1b', '1c', '1d']
    const jobs = chain.map((name, n) => job(n, { policy: { id: (chain[n + 1] ?? 'ff').repeat(6), name } }))
    const vms = Array.from({ length: 3000 }, (_, n) => vm(n))
    writeFileSync(join(folder, 'errors.log'), `${'0a '.repeat(1000)}\n`.repeat(1000))
    const text = made({ hosts: Array.from({ length: 20 }, (_, n) => ({ ...acme, name: `host${n}`, vms })), jobs })
    expect(text.length).toBeLessThan(6 * 64 * 1024)
    expect(text).toContain('more lines)')
  })
})
