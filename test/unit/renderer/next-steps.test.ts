import { describe, expect, it } from 'vitest'
import { failureShown } from '../../../src/renderer/ui/failure-shown.ts'
import type { Failure } from '../../../src/shared/failure.ts'

const point = '20261122T201744Z-7f3a21'
const key = { host: 'alpha', address: '192.0.2.1:22', keyType: 'ssh-ed25519', fingerprint: 'SHA256:abc' }

const failures: readonly Failure[] = [
  { kind: 'usage', message: 'Say which host.' },
  { kind: 'host-key-unknown', ...key },
  { kind: 'host-key-changed', ...key, knownIn: '/home/me/.config/stillpoint/known_hosts:3' },
  { kind: 'auth-failed', host: 'alpha', user: 'root', tried: [] },
  { kind: 'identity-unusable', file: '/k', reason: 'wrong passphrase' },
  { kind: 'connection-lost', host: 'alpha', during: 'follow' },
  { kind: 'not-found', what: 'vm', name: 'web1' },
  { kind: 'ambiguous', what: 'vm', name: 'web1', candidates: [] },
  { kind: 'vm-busy', vm: 'web1', by: 'a backup', since: '2026-11-22T20:17:44Z' },
  { kind: 'vm-state', vm: 'web1', state: 'paused', wanted: 'running' },
  { kind: 'foreign-work', vm: 'web1', detail: 'a snapshot' },
  { kind: 'state-not-savable', vm: 'web1', devices: ['vfio'] },
  { kind: 'no-room', path: '/srv', forWhat: 'the point', neededBytes: 2, freeBytes: 1 },
  { kind: 'too-busy', vm: 'web1', budgetMs: 300, detail: '' },
  { kind: 'vm-exists', name: 'web1', uuid: 'u', host: 'alpha', because: 'name' },
  { kind: 'interrupted', job: 'backup', step: 'copy', leftover: 'an overlay' },
  { kind: 'point-damaged', point, file: 'disks/vda.qcow2', detail: 'hash differs' }
]

describe('the next step after a failure', () => {
  it.each(failures.map((failure) => [failure.kind, failure] as const))(
    'of kind %s is one that a window can take: no command or option of the terminal door',
    (_, failure) => expect(failureShown(failure).nextStep).not.toMatch(/stillpoint |--[a-z]/)
  )

  it('names the command that forgets a key in a file of OpenSSH', () => {
    const shown = failureShown({ kind: 'host-key-changed', ...key, knownIn: '/home/me/.ssh/known_hosts:3' })
    expect(shown.nextStep).toContain("ssh-keygen -R '192.0.2.1'")
  })

  it('stays as it is where it is the same everywhere', () => {
    const shown = failureShown({ kind: 'io', path: '/srv', code: 'EROFS', detail: '' })
    expect(shown.nextStep).toContain('read-only')
  })
})
