import type { Failure, FailureKind } from '../../../src/shared/failure.ts'

const gib = 1024 ** 3
const point = '20261122T201744Z-7f3a21'

/** One of each kind: a kind that is missing here does not compile. */
export const samples: { readonly [K in FailureKind]: Extract<Failure, { kind: K }> } = {
  usage: { kind: 'usage', message: 'Say which host.' },
  'not-found': { kind: 'not-found', what: 'vm', name: 'web1', where: 'alpha' },
  ambiguous: { kind: 'ambiguous', what: 'point', name: '2026', candidates: [point] },
  'host-unreachable': { kind: 'host-unreachable', host: 'alpha', reason: 'No route to host' },
  'host-key-unknown': {
    kind: 'host-key-unknown',
    host: 'alpha',
    address: '192.0.2.1',
    keyType: 'ssh-ed25519',
    fingerprint: 'SHA256:abc'
  },
  'host-key-changed': {
    kind: 'host-key-changed',
    host: 'alpha',
    address: '192.0.2.1',
    keyType: 'ssh-ed25519',
    fingerprint: 'SHA256:abc',
    knownIn: 'known_hosts:3'
  },
  'host-key-revoked': {
    kind: 'host-key-revoked',
    host: 'alpha',
    address: '192.0.2.1',
    fingerprint: 'SHA256:abc',
    knownIn: 'known_hosts:3'
  },
  'auth-failed': { kind: 'auth-failed', host: 'alpha', user: 'root', tried: ['id_ed25519'] },
  'identity-unusable': { kind: 'identity-unusable', file: '/k', reason: 'wrong passphrase' },
  'connection-lost': { kind: 'connection-lost', host: 'alpha', during: 'follow' },
  'login-shell': { kind: 'login-shell', host: 'alpha', reason: 'It is fish.' },
  'no-root': { kind: 'no-root', host: 'alpha', user: 'admin', sudoersLine: 'admin ALL=(ALL) NOPASSWD: ALL' },
  'unsupported-host': { kind: 'unsupported-host', host: 'alpha', reason: 'No systemd.' },
  'missing-tool': { kind: 'missing-tool', tool: 'virsh' },
  'command-failed': { kind: 'command-failed', command: 'virsh save', exitCode: 1, stderr: 'error: no\n' },
  timeout: { kind: 'timeout', what: 'virsh', afterMs: 60_000 },
  'output-too-large': { kind: 'output-too-large', what: 'virsh', limitBytes: 16 << 20 },
  'bad-output': { kind: 'bad-output', what: 'virsh', detail: 'not XML' },
  cancelled: { kind: 'cancelled', what: 'The backup' },
  'vm-busy': { kind: 'vm-busy', vm: 'web1', by: 'job 1', since: '2026-11-22T20:17:44.000Z' },
  'vm-state': { kind: 'vm-state', vm: 'web1', state: 'crashed', wanted: 'running' },
  'foreign-work': { kind: 'foreign-work', vm: 'web1', detail: 'A migration runs.' },
  'state-not-savable': { kind: 'state-not-savable', vm: 'web1', devices: ['hostdev 0'] },
  'no-disks': { kind: 'no-disks', vm: 'web1', leftOut: [{ target: 'vda', because: 'it is passed through as a LUN' }] },
  'no-room': { kind: 'no-room', path: '/srv', forWhat: 'RAM', neededBytes: 2 * gib, freeBytes: gib },
  'too-busy': { kind: 'too-busy', vm: 'web1', budgetMs: 300, detail: 'Gave up after 60 s.' },
  'point-damaged': { kind: 'point-damaged', point, file: 'memory.save', detail: 'hash differs' },
  'point-unsafe': { kind: 'point-unsafe', point, file: 'disks/vda.qcow2', detail: 'backing file /etc/shadow' },
  'point-format': { kind: 'point-format', point, detail: 'version 9' },
  'point-busy': { kind: 'point-busy', point },
  'point-arriving': { kind: 'point-arriving', point, by: 'an import on beta', since: '2026-11-22T20:17:44.000Z' },
  'point-exists': { kind: 'point-exists', point, where: 'beta' },
  'vm-exists': {
    kind: 'vm-exists',
    name: 'web1',
    uuid: '4dea22b3-1d52-d8f3-2516-782e98ab3fa0',
    host: 'beta',
    because: 'uuid'
  },
  preflight: { kind: 'preflight', problems: [{ text: 'No bridge br0.', fix: 'ip link add br0 type bridge' }] },
  'engine-version': { kind: 'engine-version', host: 'alpha', theirs: '2', ours: '1' },
  'installation-changed': {
    kind: 'installation-changed',
    path: '/opt/Stillpoint/resources/stillpoint/out/engine/engine.mjs'
  },
  io: { kind: 'io', path: '/srv', code: 'ENOSPC', detail: 'no space left on device' },
  interrupted: { kind: 'interrupted', job: 'backup', step: 'copy' },
  'store-changed': { kind: 'store-changed', store: '/srv/points', detail: 'It holds nothing.' },
  'not-told': { kind: 'not-told', channel: 'mail', detail: 'mail.example.org refused the password', fix: 'Check it.' },
  'left-behind': {
    kind: 'left-behind',
    vm: 'web1',
    after: { kind: 'cancelled', what: 'copy' },
    left: [{ path: '/srv/web1.qcow2.overlay', because: 'the VM has migrated', mend: ['virsh blockcommit web1 vda'] }]
  },
  bug: { kind: 'bug', reference: 'abc123', message: 'TypeError: x\n    at secret.ts:1' }
}
